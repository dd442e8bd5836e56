/// Architecture.fs, Parameters.fs and Network.fs: shapes, forward against the plain implementation, scores.
module Pipeline.Properties.NetworkLaws

open System
open MathNet.Numerics.LinearAlgebra
open MathNet.Numerics.Statistics
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private forwardOfReference (network: Network<float>) (batch: MiniBatch<float>) =
    Reference.samples network.Architecture.Outputs batch
    |> List.map (fst >> Reference.forward (Reference.ofNetwork network))
    |> Array.concat

[<Law>]
let ``forward is the plain stack of layers`` (Trainable(network, batch)) =
    Network.forward network batch.Inputs
    |> cells
    |> Approximately.equal Approximately.rounding (forwardOfReference network batch)

[<Law>]
let ``forward in single precision follows double`` (Trainable(network, batch)) =
    let single: Network<float32> = Network.convert network
    let inputs: MiniBatch<float32> = MiniBatch.convert batch

    Network.forward single inputs.Inputs
    |> cells
    |> Array.map float
    |> Approximately.equal Approximately.followsDouble (forwardOfReference network batch)

[<Law>]
let ``predict is softmax of forward`` (Trainable(network, batch)) =
    let y = Network.predict network batch.Inputs

    cells y
    |> Approximately.equal
        1e-14
        (Network.forward network batch.Inputs
         |> fun z -> [|
             for column in z.EnumerateColumns() -> Reference.softmax (column.ToArray())
         |]
         |> Array.concat)

    Exactly.equal network.Architecture.Outputs y.RowCount
    Exactly.equal batch.Inputs.ColumnCount y.ColumnCount

[<Law>]
let ``a sample's logits do not depend on the samples beside it`` (Trainable(network, batch)) =
    let together = Network.forward network batch.Inputs

    for s in 0 .. batch.Inputs.ColumnCount - 1 do
        Network.forward network (batch.Inputs.SubMatrix(0, batch.Inputs.RowCount, s, 1))
        |> cells
        |> Exactly.bits ((together.Column s).ToArray())

[<Law>]
let ``loss is the plain mean cross entropy`` (Trainable(network, batch)) =
    let layers = Reference.ofNetwork network

    let expected =
        Reference.samples network.Architecture.Outputs batch
        |> List.averageBy (fun (x, t) -> Reference.crossEntropy t (Reference.forward layers x))

    [| Network.loss network batch |]
    |> Approximately.equal Approximately.rounding [| expected |]

    [|
        float (Network.loss (Network.convert network: Network<float32>) (MiniBatch.convert batch))
    |]
    |> Approximately.equal Approximately.followsDouble [| expected |]

/// The first place of the greatest.
let private first (values: float[]) =
    Array.findIndex (fun x -> x = Array.max values) values

[<Law>]
let ``accuracy is the share of samples whose greatest logit is the target's``
    (Trainable(network, batch))
    =
    let z = Network.forward network batch.Inputs

    let right =
        Reference.samples network.Architecture.Outputs batch
        |> List.mapi (fun s (_, t) -> first ((z.Column s).ToArray()) = first t)
        |> List.filter id

    Exactly.equal
        (float right.Length / float batch.Inputs.ColumnCount)
        (Network.accuracy network batch)

[<Law>]
let ``classify gives the first of the greatest`` (Logits z) =
    let rounded = z.Map(fun z -> round (z / 5.0))

    for m in [ z; rounded; z.Map(fun _ -> 0.0) ] do
        [| for column in m.EnumerateColumns() -> first (column.ToArray()) |]
        |> Exactly.bits (Network.classify m)

    // No class is the greatest beside what is not a number.
    let row, column = z.RowCount - 1, z.ColumnCount - 1
    let broken = z.MapIndexed(fun k s x -> if k = row && s = column then nan else x)

    let refused =
        Assert.Throws<ArgumentException>(fun () -> Network.classify broken |> ignore)

    Assert.Contains($"not a number in row {row}, column {column}", refused.Message)

