namespace Pipeline.Learning.Interop

open System
open System.Collections.Generic
open System.Diagnostics.CodeAnalysis
open System.Runtime.InteropServices
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Formats

/// Tables, and samples made of them.
[<AbstractClass; Sealed>]
type Tables =
    /// <summary>The table in the bytes of a Parquet file.</summary>
    /// <param name="limit">The largest size of all unpacked columns in bytes; a cell counts as eight.</param>
    /// <param name="unpack">Unpacks the first bytes into the last, and returns whether they fill them
    /// exactly; false for damaged bytes.</param>
    /// <param name="bytes">The whole file.</param>
    static member OfParquet
        (
            limit: int64,
            unpack: Func<ParquetCodec, ReadOnlyMemory<byte>, Memory<byte>, bool>,
            bytes: ReadOnlyMemory<byte>
        ) : Result<Table, Fault list> =
        ArgumentNullException.ThrowIfNull(unpack, nameof unpack)
        Parquet.parse limit (fun codec packed page -> unpack.Invoke(codec, packed, page)) bytes

    /// <summary>A table of rows in memory: values of a record or class, or dictionaries.</summary>
    /// <param name="rows">One row or more, none of them null.</param>
    [<RequiresUnreferencedCode("Reads the properties of rows by reflection.")>]
    static member OfRows(rows: 'Row seq) : Result<Table, Fault list> =
        ArgumentNullException.ThrowIfNull(rows, nameof rows)
        Rows.toTable rows

    /// <summary>The table, its columns named as a model names them.</summary>
    /// <param name="names">The names of the model's columns.</param>
    /// <param name="table">The table.</param>
    static member WithNames(names: string seq, table: Table) : Table = Rows.withNames names table

    /// <summary>A table of columns, or what is wrong with them.</summary>
    /// <param name="columns">One column or more of one row or more, all of the same length, their names
    /// different.</param>
    static member Create(columns: Column seq) : Result<Table, Fault list> = Table.create columns

    /// <summary>The table, with the line of its file where each row begins, for messages.</summary>
    /// <param name="lines">The lines, counted from 1, one a row.</param>
    /// <param name="table">The table.</param>
    /// <exception cref="T:System.ArgumentException">There are more or fewer lines than rows.</exception>
    static member WithLineNumbers(lines: int[], table: Table) : Table =
        Table.withLineNumbers lines table

    /// <summary>The table, its columns named by their indices: 0, 1, 2, …</summary>
    static member WithIndexNames(table: Table) : Table = Table.withIndexNames table

    /// <summary>The table in an array.</summary>
    /// <param name="tensor">Of two dimensions, (rows, columns), or of one, a column.</param>
    static member OfTensor(tensor: Tensor) : Result<Table, Fault list> = Table.ofTensor tensor

    /// <summary>Whether a first row holds names, decided from all rows.</summary>
    /// <param name="columns">The cells of each column, the first row's first.</param>
    static member DetectFirstRow(columns: IReadOnlyList<string> seq) : FirstRow =
        FirstRow.detect columns

    /// <summary>How a table becomes samples: <c>Tables.Options(label: "Price")</c>.</summary>
    /// <param name="label">The label's column, by name or index; null for the last one.</param>
    /// <param name="numeric">Columns of numbers, whatever their cells look like; null for none.</param>
    /// <param name="categorical">Columns of categories, whatever their cells look like; null for none.</param>
    /// <param name="ignored">Columns to leave out; null for none.</param>
    /// <param name="cells">How cells are written; null to detect it.</param>
    /// <param name="missing">How missing cells are treated; null to refuse them.</param>
    /// <param name="weight">The column of the training rows' weights; null if every row counts once.</param>
    /// <param name="scaling">How numbers are scaled; null for mean 0 and standard deviation 1.</param>
    static member Options
        (
            [<Optional>] label: string | null,
            [<Optional>] numeric: string seq | null,
            [<Optional>] categorical: string seq | null,
            [<Optional>] ignored: string seq | null,
            [<Optional>] cells: CellRules | null,
            [<Optional>] missing: Missing | null,
            [<Optional>] scaling: Scaling | null,
            [<Optional>] weight: string | null
        ) : TableOptions =
        let names (given: string seq | null) : string list =
            match given with
            | null -> []
            | names -> List.ofSeq names

        let orDefault (fallback: 'V) (given: 'V | null) : 'V =
            match given with
            | null -> fallback
            | given -> given

        let usual = TableOptions.Default

        {
            Label = ValueOption.ofObj label
            Numeric = names numeric
            Categorical = names categorical
            Ignored = names ignored
            Cells = orDefault usual.Cells cells
            Missing = orDefault usual.Missing missing
            Scaling = orDefault usual.Scaling scaling
            Weight = ValueOption.ofObj weight
        }

    /// <summary>Training and test samples of tables, encoded as fits the training rows.</summary>
    /// <param name="options">How a table becomes samples.</param>
    /// <param name="head">The network's head.</param>
    /// <param name="testRows">The test rows.</param>
    /// <param name="source">What messages call the table.</param>
    /// <param name="table">The training rows.</param>
    static member Prepare
        (options: TableOptions, head: Head, testRows: TestRows, source: string, table: Table)
        : Result<TableData<'T>, Fault list> =
        TableData.prepare options head ValueNone testRows source table

    /// <summary>The same, with the encoding and classes of a model.</summary>
    /// <param name="options">How a table becomes samples.</param>
    /// <param name="head">The model's head.</param>
    /// <param name="encoding">The model's encoding.</param>
    /// <param name="classes">The model's classes; empty to take those of the label.</param>
    /// <param name="testRows">The test rows.</param>
    /// <param name="source">What messages call the table.</param>
    /// <param name="table">The training rows.</param>
    static member Prepare
        (
            options: TableOptions,
            head: Head,
            encoding: TableEncoding,
            classes: string seq,
            testRows: TestRows,
            source: string,
            table: Table
        ) : Result<TableData<'T>, Fault list> =
        let known = struct (encoding, List.ofSeq classes)
        TableData.prepare options head (ValueSome known) testRows source table

    /// <summary>The figures of a table, or what is wrong with it. Missing values and columns that
    /// need a setting are no faults here.</summary>
    /// <param name="options">How a table becomes samples.</param>
    /// <param name="head">The network's head.</param>
    /// <param name="table">The rows.</param>
    static member Summarise
        (options: TableOptions, head: Head, table: Table)
        : Result<TableSummary, Fault list> =
        TableSummary.create options head table

    /// <summary>The rows of a table divided for a cross-validation, or everything that is wrong with them.</summary>
    /// <param name="options">How a table becomes samples.</param>
    /// <param name="head">The network's head.</param>
    /// <param name="rule">How rows are divided.</param>
    /// <param name="seed">The seed of the division.</param>
    /// <param name="folds">The number of folds, 2 or more.</param>
    /// <param name="table">The rows.</param>
    static member Divide
        (options: TableOptions, head: Head, rule: FoldRule, seed: uint64, folds: int, table: Table)
        : Result<TableFolds, Fault list> =
        TableFolds.create options head rule seed folds table

    /// <summary>The samples of a fold, with preprocessing that is fitted to its rows to learn from.</summary>
    /// <param name="division">The divided rows.</param>
    /// <param name="index">The fold, from 0.</param>
    /// <exception cref="T:System.ArgumentException">There is no such fold.</exception>
    static member FoldOf(division: TableFolds, index: int) : Result<FoldSamples<'T>, Fault list> =
        TableFolds.samples index division

    /// <summary>The columns of a table that are inputs: all but the label and those to leave out.</summary>
    /// <param name="options">How a table becomes samples.</param>
    /// <param name="table">The table.</param>
    static member Inputs(options: TableOptions, table: Table) : Result<Table, Fault list> =
        TableEncoding.inputs options table

    /// <summary>The column of a name, or of an index from 0.</summary>
    /// <param name="key">A name, apart from spaces around it; or an index, if no column has that name.</param>
    /// <param name="table">The table.</param>
    static member Find(key: string, table: Table) : Result<Column, Fault list> =
        Table.find key table

    /// <summary>A table without some of its columns, or the fault of a table without others.</summary>
    /// <param name="names">The columns' names.</param>
    /// <param name="table">The table.</param>
    static member Without(names: string seq, table: Table) : Result<Table, Fault list> =
        let names = Set.ofSeq names

        table
        |> Table.withColumns (
            table.Columns |> List.filter (fun column -> not (names.Contains column.Name))
        )

    /// <summary>The cells of a column as they are written; numbers in the shortest form, empty for a missing
    /// one.</summary>
    static member TextsOf(column: Column) : IReadOnlyList<string> = Cells.written column.Cells

    /// <summary>How columns become numbers, fitted to a table's rows: means, scales and categories.</summary>
    /// <param name="options">How a table becomes samples.</param>
    /// <param name="table">The training rows. The label's column is left out.</param>
    static member Fit(options: TableOptions, table: Table) : Result<TableEncoding, Fault list> =
        TableEncoding.fit options table

    /// <summary>How the rows of a table become inputs of a model.</summary>
    /// <param name="preprocessing">The model's.</param>
    /// <param name="cells">How cells are written; null if that is detected.</param>
    /// <param name="inputs">How many numbers the model takes.</param>
    /// <param name="table">The table.</param>
    static member EncodingOf
        (preprocessing: Preprocessing, cells: CellRules | null, inputs: int, table: Table)
        : Result<TableEncoding, Fault list> =
        let rules = cells |> ValueOption.ofObj |> ValueOption.defaultValue CellRules.Default

        Preprocessing.encodingOf preprocessing rules inputs table

    /// <summary>The inputs of a table's rows, or what is wrong with the rows.</summary>
    /// <param name="encoding">The encoding that was fitted to the training rows.</param>
    /// <param name="table">Any rows with its columns; other columns are left out.</param>
    /// <returns>(features, rows): one column a row.</returns>
    static member Encode(encoding: TableEncoding, table: Table) : Result<Matrix<'T>, Fault list> =
        TableEncoding.encode encoding table

    /// <summary>Samples of rows without labels, or what is wrong with the rows.</summary>
    /// <param name="encoding">The encoding that was fitted to the training rows.</param>
    /// <param name="outputs">The number of the network's outputs.</param>
    /// <param name="table">Any rows with its columns; other columns are left out.</param>
    static member Samples
        (encoding: TableEncoding, outputs: int, table: Table)
        : Result<Dataset<'T>, Fault list> =
        TableData.withoutLabels encoding outputs table

    /// <summary>The columns of a table and their use, in words.</summary>
    static member Describe(report: TableReport) : string = TableReport.describe report

/// Columns of categories that are embedded.
[<AbstractClass; Sealed>]
type EmbeddingLayers =
    /// <summary><c>Auto</c>, <c>column=size</c> for some columns, or both.</summary>
    static member Parse(texts: string seq) : Result<EmbeddedColumns, Fault list> =
        EmbeddedColumns.parse (List.ofSeq texts)

    /// <summary>The layer that embeds columns of a table. The result is null if no column is to be embedded, or a fault for
    /// each column that cannot be embedded.</summary>
    /// <param name="columns">The columns.</param>
    /// <param name="preprocessing">How samples become inputs.</param>
    static member Of
        (columns: EmbeddedColumns, preprocessing: Preprocessing)
        : Result<Layer | null, Fault list> =
        EmbeddedColumns.layerOf preprocessing columns |> Result.map ValueOption.toObj
