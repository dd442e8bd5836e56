namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Formats

/// <summary>An embedding: blocks of inputs are multiplied by matrices E without biases, and others pass through
/// unchanged.</summary>
/// <remarks>Inputs that are 0 are left out of the sums: one-hot inputs cost as much as the column that they choose.
/// E begins with normal numbers of a standard deviation of 0.05, whatever the initialiser says: the inputs that a
/// sample has of a block are one, not all.
/// Source: Guo and Berkhahn, Entity embeddings of categorical variables, 2016.</remarks>
[<Sealed>]
type internal Embedding(blocks: EmbeddingBlock list) =
    inherit Layer("embedding " + (blocks |> List.map string |> String.concat " "))

    let placed =
        let places, (inputs, outputs, _) =
            ((0, 0, 0), blocks)
            ||> List.mapFold (fun (input, output, matrix) block ->
                let place = {
                    Block = block
                    Input = input
                    Output = output
                    Matrix = matrix
                }

                let next = if block.IsEmbedded then matrix + 1 else matrix
                place, (input + block.Inputs, output + block.Outputs, next))

        {
            Places = Array.ofList places
            Inputs = inputs
            Outputs = outputs
        }

    let inputs, outputs = placed.Inputs, placed.Outputs

    let matrices =
        blocks
        |> List.filter _.IsEmbedded
        |> List.map (fun block -> struct (block.Outputs, block.Inputs))

    let nameOf (matrix: int) = invariant $"E{matrix + 1}_"

    let valuesOf (parameters: LayerParameters<'T>) : 'T[][] = [|
        for _, matrix in parameters.Matrices -> Kernels.values matrix
    |]

    /// The blocks from the first input on.
    member _.Places = placed.Places

    /// How many inputs the layer takes.
    member _.Inputs = inputs

    override layer.OutputShape(input) =
        // Sums that no integer of 32 bits may hold.
        let taken = blocks |> List.sumBy (fun block -> int64 block.Inputs)
        let given = blocks |> List.sumBy (fun block -> int64 block.Outputs)

        Fault.check
            [
                not matrices.IsEmpty,
                Fault.create "" "one block INPUTS:OUTPUTS or more" $"'{layer.Name}'"
                for block in blocks do
                    block.Inputs >= 1 && block.Outputs >= 1,
                    Fault.create "" "blocks of 1 input and 1 output or more" (string block)

                    int64 block.Inputs * int64 block.Outputs <= int64 Array.MaxLength,
                    Fault.create
                        ""
                        (invariant $"blocks of at most {Array.MaxLength} weights")
                        (string block)
                given <= int64 DenseLimits.MaximumOutputs,
                Fault.create
                    ""
                    (invariant $"1 to {DenseLimits.MaximumOutputs} outputs")
                    (string given)
                taken = int64 input.Size,
                Fault.create
                    ""
                    (invariant $"{taken} inputs, as '{layer.Name}' takes")
                    (string input.Size)
            ]
            (fun () -> Shape.Vector outputs)

    override _.Parameters(_) = {
        MatrixShapes =
            matrices
            |> List.mapi (fun i (struct (rows, columns)) -> nameOf i, rows, columns)
        VectorSizes = []
    }

    override _.Initialise<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (_, seed, number, _)
        : LayerParameters<'T> =
        let matrix first i (struct (rows, columns)) =
            let values =
                Array.init (rows * columns) (fun k ->
                    0.05
                    * RandomNumbers.normal
                        seed
                        RandomStream.InitialWeights
                        (int64 number)
                        (first + k)
                    |> 'T.CreateTruncating)

            (nameOf i, Kernels.matrix rows columns values)

        let firsts =
            matrices
            |> List.scan (fun first (struct (rows, columns)) -> first + rows * columns) 0

        {
            Matrices =
                List.zip (List.take matrices.Length firsts) matrices
                |> List.mapi (fun i (first, shape) -> matrix first i shape)
            Vectors = []
        }

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let samples = Inputs.nonZeros pass.Inputs
        let count = samples.Samples
        let e = valuesOf pass.Parameters
        let y: 'T[] = Kernels.newArray outputs count
        Array.Clear y

        for s in 0 .. count - 1 do
            EmbeddingLoops.forward placed e samples y s

        {
            LayerOutput.create (Kernels.matrix outputs count y) (fun upstream ->
                let upstream = Kernels.values upstream

                let gradients: 'T[][] = [|
                    for struct (rows, columns) in matrices -> Kernels.newArray rows columns
                |]

                for gradient in gradients do
                    Array.Clear gradient

                for s in 0 .. count - 1 do
                    EmbeddingLoops.addGradients placed samples upstream gradients s

                {
                    Inputs =
                        if pass.NeedsInputGradient then
                            let result: 'T[] = Kernels.newArray inputs count

                            for s in 0 .. count - 1 do
                                EmbeddingLoops.inputGradient placed e upstream result s

                            ValueSome(Kernels.matrix inputs count result)
                        else
                            ValueNone
                    Matrices =
                        matrices
                        |> List.mapi (fun i (struct (rows, columns)) ->
                            MatrixGradient.Value(Kernels.matrix rows columns gradients[i]))
                    Vectors = []
                }) with
                MayOverwrite = true
        }

    interface IOnnxLayer with
        member _.ToOnnx(draft, parameters, _, input) =
            let outputs = [
                for place in placed.Places do
                    let block =
                        draft.Add(
                            "Slice",
                            [
                                input
                                draft.Integers [ int64 place.Input ]
                                draft.Integers [ int64 place.End ]
                                draft.Integers [ 1L ]
                            ]
                        )

                    if place.IsEmbedded then
                        draft.Add("MatMul", [ block; parameters[place.Matrix] ])
                    else
                        block
            ]

            match outputs with
            | [ only ] -> only
            | _ -> draft.Add("Concat", outputs, [ "axis", OnnxAttribute.Integer 1L ])