[<Fact>]
let ``ties go to the first class`` () =
    let network: Network<float> =
        Network.initialise
            (Initialiser.Fixed 0.0)
            1UL
            (Architecture.dense Activation.Sigmoid [ 2; 3; 4 ])

    // All weights 0: every logit is the same.
    let batch labels =
        MiniBatch.create
            (Matrix<float>.Build.Dense(2, Array.length labels, 1.0))
            (Targets.Labels labels)

    Exactly.equal 1.0 (Network.accuracy network (batch [| 0; 0 |]))
    Exactly.equal 0.5 (Network.accuracy network (batch [| 0; 3 |]))
    Exactly.equal 0.0 (Network.accuracy network (batch [| 3; 1 |]))

[<Law>]
let ``evaluate is the plain mean over samples`` (SmallRun(settings, data, architecture)) =
    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.8) settings.Seed architecture

    let all = Dataset.take [| 0 .. data.Count - 1 |] data
    let score = Network.evaluate network data

    [| score.Loss; score.Accuracy |]
    |> Approximately.equal Approximately.rounding [|
        Network.loss network all
        Network.accuracy network all
    |]

[<Theory>]
[<InlineData(0)>]
[<InlineData(1)>]
let ``answers that are not numbers are never correct`` (label: int) =
    let inputs = Matrix<float>.Build.Dense(2, 3, 1.0)
    inputs[1, 0] <- nan

    for head, outputs, targets in
        [
            Head.Softmax, 2, Targets.Labels [| label; 0; 0 |]
            Head.Sigmoid,
            1,
            Targets.Columns(Matrix<float>.Build.Dense(1, 3, (fun _ _ -> float label)))
        ] do
        let network: Network<float> =
            LayerKinds.parse [] [ "dense 3"; "tanh"; $"dense {outputs}" ]
            |> Result.bind (Architecture.create head (Shape.Vector 2))
            |> orFail
            |> Network.initialise (Initialiser.Fixed 0.7) 1UL

        let correct (data: Dataset<float>) =
            (Network.evaluate network data).Accuracy * float data.Count

        let all = Dataset.ofColumns outputs inputs targets
        let numbers = Dataset.take [| 1; 2 |] all
        let rest = Dataset.ofColumns outputs numbers.Inputs numbers.Targets
        Exactly.equal (correct rest) (Math.Round(correct all, 12))

[<Fact>]
let ``evaluate weighs the short last part by its samples`` () =
    let count = 2300
    let architecture = Architecture.dense Activation.Tanh [ 3; 5; 4 ]

    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.8) 3UL architecture

    let layers = Reference.ofNetwork network

    let inputs: Matrix<float> =
        Matrix<float>
            .Build.Dense(
                3,
                count,
                fun i s -> RandomNumbers.normal 5UL RandomStream.GradientCheck (int64 s) i
            )

    // The last part's labels are the network's worst guesses, so its loss is far from the others'.
    let worst (logits: float[]) =
        Array.findIndex (fun x -> x = Array.min logits) logits

    let labels =
        Array.init count (fun s ->
            let z = Reference.forward layers ((inputs.Column s).ToArray())
            if s < 2000 then first z else worst z)

    let score =
        Network.evaluate network (Dataset.ofColumns 4 inputs (Targets.Labels labels))

    let losses =
        Array.init count (fun s ->
            Reference.crossEntropy
                (Array.init 4 (fun k -> if k = labels[s] then 1.0 else 0.0))
                (Reference.forward layers ((inputs.Column s).ToArray())))

    [| score.Loss; score.Accuracy |]
    |> Approximately.equal Approximately.rounding [| Array.average losses; 2000.0 / 2300.0 |]

[<Law>]
let ``initial weights are the deviation times the normal draws of their layer`` (Seed seed) =
    let architecture = Architecture.dense Activation.Relu [ 3; 4; 2 ]

    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.01) seed architecture

    for l, layer in List.indexed network.Parameters.Layers do
        Exactly.bits (Array.zeroCreate layer.Biases.Count) (layer.Biases.ToArray())

        cells layer.Weights
        |> Exactly.bits (
            Array.init (layer.Weights.RowCount * layer.Weights.ColumnCount) (fun i ->
                0.01 * RandomNumbers.normal seed RandomStream.InitialWeights (int64 l) i)
        )

    let single: Network<float32> =
        Network.initialise (Initialiser.Fixed 0.01) seed architecture

    Parameters.toBytes single.Parameters
    |> Exactly.bits (Parameters.toBytes (Network.convert network: Network<float32>).Parameters)

