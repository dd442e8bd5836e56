namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// Where test rows come from.
[<RequireQualifiedAccess>]
type TestRows =
    /// A table of their own.
    | Separate of Table
    /// A share of the rows, the same of every class, chosen by a seed.
    | Share of share: float * seed: uint64

/// Tables made samples.
type TableData<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The samples to learn from.
    Train: Dataset<'T>
    /// The samples to test with.
    Test: Dataset<'T>
    /// How rows become samples: fitted to the training rows alone.
    Encoding: TableEncoding
    /// The classes' names; none where the label is a number to predict.
    Classes: string list
    /// The places of test samples that stand among the training samples too.
    Leaked: int[]
}

/// Making samples of tables.
[<RequireQualifiedAccess>]
module TableData =
    /// The table's rows in two: to learn from, and to test with.
    let private split (head: Head) (label: Column) (share: float) (seed: uint64) (table: Table) =
        let together: int[] = Array.zeroCreate table.Rows

        let strata =
            if head = Head.Identity then
                together
            else
                TableEncoding.classes label table
                |> Result.bind (fun classes -> TableEncoding.labels classes label table)
                // Labels whose fault will be told.
                |> Result.defaultValue together

        let isKept = Stratum.choose seed Stream.Test share strata

        let where kept =
            [| 0 .. table.Rows - 1 |] |> Array.filter (fun row -> isKept[row] = kept)

        Fault.check
            [
                Array.contains true isKept && Array.contains false isKept,
                Fault.create
                    "TestShare"
                    "a share that leaves rows on both sides"
                    $"{string share} of %d{table.Rows}"
            ]
            (fun () -> Table.take (where false) table, Table.take (where true) table)

    /// <summary>Samples of a table's rows, with what should be said of them.</summary>
    /// <param name="encoding">How rows become samples.</param>
    /// <param name="classes">The label's classes; none where it is a number.</param>
    /// <param name="label">The label's column.</param>
    /// <param name="table">The rows.</param>
    [<CompiledName("Samples")>]
    let samples
        (encoding: TableEncoding)
        (classes: string list)
        (label: Column)
        (table: Table)
        : Result<Dataset<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let targets: Result<Targets<'T>, Fault list> =
            if classes.IsEmpty then
                TableEncoding.targets label table |> Result.map Targets.Columns
            else
                TableEncoding.labels classes label table |> Result.map Targets.Labels

        Fault.both (TableEncoding.encode encoding table) targets
        |> Result.map (fun (inputs, targets) ->
            Dataset.ofColumns (max 1 classes.Length) inputs targets)

    let private bytesOf (data: Matrix<'T>) : ReadOnlyMemory<byte> =
        ReadOnlyMemory(LittleEndian.bytes (Kernels.values data))

    /// <summary>Training and test samples of tables, or everything that is wrong with them.</summary>
    /// <param name="choice">What to do with columns.</param>
    /// <param name="head">The network's head: under Identity the label is a number to
    /// predict.</param>
    /// <param name="known">The encoding and classes of a model that is there already, else they are
    /// fitted to the training rows.</param>
    /// <param name="test">The test rows.</param>
    /// <param name="table">The training rows, the test rows among them where they are a share.</param>
    [<CompiledName("Prepare")>]
    let prepare
        (choice: TableChoice)
        (head: Head)
        (known: struct (TableEncoding * string list) voption)
        (test: TestRows)
        (table: Table)
        : Result<TableData<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        TableEncoding.label choice table
        |> Result.bind (fun label ->
            match test with
            | TestRows.Separate test -> Ok(table, test)
            | TestRows.Share(share, seed) -> split head label share seed table
            |> Result.bind (fun (train, test) ->
                let own table =
                    Table.find label.Name table |> Result.bind Table.readable

                let fitted =
                    match known with
                    | ValueSome(struct (encoding, classes)) -> Ok(encoding, classes)
                    | ValueNone ->
                        Fault.both
                            (TableEncoding.fit choice train)
                            (own train
                             |> Result.bind (fun label ->
                                 if head = Head.Identity then
                                     Ok []
                                 else
                                     TableEncoding.classes label train))
                        |> Result.mapError (List.map (Fault.within "training rows"))

                fitted
                |> Result.bind (fun (encoding, classes) ->
                    let samples place table =
                        own table
                        |> Result.bind (fun label -> samples encoding classes label table)
                        |> Result.mapError (List.map (Fault.within place))

                    Fault.both (samples "training rows" train) (samples "test rows" test)
                    |> Result.map (fun (trainData: Dataset<'T>, testData) ->
                        let inputs (data: Dataset<'T>) =
                            bytesOf (Dataset.take [| 0 .. data.Count - 1 |] data).Inputs

                        {
                            Train = trainData
                            Test = testData
                            Encoding = encoding
                            Classes = classes
                            Leaked =
                                Leakage.find
                                    (encoding.Features * sizeof<'T>)
                                    (inputs trainData)
                                    (inputs testData)
                        }))))
