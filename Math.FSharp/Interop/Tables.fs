namespace Pipeline.Learning.Interop

open System
open System.Collections.Generic
open System.Diagnostics.CodeAnalysis
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

    /// <summary>A table of columns, or faults.</summary>
    static member Create(columns: Column seq) : Result<Table, Fault list> = Table.create columns

    /// <summary>The table, its rows named by their lines in a file.</summary>
    static member AtLines(lines: int[], table: Table) : Table = Table.atLines lines table

    /// <summary>The table, its columns named by their places: 0, 1, 2, …</summary>
    static member ByPlace(table: Table) : Table = Table.byPlace table

    /// <summary>The table in an array of one or two dimensions.</summary>
    static member OfTensor(tensor: Tensor) : Result<Table, Fault list> = Table.ofTensor tensor

    /// <summary>Whether a first row holds names, decided from all rows.</summary>
    /// <param name="columns">The cells of each column, the first row's first.</param>
    static member FirstRow(columns: IReadOnlyList<string> seq) : FirstRow = FirstRow.tell columns

    /// <summary>How cells are written, or every fault.</summary>
    /// <param name="missing">Texts that mean a missing value; null for the usual ones.</param>
    /// <param name="decimal">What separates fractions; null if it is detected.</param>
    /// <param name="thousands">What separates thousands; null for the usual.</param>
    static member Cells
        (missing: string seq | null, decimal: string | null, thousands: string | null)
        : Result<CellRules, Fault list> =
        CellFormat.parseRules
            (missing |> ValueOption.ofObj |> ValueOption.map List.ofSeq)
            (ValueOption.ofObj decimal)
            (ValueOption.ofObj thousands)

    /// <summary>How a table becomes samples.</summary>
    /// <param name="label">The label's column, by name or place; null for the last one.</param>
    /// <param name="numeric">Columns of numbers.</param>
    /// <param name="categorical">Columns of categories.</param>
    /// <param name="ignored">Columns to leave out.</param>
    /// <param name="cells">How cells are written.</param>
    /// <param name="missing">What replaces missing cells.</param>
    /// <param name="scaling">How numbers are scaled.</param>
    static member Options
        (
            label: string | null,
            numeric: string seq,
            categorical: string seq,
            ignored: string seq,
            cells: CellRules,
            missing: Missing,
            scaling: Scaling
        ) : TableOptions = {
        Label = ValueOption.ofObj label
        Numeric = List.ofSeq numeric
        Categorical = List.ofSeq categorical
        Ignored = List.ofSeq ignored
        Cells = cells
        Missing = missing
        Scaling = scaling
    }

    /// <summary>Training and test samples of tables, encoded as fits the training rows.</summary>
    /// <param name="options">How a table becomes samples.</param>
    /// <param name="head">The network's head.</param>
    /// <param name="testing">The test rows.</param>
    /// <param name="source">What messages call the table.</param>
    /// <param name="table">The training rows.</param>
    static member Prepare
        (options: TableOptions, head: Head, testing: TestRows, source: string, table: Table)
        : Result<TableData<'T>, Fault list> =
        TableData.prepare options head ValueNone testing source table

    /// <summary>The same, with the encoding and classes of a model.</summary>
    /// <param name="options">How a table becomes samples.</param>
    /// <param name="head">The model's head.</param>
    /// <param name="encoding">The model's encoding.</param>
    /// <param name="classes">The model's classes; empty to take those of the label.</param>
    /// <param name="testing">The test rows.</param>
    /// <param name="source">What messages call the table.</param>
    /// <param name="table">The training rows.</param>
    static member Prepare
        (
            options: TableOptions,
            head: Head,
            encoding: TableEncoding,
            classes: string seq,
            testing: TestRows,
            source: string,
            table: Table
        ) : Result<TableData<'T>, Fault list> =
        let known = struct (encoding, List.ofSeq classes)
        TableData.prepare options head (ValueSome known) testing source table

    /// <summary>The columns of a table that are inputs.</summary>
    static member Inputs(options: TableOptions, table: Table) : Result<Table, Fault list> =
        TableEncoding.inputs options table

    /// <summary>How the rows of a table become inputs of a model.</summary>
    /// <param name="preprocessing">The model's.</param>
    /// <param name="cells">How cells are written; null if that is detected.</param>
    /// <param name="inputs">How many numbers the model takes.</param>
    /// <param name="table">The table.</param>
    static member EncodingOf
        (preprocessing: Preprocessing, cells: CellRules | null, inputs: int, table: Table)
        : Result<TableEncoding, Fault list> =
        let rules =
            cells |> ValueOption.ofObj |> ValueOption.defaultValue CellFormat.anyRules

        Preprocessing.encodingOf preprocessing rules inputs table

    /// <summary>The inputs of a table's rows: (features, rows).</summary>
    static member Encode(encoding: TableEncoding, table: Table) : Result<Matrix<'T>, Fault list> =
        TableEncoding.encode encoding table

    /// <summary>The columns of a table and their use, in words.</summary>
    static member Describe(report: TableReport) : string = TableReport.describe report
