namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// Where test rows come from.
[<RequireQualifiedAccess>]
type TestRows =
    /// A table of their own, and what messages call it.
    | Separate of table: Table * source: string
    /// A share of the rows, chosen by a hash of the row and a seed: a row stays on its side whatever other
    /// rows there are, and equal rows are on the same side.
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
    /// What was made of the table's columns.
    Report: TableReport
}

/// Making samples of tables.
[<RequireQualifiedAccess>]
module TableData =
    let private within (source: string) (faults: Fault list) : Fault list =
        List.map (Fault.within source) faults

    /// The columns of those names, spaces around which do not count, in the table's order.
    let private columns (names: string list) (table: Table) : Column list =
        let names = names |> List.map _.Trim() |> Set.ofList

        table.Columns |> List.filter (fun column -> names.Contains(column.Name.Trim()))

    /// The table with the numbers known that a layout has in it.
    let private withNumbers (layout: TableLayout) (table: Table) : Table =
        let reader = CellReader layout.Format
        let own = columns layout.Numbers table |> List.map _.Name |> Set.ofList

        table
        |> Table.update (fun column ->
            if own.Contains column.Name then
                Table.withNumbers reader column
            else
                column)

    let private keysOf (layout: TableLayout) (table: Table) : uint64[] =
        table
        |> columns (layout.Numbers @ layout.Categories)
        |> RowKey.ofColumns (CellReader layout.Format) table.Rows

    /// The table's rows in two: to learn from, with their keys, and to test with.
    let private split (share: float) (seed: uint64) (keys: uint64[]) (table: Table) =
        let isKept = KeyedShare.choose seed Stream.Test share keys

        let where kept =
            [| 0 .. table.Rows - 1 |] |> Array.filter (fun row -> isKept[row] = kept)

        let train, test = where false, where true
        let different = (Array.distinct keys).Length

        let because =
            if different = table.Rows then
                ""
            else
                let verb = if different = 1 then "is" else "are"
                let rows = Counted.text "different row" "different rows" (int64 different)
                $" (equal rows are on the same side, and there {verb} {rows})"

        Fault.check
            [
                test.Length > 0 && test.Length < table.Rows,
                Fault.message
                    "Data:TestShare"
                    $"of {Table.text share} gives %d{test.Length} test rows of %d{table.Rows}{because}; both sides need rows, or a file of test rows (Data:Test)"
            ]
            (fun () ->
                Table.take train table, Array.map (Array.get keys) train, Table.take test table)

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
                TableEncoding.targets encoding.Format label table |> Result.map Targets.Columns
            else
                TableEncoding.labels encoding.Format classes label table
                |> Result.map Targets.Labels

        Fault.both (TableEncoding.encode encoding table) targets
        |> Result.map (fun (inputs, targets) ->
            Dataset.ofColumns (max 1 classes.Length) inputs targets)

    /// Of how many rows each class is the label, in training and test rows.
    let private counts (classes: string list) (data: Dataset<'T> list) : (string * int) list =
        let counts = Array.zeroCreate classes.Length

        for data in data do
            match data.Targets with
            | Targets.Labels labels ->
                for label in labels do
                    counts[label] <- counts[label] + 1
            | Targets.Columns _ -> ()

        List.zip classes (List.ofArray counts)

    let private report
        (choice: TableOptions)
        (layout: TableLayout)
        (encoding: TableEncoding)
        (classes: string list)
        (warnings: string list)
        (tables: Table list)
        (train: Dataset<'T>)
        (test: Dataset<'T>)
        : TableReport when 'T :> IBinaryFloatingPointIeee754<'T> =
        let reader = CellReader encoding.Format
        let table = tables.Head

        let inputs table =
            columns (layout.Numbers @ layout.Categories) table

        let label = columns [ layout.Label ] table |> List.head

        let spellings (what: string) (name: string) =
            tables
            |> Seq.collect (columns [ name ])
            |> Seq.collect (fun column ->
                match column.Cells with
                | Cells.Numbers _
                | Cells.Unreadable _ -> Seq.empty
                | Cells.Texts texts -> texts |> Seq.filter (reader.IsMissing >> not))
            |> Spelling.warnings reader $"{what} {name}"

        {
            Label = layout.Label
            Classes = counts classes [ train; test ]
            Numbers = layout.Numbers
            Categories =
                encoding.Categories
                |> List.map (fun column -> column.Name, column.Values.Length)
            Ignored = layout.Ignored
            Counts = layout.Counts
            Missing =
                tables
                |> List.collect (inputs >> TableReport.missingCells reader)
                |> List.groupBy (fun cells -> cells.Column, cells.Marker)
                |> List.map (fun ((column, marker), same) -> {
                    Column = column
                    Marker = marker
                    Count = same |> List.sumBy _.Count
                })
            Rule = choice.Missing
            Format = encoding.Format
            Warnings = [
                yield! warnings
                yield! TableWarnings.counts reader (columns layout.Numbers table)
                yield! TableWarnings.givingAway reader label (inputs table)
                yield! TableWarnings.numberLike layout

                if not classes.IsEmpty then
                    yield! spellings "Label" layout.Label

                for column in columns layout.Categories table do
                    yield! spellings "Column" column.Name

                yield! ClassCheck.untrained classes train test

                match train.Targets with
                | Targets.Columns numbers when classes.IsEmpty ->
                    yield!
                        Kernels.values numbers
                        |> Array.map Double.CreateTruncating
                        |> TableWarnings.targets layout.Label
                | _ -> ()
            ]
        }

    /// <summary>Training and test samples of tables, or everything that is wrong with them.</summary>
    /// <param name="choice">What to do with columns.</param>
    /// <param name="head">The network's head: under Identity the label is a number to
    /// predict.</param>
    /// <param name="known">The encoding and classes of a model that is there already, else they are
    /// fitted to the training rows; of no classes those of the label are taken.</param>
    /// <param name="testing">The test rows.</param>
    /// <param name="source">What messages call the table.</param>
    /// <param name="table">The training rows, the test rows among them where they are a share.</param>
    [<CompiledName("Prepare")>]
    let prepare
        (choice: TableOptions)
        (head: Head)
        (known: struct (TableEncoding * string list) voption)
        (testing: TestRows)
        (source: string)
        (table: Table)
        : Result<TableData<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let own name table =
            match Table.tryNamed name table with
            | Some column -> Table.readable column
            | None -> Error [ Fault.message $"column {name}" "does not exist" ]

        // Without names, a column more or less would move the others.
        let requireSameWidth () =
            match testing with
            | TestRows.Separate(test, testSource) ->
                let expected, found = Table.unnamed table, Table.unnamed test

                Fault.check
                    [
                        expected = 0 || found = 0 || expected = found,
                        Fault.create
                            testSource
                            $"%d{expected} columns without names, like the training rows"
                            $"%d{found}"
                    ]
                    ignore
            | TestRows.Share _ -> Ok()

        let requireSeveralClasses (classes: string list) (train: Dataset<'T>) =
            match train.Targets with
            | Targets.Labels labels when known.IsNone && classes.Length > 1 ->
                ClassCheck.requireSeveral classes labels
                |> Result.mapError (
                    List.map (fun fault ->
                        let fault = fault |> Fault.ofSubject $"{source}, training rows"

                        match testing with
                        | TestRows.Share _ ->
                            fault |> Fault.remark "equal rows stay on one side of the split"
                        | TestRows.Separate _ -> fault)
                )
                |> Result.map ignore
            | _ -> Ok()

        let ofLayout (layout: TableLayout, table: Table) =
            let keys = keysOf layout table

            let shared (test: Table) =
                match testing with
                | TestRows.Share(share, _) -> TableWarnings.share share keys test.Rows
                | TestRows.Separate _ -> []

            match testing with
            | TestRows.Separate(test, testSource) ->
                Ok(table, keys, withNumbers layout test, testSource)
            | TestRows.Share(share, seed) ->
                split share seed keys table
                |> Result.map (fun (train, trainKeys, test) -> train, trainKeys, test, source)
            |> Result.bind (fun (train, trainKeys, test, testSource) ->
                let format =
                    match known with
                    | ValueSome(struct (encoding, _)) -> encoding.Format
                    | ValueNone -> layout.Format

                let reader = CellReader format

                let isSaid =
                    choice.Categorical
                    |> List.exists (fun key ->
                        Table.find key table |> Result.map _.Name = Ok layout.Label)

                // Every class is known, whichever side its rows come to.
                let found =
                    own layout.Label table
                    |> Result.bind (fun label ->
                        TableEncoding.classNames reader label table
                        |> Result.bind (fun classes ->
                            if isSaid then
                                Ok(classes, [])
                            else
                                LabelCheck.check reader table.Rows layout.Label classes
                                |> Result.map (fun warnings -> classes, warnings))
                        |> Result.bind (fun (classes, warnings) ->
                            TableEncoding.requireClasses label classes
                            |> Result.map (fun classes -> classes, warnings)))

                let fitted =
                    match known with
                    | ValueSome(struct (encoding, classes)) when
                        head = Head.Identity || not classes.IsEmpty
                        ->
                        Ok(encoding, (classes, []))
                    | ValueSome(struct (encoding, _)) ->
                        found |> Result.map (fun found -> encoding, found)
                    | ValueNone ->
                        Fault.both
                            (TableEncoding.fitLayout choice layout train)
                            (if head = Head.Identity then Ok([], []) else found)

                // A split table reports a label that is not a number once, instead of once for each side.
                let numbers: Result<unit, Fault list> =
                    match testing, known with
                    | TestRows.Share _, (ValueNone | ValueSome(struct (_, []))) when
                        head = Head.Identity
                        ->
                        own layout.Label table
                        |> Result.bind (fun label -> TableEncoding.targets format label table)
                        |> Result.map (fun (_: Matrix<'T>) -> ())
                    | _ -> Ok()

                Fault.both fitted numbers
                |> Result.map fst
                |> Result.mapError (within source)
                |> Result.bind (fun (encoding, (classes, warnings)) ->
                    let samples source table =
                        own layout.Label table
                        |> Result.bind (fun label -> samples encoding classes label table)
                        |> Result.mapError (within source)

                    Fault.both (samples source train) (samples testSource test)
                    |> Result.bind (fun (trainData, testData) ->
                        requireSeveralClasses classes trainData
                        |> Result.map (fun () -> trainData, testData))
                    |> Result.map (fun (trainData: Dataset<'T>, testData) ->
                        let inputs (data: Dataset<'T>) =
                            match data.samples with
                            | Samples.Columns columns -> ReadOnlyMemory(Kernels.values columns)
                            | _ ->
                                (Dataset.take [| 0 .. data.Count - 1 |] data).Inputs
                                |> Kernels.values
                                |> ReadOnlyMemory

                        let tables =
                            match testing with
                            | TestRows.Share _ -> [ table ]
                            | TestRows.Separate _ -> [ table; test ]

                        {
                            Train = Dataset.withKeys trainKeys trainData
                            Test = testData
                            Encoding = encoding
                            Classes = classes
                            Leaked =
                                Leakage.findRows
                                    encoding.Features
                                    (inputs trainData)
                                    (inputs testData)
                            Report =
                                report
                                    choice
                                    layout
                                    encoding
                                    classes
                                    (warnings @ shared test)
                                    tables
                                    trainData
                                    testData
                        })))

        match known with
        | ValueNone -> TableLayout.ofTable choice table
        | ValueSome(struct (encoding, _)) ->
            // A model's columns are what they were in training, and it needs no others.
            TableLayout.label choice table
            |> Result.map (fun label ->
                let layout = {
                    Format = encoding.Format
                    Label = label.Name
                    Numbers = encoding.Numbers |> List.map _.Name
                    Categories = encoding.Categories |> List.map _.Name
                    Ignored = []
                    Counts = []
                    NumberLike = []
                }

                layout, withNumbers layout table)
        |> Result.mapError (within source)
        |> Result.bind (fun found -> requireSameWidth () |> Result.map (fun () -> found))
        |> Result.bind ofLayout
