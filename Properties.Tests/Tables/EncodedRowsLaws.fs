/// EncodedRows.fs: columns of categories take one number a row, and mean an input for each category.
module Pipeline.Properties.EncodedRowsLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables
open Pipeline.Properties.TableEncodingLaws

[<Law>]
let ``what is taken of a table's rows has the bits of their inputs`` (any: AnyTable) (Seed seed) =
    match fitted choice any with
    | None -> ()
    | Some(table, encoding) ->
        let inputs: Matrix<float> = TableEncoding.encode encoding table |> orFail
        let data: Dataset<float> = TableData.withoutLabels encoding 2 table |> orFail
        Exactly.equal (inputs.RowCount, inputs.ColumnCount) (data.Features, data.Count)

        let some iteration =
            Array.init 7 (RandomNumbers.below table.Rows seed RandomStream.GradientCheck iteration)

        let places, again = some 0L, some 1L |> Array.map (fun place -> place % 7)
        let taken = (Dataset.select places data |> Dataset.take again).Inputs

        for s in 0..6 do
            Exactly.bits ((inputs.Column places[again[s]]).ToArray()) ((taken.Column s).ToArray())

[<Law>]
let ``test rows that leaked are those with the inputs of a training row``
    (train: byte list)
    (test: byte list)
    =
    // Few values, so that many rows are equal.
    let rows (bytes: byte list) =
        let bytes = 0uy :: 1uy :: bytes

        table [
            "size", texts (bytes |> List.map (fun b -> string (b / 4uy % 3uy)))
            "colour", texts (bytes |> List.map (fun b -> $"c{b % 2uy}"))
            "label", texts (bytes |> List.mapi (fun i _ -> if i % 2 = 0 then "a" else "b"))
        ]

    let choice = {
        plainChoice with
            Categorical = [ "colour" ]
    }

    let prepared: TableData<float> =
        TableData.prepare
            choice
            Head.Softmax
            ValueNone
            (TestRows.Separate(rows test, ""))
            ""
            (rows train)
        |> orFail

    let inputsOf (data: Dataset<float>) =
        let inputs = (Dataset.take [| 0 .. data.Count - 1 |] data).Inputs
        [ for s in 0 .. data.Count - 1 -> List.ofSeq (inputs.Column s) ]

    let known = inputsOf prepared.Train

    inputsOf prepared.Test
    |> List.indexed
    |> List.filter (fun (_, row) -> List.contains row known)
    |> List.map fst
    |> Exactly.equal (List.ofArray prepared.Leaked)

[<Fact>]
let ``a column of many categories takes no memory for each of them`` () =
    let rows = 20000

    let column factor =
        texts (Array.init rows (fun row -> $"c{row * factor % 900}"))

    let rows =
        table [
            "one", column 1
            "other", column 7
            "label", texts (Array.init rows (fun row -> if row % 3 = 0 then "a" else "b"))
        ]

    let before = GC.GetAllocatedBytesForCurrentThread()
    let data = prepared plainChoice rows |> orFail
    let bytes = GC.GetAllocatedBytesForCurrentThread() - before
    Exactly.equal 1800 data.Train.Features
    // Training and test inputs would be 288 MB each.
    Assert.True(bytes < 144_000_000L, $"%d{bytes} bytes")

/// Rows with a number and three columns of categories, some of which a row may not have, and a column of 120 of
/// them: most inputs are 0.
let private rows (Seed seed) : EncodedRows<float> =
    let sizes = [| 9; 120; 2 |]

    let number row column =
        let draw =
            RandomNumbers.below 150 seed RandomStream.GradientCheck (int64 column) row

        if column = 0 then
            float (draw - 75) / 30.0
        else
            float (draw % (sizes[column - 1] + 1) - 1)

    {
        Columns = Matrix<float>.Build.Dense(4, 40, fun column row -> number row column)
        Sizes = sizes
    }

[<Law>]
let ``sums over rows of categories have the bits of those over their inputs``
    seed
    (ProductShape(outputs, _, _))
    =
    let rows = rows seed
    let numbers = Inputs.Columns(EncodedRows.expand [| 0..39 |] rows)
    let rows = Inputs.Rows rows
    let weights = KernelLaws.drawn seed 1L outputs 132
    let biases = (KernelLaws.drawn seed 2L outputs 1).Column 0
    let upstream = KernelLaws.drawn seed 3L outputs 40

    Exactly.bits
        (cells (Inputs.affine weights biases numbers))
        (cells (Inputs.affine weights biases rows))

    Exactly.bits
        (cells (Inputs.weightGradient upstream numbers))
        (cells (Inputs.weightGradient upstream rows))

    Exactly.bits
        (cells (Inputs.descend 0.3 weights upstream numbers))
        (cells (Inputs.descend 0.3 weights upstream rows))

[<Law>]
let ``a network learns the same bits from rows of categories as from their inputs`` seed =
    let rows = rows seed
    let labels = Targets.Labels(Array.init 40 (fun s -> s % 3))
    let sparse = Dataset.ofRows 3 rows labels
    let dense = Dataset.ofColumns 3 (EncodedRows.expand [| 0..39 |] rows) labels
    Assert.True((Dataset.take [| 0 |] sparse).FirstInputs.IsRows)

    let settings =
        Hyperparameters.create {
            Hyperparameters.Default.Options with
                Length = RunLength.Iterations 10L
                BatchSize = 7
                Initialiser = Initialiser.XavierNormal
                Optimizer = OptimizerSpec.create (OptimizerSpec.named "Adam") |> orFail
        }
        |> orFail

    for first in
        [
            []
            [
                Layers.embedding [ EmbeddingBlock.Unchanged 11; EmbeddingBlock.Embedded(121, 3) ]
            ]
        ] do
        let architecture =
            first @ [ Layers.dense 5; Layers.activation Activation.Tanh; Layers.dense 3 ]
            |> Architecture.create Head.Softmax (Shape.Vector 132)
            |> orFail

        let learned data =
            Trainer.start settings architecture
            |> Trainer.advance settings data 10L (fun _ _ -> true)

        let one, other = learned dense, learned sparse
        Exactly.bits (flat one.Network.Parameters) (flat other.Network.Parameters)
        Exactly.equal (Network.evaluate one.Network dense) (Network.evaluate one.Network sparse)

        let convert data : MiniBatch<float32> =
            MiniBatch.convert (Dataset.take [| 3; 1 |] data)

        Exactly.bits (cells (convert dense).Inputs) (cells (convert sparse).Inputs)
