namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// Training and test samples of tables.
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
    /// How rows become samples; fitted to the training rows only.
    Encoding: TableEncoding
    /// The classes' names; none where the label is a number to predict.
    Classes: string list
    /// The indices of test samples that are among the training samples too.
    Leaked: int[]
    /// What the columns were taken for, and warnings.
    Report: TableReport
}

/// Making samples of tables.
[<RequireQualifiedAccess>]
module TableData =
    let private within (source: string) (faults: Fault list) : Fault list =
        List.map (Fault.within source) faults

    /// Without names, an additional or missing column would shift the others.
    let private requireSameWidth (testRows: TestRows) (table: Table) : Result<unit, Fault list> =
        match testRows with
        | TestRows.Separate(test, source) ->
            let expected, found = Table.unnamed table, Table.unnamed test

            Fault.check
                [
                    expected = 0 || found = 0 || expected = found,
                    Fault.create
                        source
                        (invariant $"{expected} columns without names, like the training rows")
                        (invariant $"{found}")
                ]
                ignore
        | TestRows.Fraction _ -> Ok()

    /// The classes of the label's column with warnings about them. They come from all rows of the table, so that
    /// every class is known on both sides of a split.
    let internal classesOf
        (options: TableOptions)
        (format: CellFormat)
        (name: string)
        (table: Table)
        : Result<string list * string list, Fault list> =
        let reader = CellReader format

        let isCategorical =
            options.Categorical
            |> List.exists (fun key -> Table.find key table |> Result.map _.Name = Ok name)

        ColumnValues.find name table
        |> Result.bind (fun label ->
            TableLabels.names reader label table
            |> Result.bind (fun classes ->
                if isCategorical then
                    Ok(classes, [])
                else
                    LabelCheck.check reader table.Rows name classes
                    |> Result.map (fun warnings -> classes, warnings))
            |> Result.bind (fun (classes, warnings) ->
                TableLabels.requireClasses label classes
                |> Result.map (fun classes -> classes, warnings)))

    /// A fault if all training labels are of one class.
    let private requireSeveralClasses
        (testRows: TestRows)
        (source: string)
        (classes: string list)
        (train: Dataset<'T>)
        : Result<unit, Fault list> =
        match train.Targets with
        | Targets.Labels labels when classes.Length > 1 ->
            ClassCheck.requireSeveral classes labels
            |> Result.mapError (
                List.map (fun fault ->
                    let fault = fault |> Fault.withSubject $"{source}, training rows"

                    match testRows with
                    | TestRows.Fraction _ ->
                        fault |> Fault.withRemark "equal rows stay on one side of the split"
                    | TestRows.Separate _ -> fault)
            )
            |> Result.map ignore
        | _ -> Ok()

    /// The targets of a table's rows: classes, or numbers where there are none.
    let internal targets
        (encoding: TableEncoding)
        (classes: string list)
        (label: Column)
        (table: Table)
        : Result<Targets<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        if classes.IsEmpty then
            TableLabels.targets encoding.Format label table |> Result.map Targets.Columns
        else
            TableLabels.labels encoding.Format classes label table
            |> Result.map Targets.Labels

    /// <summary>Samples of a table's rows, or what is wrong with them.</summary>
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
        Fault.both (TableEncoding.rows encoding table) (targets encoding classes label table)
        |> Result.map (fun (rows, targets) -> Dataset.ofRows (max 1 classes.Length) rows targets)

    /// <summary>Samples of rows without labels, or what is wrong with them.</summary>
    /// <param name="encoding">How rows become samples.</param>
    /// <param name="outputs">The number of the network's outputs. Each sample has the label 0.</param>
    /// <param name="table">The rows; columns that are not in the encoding are left out.</param>
    [<CompiledName("WithoutLabels")>]
    let withoutLabels
        (encoding: TableEncoding)
        (outputs: int)
        (table: Table)
        : Result<Dataset<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        TableEncoding.rows encoding table
        |> Result.map (fun rows ->
            Dataset.ofRows outputs rows (Targets.Labels(Array.zeroCreate table.Rows)))

    /// The samples with the weights of their rows, where a column has them.
    let internal withWeights
        (layout: TableLayout)
        (table: Table)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Result<Dataset<'T>, Fault list> =
        match layout.Weight with
        | ValueNone -> Ok data
        | ValueSome name ->
            ColumnValues.find name table
            |> Result.bind (ColumnValues.weights (CellReader layout.Format) table)
            |> Result.map (fun weights -> Dataset.withWeights weights data)

    /// The encoding of training rows, and the label's classes with warnings about them. Those of an earlier
    /// model stay as they are.
    let private fit
        (options: TableOptions)
        (head: Head)
        (known: struct (TableEncoding * string list) voption)
        (layout: TableLayout)
        (train: Table)
        (table: Table)
        : Result<TableEncoding * (string list * string list), Fault list> =
        match known with
        | ValueSome(struct (encoding, classes)) when head = Head.Identity || not classes.IsEmpty ->
            Ok(encoding, (classes, []))
        | ValueSome(struct (encoding, _)) ->
            classesOf options encoding.Format layout.Label table
            |> Result.map (fun found -> encoding, found)
        | ValueNone -> validation {
            let! encoding = TableEncoding.fitLayout options layout train

            and! found =
                if head = Head.Identity then
                    Ok([], [])
                else
                    classesOf options layout.Format layout.Label table

            return encoding, found
          }

    /// Reports a label that is not a number once for a table, instead of once for each side of its split.
    let private requireNumbers<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (head: Head)
        (known: struct (TableEncoding * string list) voption)
        (testRows: TestRows)
        (layout: TableLayout)
        (table: Table)
        : Result<unit, Fault list> =
        match testRows, known with
        | TestRows.Fraction _, (ValueNone | ValueSome(struct (_, []))) when head = Head.Identity ->
            let format =
                match known with
                | ValueSome(struct (encoding, _)) -> encoding.Format
                | ValueNone -> layout.Format

            ColumnValues.find layout.Label table
            |> Result.bind (fun label -> TableLabels.targets format label table)
            |> Result.map (fun (_: Matrix<'T>) -> ())
        | _ -> Ok()

    /// A fault if the training rows' numbers to predict are nearly equal in the network's precision.
    let internal requireToldApart<'T when 'T :> IBinaryFloatingPointIeee754<'T>>
        (layout: TableLayout)
        (train: Table)
        : Result<unit, Fault list> =
        ColumnValues.find layout.Label train
        |> Result.bind (fun label -> TableLabels.requireToldApart<'T> layout.Format label train)

    /// The test samples that are among the training samples too. Equal rows have equal numbers and categories.
    let private leaked
        (train: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (test: Dataset<'T>)
        : int[] =
        let rowsOf (data: Dataset<'T>) =
            match data.samples with
            | Samples.Encoded rows -> rows.Columns
            | Samples.Columns columns -> columns
            | _ -> (Dataset.take [| 0 .. data.Count - 1 |] data).Inputs

        let memory (rows: Matrix<'T>) = ReadOnlyMemory(Kernels.values rows)
        let train, test = rowsOf train, rowsOf test
        Leakage.findRows train.RowCount (memory train) (memory test)

    /// The layout of a model's table: the columns are those of its training, others are not needed.
    let private layoutOf (encoding: TableEncoding) (label: Column) : TableLayout = {
        Format = encoding.Format
        Label = label.Name
        Numbers = encoding.Numbers |> List.map _.Name
        Categories = encoding.Categories |> List.map _.Name
        Ignored = []
        Counts = []
        NumberLike = []
        Weight = ValueNone
    }

    /// <summary>Training and test samples of tables, or everything that is wrong with them.</summary>
    /// <param name="options">What to do with columns.</param>
    /// <param name="head">The network's head: under Identity the label is a number to
    /// predict.</param>
    /// <param name="known">The encoding and classes of an existing model; without them, they are fitted to
    /// the training rows. Without classes, those of the label are taken. Their inputs do not include the
    /// label.</param>
    /// <param name="testRows">The test rows.</param>
    /// <param name="source">The table's name in messages.</param>
    /// <param name="table">The training rows, with the test rows among them if these are a share.</param>
    [<CompiledName("Prepare")>]
    let prepare
        (options: TableOptions)
        (head: Head)
        (known: struct (TableEncoding * string list) voption)
        (testRows: TestRows)
        (source: string)
        (table: Table)
        : Result<TableData<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let divide (layout: TableLayout) (table: Table) =
            let keys = TestRows.keysOf layout table

            match testRows with
            | TestRows.Separate(test, testSource) ->
                let test = TestRows.withNumbers layout test
                Ok(struct (table, keys, test, testSource, []))
            | TestRows.Fraction(fraction, seed) ->
                TestRows.split fraction seed keys table
                |> Result.mapError (within source)
                |> Result.map (fun (train, trainKeys, test) ->
                    let warnings = TableWarnings.share fraction keys test.Rows
                    struct (train, trainKeys, test, source, warnings))

        let ofLayout (layout: TableLayout, table: Table) =
            divide layout table
            |> Result.bind (fun struct (train, trainKeys, test, testSource, splitWarnings) ->
                validation {
                    let! fitted = fit options head known layout train table
                    and! () = requireNumbers<'T> head known testRows layout table

                    and! () =
                        if known.IsNone && head = Head.Identity then
                            requireToldApart<'T> layout train
                        else
                            Ok()

                    return fitted
                }
                |> Result.mapError (within source)
                |> Result.bind (fun (encoding, (classes, warnings)) ->
                    let samples source table =
                        ColumnValues.find layout.Label table
                        |> Result.bind (fun label -> samples encoding classes label table)
                        |> Result.mapError (within source)

                    validation {
                        let! trainData =
                            samples source train
                            |> Result.bind (
                                withWeights layout train >> Result.mapError (within source)
                            )

                        and! testData = samples testSource test
                        return trainData, testData
                    }
                    |> Result.bind (fun (trainData, testData) ->
                        (if known.IsNone then
                             requireSeveralClasses testRows source classes trainData
                         else
                             Ok())
                        |> Result.map (fun () -> trainData, testData))
                    |> Result.map (fun (trainData: Dataset<'T>, testData) ->
                        let tables =
                            match testRows with
                            | TestRows.Fraction _ -> [ table ]
                            | TestRows.Separate _ -> [ table; test ]

                        {
                            Train = Dataset.withKeys trainKeys trainData
                            Test = testData
                            Encoding = encoding
                            Classes = classes
                            Leaked = leaked trainData testData
                            Report =
                                TableReport.create
                                    options
                                    layout
                                    encoding
                                    classes
                                    (warnings @ splitWarnings)
                                    tables
                                    trainData
                                    testData
                        })))

        match known with
        | ValueNone -> TableLayout.ofTable options table
        | ValueSome(struct (encoding, _)) ->
            TableLayout.label options table
            |> Result.bind (fun label ->
                let layout = layoutOf encoding label

                Fault.check
                    [
                        not (List.contains label.Name (layout.Numbers @ layout.Categories)),
                        Fault.create
                            "Data:Label"
                            "the label's column"
                            $"{label.Name}, an input of the model"
                    ]
                    (fun () -> layout, TestRows.withNumbers layout table))
        |> Result.mapError (within source)
        |> Result.bind (fun found ->
            requireSameWidth testRows table |> Result.map (fun () -> found))
        |> Result.bind ofLayout