[<Fact>]
let ``initial weights have the deviation asked for`` () =
    let network: Network<float> =
        Network.initialise
            (Initialiser.Fixed 0.01)
            1UL
            (Architecture.dense Activation.Sigmoid [ 784; 50; 10 ])

    let w = cells network.Parameters.Layers[0].Weights
    // Six standard errors.
    Assert.InRange(Statistics.Mean w, -6.0 * 0.01 / sqrt 39200.0, 6.0 * 0.01 / sqrt 39200.0)
    Assert.InRange(Statistics.StandardDeviation w, 0.0097, 0.0103)

[<Law>]
let ``layers fit each other and the architecture`` (SmallRun(settings, _, architecture)) =
    let network: Network<float32> =
        Network.initialise (Initialiser.Fixed 0.1) settings.Seed architecture

    let shapes = [
        for layer in network.Parameters.Layers ->
            layer.Weights.ColumnCount, layer.Weights.RowCount, layer.Biases.Count
    ]

    Exactly.equal
        (architecture.Sizes
         |> List.pairwise
         |> List.map (fun (inputs, outputs) -> inputs, outputs, outputs))
        shapes

    Exactly.equal
        (shapes
         |> List.sumBy (fun (inputs, outputs, biases) -> int64 (inputs * outputs + biases)))
        (Parameters.count network.Parameters)

    Exactly.equal (Parameters.count network.Parameters) architecture.ParameterCount

    Exactly.equal (architecture.Sizes |> List.map string |> String.concat "-") (string architecture)

[<Law>]
let ``the vector of parameters is W1 by columns, b1, W2, b2`` (Trainable(network, _)) =
    let expected = [|
        for layer in network.Parameters.Layers do
            for i in 0 .. layer.Weights.ColumnCount - 1 do
                for o in 0 .. layer.Weights.RowCount - 1 do
                    layer.Weights[o, i]

            for b in layer.Biases do
                b
    |]

    (Parameters.toVector network.Parameters).ToArray() |> Exactly.bits expected

    Parameters.toBytes network.Parameters
    |> Exactly.bits (expected |> Array.collect BitConverter.GetBytes)

    let single: Parameters<float32> = Parameters.convert network.Parameters

    Parameters.toBytes single
    |> Exactly.bits (expected |> Array.collect (fun x -> BitConverter.GetBytes(float32 x)))

[<Law>]
let ``map2 meets partner with partner`` (Trainable(network, _)) =
    let doubled =
        Parameters.map2
            (fun one (other: Matrix<float>) -> one + other)
            (fun one (other: Vector<float>) -> one + other)
            network.Parameters
            network.Parameters

    (Parameters.toVector doubled).ToArray()
    |> Exactly.bits (((Parameters.toVector network.Parameters) * 2.0).ToArray())

[<Fact>]
let ``an architecture tells everything that is wrong with it`` () =
    let hidden width = {
        Width = width
        Normalised = false
        Activation = Activation.Relu
        Dropout = 0.0
    }

    match Architecture.ofHidden Head.Softmax 0 [ hidden 0; hidden 5; hidden 65537 ] 1 with
    | Ok _ -> failwith "expected faults"
    | Error faults ->
        Exactly.equal
            [ "Inputs", "0"; "Classes", "1"; "Hidden", "0"; "Hidden", "65537" ]
            (faults |> List.map Exactly.problem)

    Assert.True(
        (Architecture.ofHidden Head.Softmax 1 [ hidden 1; hidden Architecture.MaximumWidth ] 2).IsOk
    )

    Exactly.refused [ "two sizes"; "1" ] (fun () -> Architecture.dense Activation.Relu [ 3 ])
    Exactly.refused [ "two sizes"; "0" ] (fun () -> Architecture.dense Activation.Relu [])
    Exactly.refused [ "Classes" ] (fun () -> Architecture.dense Activation.Relu [ 3; 1 ])

    Exactly.equal [ 784; 50; 10 ] (Architecture.dense Activation.Sigmoid [ 784; 50; 10 ]).Sizes

