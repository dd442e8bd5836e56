/// EmbeddingBlock.fs, Embedding.fs: one-hot inputs times a matrix.
module Pipeline.Properties.EmbeddingLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// Blocks for so many inputs, in any order.
let internal blocksOf (inputs: int) : EmbeddingBlock list =
    match inputs with
    | 1 -> [ EmbeddingBlock.Embedded(1, 2) ]
    | 2 -> [ EmbeddingBlock.Unchanged 1; EmbeddingBlock.Embedded(1, 3) ]
    | _ -> [
        EmbeddingBlock.Embedded(1 + inputs % 2, 2)
        EmbeddingBlock.Unchanged 1
        if inputs - 2 - inputs % 2 > 0 then
            EmbeddingBlock.Embedded(inputs - 2 - inputs % 2, 3)
      ]

/// The embedding of those blocks as a layer for vectors of any size.
type internal AnyEmbedding() =
    inherit Layer("any embedding")

    override _.OutputShape(input) =
        (Layers.embedding (blocksOf input.Size)).OutputShape input

    override _.Parameters(input) =
        (Layers.embedding (blocksOf input.Size)).Parameters input

    override _.Forward(pass) =
        (Layers.embedding (blocksOf pass.Inputs.Numbers.RowCount)).Forward pass

let private placed (blocks: EmbeddingBlock list) =
    ((0, 0), blocks)
    ||> List.mapFold (fun (input, output) block ->
        (block, input, output), (input + block.Inputs, output + block.Outputs))
    |> fst

/// What each block of a layer gives for a mini-batch, by the products of whole matrices.
let private products
    (parameters: LayerParameters<float>)
    (blocks: EmbeddingBlock list)
    (x: Matrix<float>)
    : Matrix<float> =
    let own block input =
        x.SubMatrix(input, (block: EmbeddingBlock).Inputs, 0, x.ColumnCount)

    let parts, _ =
        (parameters.Matrices, placed blocks)
        ||> List.mapFold (fun matrices (block, input, _) ->
            match block, matrices with
            | EmbeddingBlock.Embedded _, (_, e) :: others -> e * own block input, others
            | _ -> own block input, matrices)
        |> fun (parts, rest) -> parts, rest

    parts |> List.reduce (fun above below -> above.Stack below)

let private drawn (layer: Layer) (x: Matrix<float>) (seed: uint64) : LayerParameters<float> =
    layer.Initialise(Initialiser.XavierNormal, seed, 0, Shape.Vector x.RowCount)

let private output (layer: Layer) (parameters: LayerParameters<float>) (x: Matrix<float>) =
    (layer.Forward {
        Inputs = Inputs.OfNumbers x
        Shape = Shape.Vector x.RowCount
        Parameters = parameters
        Running = LayerParameters.none
        Step = ValueNone
        RandomStream = 0
        MayOverwrite = false
        NeedsInputGradient = false
    })
        .Output

[<Law>]
let ``an embedding is its blocks times their matrices, whatever its inputs are``
    (SmallMatrix x)
    (Seed seed)
    =
    let blocks = blocksOf x.RowCount
    let layer = Layers.embedding blocks
    let parameters = drawn layer x seed

    Approximately.equal
        1e-12
        (cells (products parameters blocks x))
        (cells (output layer parameters x))

[<Law>]
let ``a one-hot block gives the column of its category, and a block of zeros gives zeros``
    (SmallMatrix x)
    (Seed seed)
    =
    let blocks = blocksOf x.RowCount
    let layer = Layers.embedding blocks
    let parameters = drawn layer x seed

    // A category of each block and sample; as many as there are means that it is unknown.
    let category block s =
        int (seed % 1000UL) + 7 * s |> fun k -> k % ((block: EmbeddingBlock).Inputs + 1)

    let hot = x.Clone()

    for block, input, _ in placed blocks do
        if block.IsEmbedded then
            for s in 0 .. x.ColumnCount - 1 do
                for k in 0 .. block.Inputs - 1 do
                    hot[input + k, s] <- if k = category block s then 1.0 else 0.0

    let found = output layer parameters hot
    let mutable matrices = parameters.Matrices |> List.map snd

    for block, input, first in placed blocks do
        let expected =
            match block, matrices with
            | EmbeddingBlock.Embedded _, e :: others ->
                matrices <- others

                fun s i ->
                    if category block s < block.Inputs then
                        e[i, category block s]
                    else
                        0.0
            | _ -> fun s i -> x[input + i, s]

        for s in 0 .. x.ColumnCount - 1 do
            Exactly.bits (Array.init block.Outputs (expected s)) [|
                for i in 0 .. block.Outputs - 1 -> found[first + i, s]
            |]