[<Law>]
let ``inputs or parameters that do not fit the network are refused`` (Trainable(network, batch)) =
    let tall =
        batch.Inputs.InsertRow(0, Vector<float>.Build.Dense batch.Inputs.ColumnCount)

    let shape = $"({tall.RowCount}, {tall.ColumnCount})"
    Exactly.refused [ shape ] (fun () -> Network.forward network tall)
    let wrong = MiniBatch.create tall batch.Targets
    Exactly.refused [ shape ] (fun () -> Network.loss network wrong)
    Exactly.refused [ shape ] (fun () -> Gradient.backward network wrong)

    Exactly.refused [ shape ] (fun () ->
        Gradient.updateLayers
            (LayerGradient.descend 0.1)
            { Seed = 1UL; Iteration = 0L }
            network
            wrong)

    let layers = network.Parameters.Layers

    for wrong in [ []; layers @ [ List.last layers ] ] do
        Exactly.refused [ $"{layers.Length} layers"; $"found {wrong.Length}" ] (fun () ->
            Network.forward
                {
                    network with
                        Parameters = { Layers = wrong }
                }
                batch.Inputs)

[<Fact>]
let ``what threads share is refused in the words of one thread`` () =
    let network: Network<float> =
        Network.initialise
            (Initialiser.Fixed 0.1)
            1UL
            (Architecture.dense Activation.Sigmoid [ 100; 100; 2 ])

    // Enough samples to be shared, of the wrong size.
    let data =
        Dataset.ofColumns
            2
            (Matrix<float>.Build.Dense(3, 1000, 1.0))
            (Targets.Labels(Array.zeroCreate 1000))

    Exactly.refused [ "(100, batch)"; "(3, 128)" ] (fun () -> Network.evaluate network data)

[<Law>]
let ``a mini-batch has as many targets as samples`` (Trainable(_, batch)) =
    Exactly.equal batch.Inputs.ColumnCount batch.Count

    Exactly.refused [ $"{batch.Count} samples"; $"found {batch.Count + 1}" ] (fun () ->
        MiniBatch.create batch.Inputs (Targets.Labels(Array.zeroCreate (batch.Count + 1))))

/// The network with one tensor of another shape in turn: a column or a number more, or turned.
let private misshapen (network: Network<float>) : Network<float> list =
    let changed (layers: LayerParameters<float> list) = [
        for i, layer in List.indexed layers do
            for name, matrix in layer.Matrices do
                List.updateAt
                    i
                    (layer
                     |> LayerParameters.withMatrix
                         name
                         (matrix.Append(matrix.SubMatrix(0, matrix.RowCount, 0, 1))))
                    layers

                if matrix.RowCount <> matrix.ColumnCount then
                    List.updateAt
                        i
                        (layer |> LayerParameters.withMatrix name (matrix.Transpose()))
                        layers

            for name, vector in layer.Vectors do
                List.updateAt
                    i
                    (layer
                     |> LayerParameters.withVector
                         name
                         (Vector<float>.Build.Dense(vector.Count + 1)))
                    layers
    ]

    [
        for layers in changed network.Parameters.Layers do
            {
                network with
                    Parameters = { Layers = layers }
            }

        for layers in changed network.Running do
            { network with Running = layers }
    ]

/// A network of each kind of layer that has parameters.
let private ofEveryKind: Network<float> =
    LayerKinds.parse [] [
        "conv2d 4 3 padding 1"
        "batchnorm"
        "residual [conv2d 4 3 padding 1, layernorm, relu]"
        "flatten"
        "dense 5"
        "batchnorm"
        "tanh"
        "dense 3"
    ]
    |> Result.bind (Architecture.create Head.Softmax (Shape.Image(2, 6, 6)))
    |> orFail
    |> Network.initialise (Initialiser.Fixed 0.5) 3UL