[<Law>]
let ``a predictor answers as a network with an embedding does, bit for bit``
    (SmallMatrix x)
    (Seed seed)
    =
    let network: Network<float> =
        Architecture.create Head.Softmax (Shape.Vector x.RowCount) [
            Layers.embedding (blocksOf x.RowCount)
            Layers.dense 4
            Layers.activation Activation.Tanh
            Layers.dense 3
        ]
        |> orFail
        |> Network.initialise Initialiser.XavierNormal seed

    let x = x.Map(fun x -> if abs x < 3.0 then 0.0 else x)
    let expected = Network.predict network x
    let predictor = Predictor network
    let answer: float[] = Array.zeroCreate 3

    for s in 0 .. x.ColumnCount - 1 do
        let sample = (x.Column s).ToArray()
        predictor.Predict(ReadOnlySpan sample, Span answer)
        Exactly.bits ((expected.Column s).ToArray()) answer

[<Fact>]
let ``a predictor allocates nothing for an embedding`` () =
    let network: Network<float32> =
        Architecture.create Head.Softmax (Shape.Vector 100) [
            Layers.embedding [ EmbeddingBlock.Unchanged 2; EmbeddingBlock.Embedded(98, 8) ]
            Layers.dense 3
        ]
        |> orFail
        |> Network.initialise Initialiser.XavierNormal 1UL

    let predictor = Predictor network
    let sample = Array.init 100 (fun i -> if i = 50 then 1.0f else 0.0f)
    let answer: float32[] = Array.zeroCreate 3

    let ask () =
        for _ in 1..100 do
            predictor.Predict(ReadOnlySpan sample, Span answer)

    ask ()
    let before = GC.GetAllocatedBytesForCurrentThread()
    ask ()
    Exactly.equal before (GC.GetAllocatedBytesForCurrentThread())

[<Law>]
let ``first numbers are normal with a deviation of 0.05, and no two matrices have the same``
    (Seed seed)
    =
    let layer =
        Layers.embedding [ EmbeddingBlock.Embedded(40, 50); EmbeddingBlock.Embedded(40, 50) ]

    let start: LayerParameters<float> =
        layer.Initialise(Initialiser.HeNormal, seed, 0, Shape.Vector 80)

    let single: LayerParameters<float32> =
        layer.Initialise(Initialiser.Fixed 1.0, seed, 0, Shape.Vector 80)

    Exactly.equal [ "E1_"; "E2_" ] (start.Matrices |> List.map fst)
    let values = start.Matrices |> List.map (snd >> cells)

    for numbers, (_, rounded) in List.zip values single.Matrices do
        // Five standard deviations of the estimates for 2,000 numbers.
        Assert.InRange(Array.average numbers, -0.0056, 0.0056)
        let variance = numbers |> Array.averageBy (fun x -> x * x)
        Assert.InRange(sqrt variance, 0.046, 0.054)
        Exactly.bits (numbers |> Array.map float32) (cells rounded)

    Assert.NotEqual<float[]>(values[0], values[1])

[<Fact>]
let ``an embedding is parsed by name, and its faults say what is wrong`` () =
    let made =
        LayerKinds.parse [] [ "Embedding 2  990:16 3 7:2" ] |> orFail |> List.exactlyOne

    Exactly.equal "embedding 2 990:16 3 7:2" made.Name
    Exactly.equal (Ok(Shape.Vector 23)) (made.OutputShape(Shape.Vector 1002))

    let parsed = LayerKinds.parse [] [ made.Name ] |> orFail
    Exactly.equal [ made ] parsed

    for wrong in
        [
            "embedding"
            "embedding x"
            "embedding 3:2:1"
            "embedding 3:"
            "embedding -1:2"
        ] do
        LayerKinds.parse [] [ wrong ]
        |> Exactly.faulted [ "Layers:0: expected one of"; "embedding BLOCKS"; $"'{wrong}'" ]

    for layer, inputs, words in
        [
            "embedding 3", 3, [ "one block INPUTS:OUTPUTS or more" ]
            "embedding 0 3:1", 3, [ "1 input and 1 output or more"; "found 0" ]
            "embedding 3:0", 3, [ "1 input and 1 output or more"; "found 3:0" ]
            "embedding 3:65537", 3, [ "1 to 65536 outputs"; "65537" ]
            "embedding 65536:65536", 65536, [ "weights" ]
            "embedding 1 3:2", 5, [ "expected 4 inputs, as 'embedding 1 3:2' takes, found 5" ]
        ] do
        LayerKinds.parse [] [ layer; "dense 2" ]
        |> Result.bind (Architecture.create Head.Softmax (Shape.Vector inputs))
        |> Exactly.faulted ("Layers:0" :: words)