[<Fact>]
let ``parameters of another shape are refused, whoever reads them`` () =
    let embedded: Network<float> =
        Architecture.create Head.Softmax (Shape.Vector 5) [
            Layers.embedding [ EmbeddingBlock.Embedded(3, 2); EmbeddingBlock.Unchanged 2 ]
            Layers.dense 3
        ]
        |> orFail
        |> Network.initialise (Initialiser.Fixed 0.5) 4UL

    for network in [ ofEveryKind; embedded ] do
        let inputs = Matrix<float>.Build.Dense(network.Architecture.Inputs, 2, 0.5)
        let batch = MiniBatch.create inputs (Targets.Labels [| 0; 1 |])
        let data = Dataset.ofColumns 3 inputs batch.Targets

        for wrong in misshapen network do
            let refuses (call: unit -> 'V) =
                Exactly.refused [ "expected "; ", found " ] call

            refuses (fun () -> Network.predict wrong inputs)
            refuses (fun () -> Network.loss wrong batch)
            refuses (fun () -> Network.evaluate wrong data)
            refuses (fun () -> Predictor<float> wrong)
            refuses (fun () -> Gradient.backward wrong batch)

[<Fact>]
let ``inputs of another size, and none, are refused whatever the first layer is`` () =
    let shape = Shape.Vector 6

    for first in
        [
            Layers.embedding [ EmbeddingBlock.Embedded(6, 2) ]
            Layers.dense 2
            Layers.batchNormalisation
            Layers.layerNormalisation
            Layers.dropout 0.5
            Layers.activation Activation.Relu
            Layers.flatten
            Layers.residual [ Layers.activation Activation.Tanh ]
        ] do
        let network: Network<float> =
            Architecture.create Head.Softmax shape [ first; Layers.dense 2 ]
            |> orFail
            |> Network.initialise (Initialiser.Fixed 0.5) 5UL

        for rows, columns in [ 5, 2; 7, 2; 12, 2; 6, 0 ] do
            let inputs = Matrix<float>.Build.Dense(rows, columns)

            Exactly.refused [ "expected" ] (fun () -> Network.predict network inputs)

            if columns > 0 then
                let data = Dataset.ofColumns 2 inputs (Targets.Labels [| 0; 1 |])
                Exactly.refused [ "expected" ] (fun () -> Network.probabilities network data)
                Exactly.refused [ "expected" ] (fun () -> Network.evaluate network data)

                Exactly.refused [ "expected" ] (fun () ->
                    Gradient.backward network (Dataset.take [| 0; 1 |] data))

[<Law(MaxTest = 30)>]
let ``one sample's predictions and all at once have the same bits with normalised layers``
    (Seed seed)
    =
    let size = ofEveryKind.Architecture.Inputs
    let x = KernelLaws.drawn (Seed seed) 0L size 5

    let network = {
        ofEveryKind with
            Running =
                ofEveryKind.Running
                |> List.map (
                    LayerParameters.map (fun _ m -> m) (fun _ v ->
                        v.MapIndexed(fun i n -> n + 0.1 * float (i + 1)))
                )
    }

    let data = Dataset.ofColumns 3 x (Targets.Labels(Array.zeroCreate 5))
    let expected = Network.probabilities network data
    Exactly.bits (cells expected) (cells (Network.predict (ForwardPass.folded network) x))
    let predictor = Predictor<float> network

    for s in 0..4 do
        let found = Array.zeroCreate 3
        predictor.Predict(ReadOnlySpan((x.Column s).ToArray()), Span found)
        Exactly.bits ((expected.Column s).ToArray()) found

[<Fact>]
let ``a shape has dimensions of 1 or more, and as many numbers as an array holds`` () =
    for shape in
        [
            Shape.Vector 0
            Shape.Vector -3
            Shape.Image(3, 40000, 40000)
            Shape.Image(-2, -3, 4)
            Shape.Image(65536, 65536, 1)
        ] do
        Architecture.create Head.Softmax shape [ Layers.flatten; Layers.dense 2 ]
        |> Exactly.faulted [ "Inputs"; string shape ]

[<Fact>]
let ``a convolution of more weights than its gradient has room for, and an empty block, are faults``
    ()
    =
    LayerKinds.parse [] [ "conv2d 65536 64"; "flatten"; "dense 2" ]
    |> Result.bind (Architecture.create Head.Softmax (Shape.Image(1, 64, 64)))
    |> Exactly.faulted [ "weights" ]

    Architecture.create Head.Softmax (Shape.Vector 3) [ Layers.residual []; Layers.dense 2 ]
    |> Exactly.faulted [ "one layer or more" ]
