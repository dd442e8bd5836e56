/// CellFormat.fs, ColumnKind.fs, DecimalComma.fs: how cells are read.
module Pipeline.Properties.CellFormatLaws

open System
open System.Globalization
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables

let private choice = plainChoice

let private withRules decimal thousands =
    CellFormat.apply (CellRules.parse ValueNone decimal thousands |> orFail) CellFormat.Default

let private number format text =
    CellReader(format).Number text |> ValueOption.toOption

/// Twenty rows whose second column is a label of two classes.
let internal labelled (cells: string list) =
    table [
        "x", texts cells
        "label", texts (cells |> List.mapi (fun i _ -> [ "a"; "b" ][i % 2]))
    ]

let internal numbers count = [ for i in 1..count -> string (10 + i * i) ]

[<Theory>]
[<InlineData("1.5", 1.5)>]
[<InlineData("  +2 ", 2.0)>]
[<InlineData("\u22123", -3.0)>]
[<InlineData("\u00A04", 4.0)>]
[<InlineData("1e3", 1000.0)>]
[<InlineData(".5", 0.5)>]
[<InlineData("007", 7.0)>]
let ``a number has its value`` (text: string, expected: float) =
    Exactly.equal (Some expected) (number CellFormat.Default text)

let noNumbers: TheoryData<string> =
    TheoryData<string>(
        [
            "inf"
            "Infinity"
            "-Infinity"
            "1e400"
            "None"
            "-"
            "<NA>"
            "unknown"
            "1,020"
            "3O"
            "$5"
            "5%"
            "1.5 kg"
            "12:30"
            "2020-01-31"
            "0x1F"
            "1 020"
            "1_020"
            "(5)"
            "5-"
            "1\u00A0020"
            "\uFF11\uFF12"
            "12\000"
            "1.2.3"
        ]
    )

[<Theory>]
[<MemberData(nameof noNumbers)>]
let ``a cell that is no number among numbers is refused with its line, its text and the count``
    (odd: string)
    =
    let cells = numbers 11 @ [ odd ] @ numbers 8

    TableEncoding.fit choice (labelled cells |> Table.withLineNumbers [| 2..21 |])
    |> Exactly.faulted [
        "column x, line 13: expected a number"
        "19 of the column's 20 cells"
        "Data:Categorical"
        "Data:MissingValues"
        $"found '{odd}'."
    ]

[<Fact>]
let ``a number among texts is refused with its line, its text and the count`` () =
    let words = [ for i in 0..19 -> string ("abcdefghij"[i % 10]) ]

    TableEncoding.fit choice (labelled (words[..18] @ [ "12" ]))
    |> Exactly.faulted [ "column x, row 20"; "19 of the column's 20 cells"; "found '12'" ]

    let encoding = TableEncoding.fit choice (labelled words) |> orFail
    Exactly.equal 10 encoding.Categories.Head.Values.Length

[<Fact>]
let ``a setting says what an odd cell or its column is`` () =
    let cells = numbers 19 @ [ "-" ]

    let fit choice =
        TableEncoding.fit choice (labelled cells) |> orFail

    let missing = CellRules.parse (ValueSome [ "-" ]) ValueNone ValueNone |> orFail

    let encoding =
        fit {
            choice with
                Cells = missing
                Missing = Missing.Median
        }

    Exactly.equal [ "x" ] (encoding.Numbers |> List.map _.Name)
    Exactly.equal 20 (fit { choice with Categorical = [ "x" ] }).Categories.Head.Values.Length

[<Theory>]
[<InlineData("${0}.5")>]
[<InlineData("{0}%")>]
[<InlineData("{0}.5 kg")>]
[<InlineData("12:{0}")>]
[<InlineData("2020-01-{0}")>]
[<InlineData("0x{0}")>]
[<InlineData("1,0{0}")>]
[<InlineData("\uFF11{0}")>]
let ``a column of texts that look like numbers is refused, or named in a warning if they are few``
    (pattern: string)
    =
    let cells count = [
        for i in 0..39 -> String.Format(CultureInfo.InvariantCulture, pattern, 10 + i % count)
    ]

    TableEncoding.fit choice (labelled (cells 20))
    |> Exactly.faulted [ "column x, row 1: expected a number, or"; "39 cells more" ]

    let data = prepared choice (labelled (cells 4)) |> orFail

    Assert.Contains(
        data.Report.Warnings,
        fun sentence -> sentence.Contains "Column x" && sentence.Contains "look like numbers"
    )

[<Fact>]
let ``texts that are almost all different are no categories`` () =
    let names = [ for i in 1..30 -> $"name {i}" ]

    TableEncoding.fit choice (labelled names)
    |> Exactly.faulted [ "column x"; "30 different texts in 30 rows"; "Data:Ignored" ]

    TableEncoding.fit { choice with Categorical = [ "x" ] } (labelled names)
    |> orFail
    |> ignore

let private written (decimal: string) (thousands: string) (number: float) =
    let format = NumberFormatInfo()
    format.NumberDecimalSeparator <- decimal
    format.NumberGroupSeparator <- thousands
    number.ToString("#,##0.0#####", format)

[<Law>]
let ``a number is read as it was written, whatever its separators`` (hundredths: int) =
    let value = float hundredths / 100.0

    for decimal, thousands in [ ".", ","; ",", "."; ".", " "; ",", "'"; ",", "\u00A0" ] do
        let setting = if thousands = "\u00A0" then " " else thousands
        let format = withRules (ValueSome decimal) (ValueSome setting)
        let text = written decimal thousands value
        Exactly.equal (Some value) (number format text)
        // Groups may be left out.
        Exactly.equal (Some value) (number format (text.Replace(thousands, "")))

[<Theory>]
[<InlineData("1,02")>]
[<InlineData("1,0200")>]
[<InlineData(",020")>]
[<InlineData("1,,020")>]
[<InlineData("1020,020")>]
[<InlineData("1.5,000")>]
[<InlineData("0,804")>]
[<InlineData("-0,804")>]
[<InlineData("00,804")>]
[<InlineData("000,804,100")>]
[<InlineData("0,804.5")>]
let ``separators of thousands make groups of three digits or are refused`` (text: string) =
    Exactly.equal None (number (withRules ValueNone (ValueSome ",")) text)

[<Theory>]
[<InlineData("0,804")>]
[<InlineData("-0,804")>]
[<InlineData("+0,125")>]
let ``a comma behind a lone zero is a decimal comma alone`` (text: string) =
    Exactly.equal
        [ "Data:DecimalSeparator \",\"" ]
        (ColumnKind.separatorsFor CellFormat.Default text)

[<Law>]
let ``a table with decimal commas is the table with decimal points`` (hundredths: int list) =
    let values = 1.25 :: [ for n in hundredths -> float n / 100.0 ]

    let text (decimal: string) (x: float) =
        x.ToString("0.00", CultureInfo.InvariantCulture).Replace(".", decimal)

    let rows decimal =
        labelled [ for x in values -> text decimal x ]

    let encoding decimal =
        TableEncoding.fit choice (rows decimal) |> orFail

    let encoded decimal : Matrix<float> =
        TableEncoding.encode (encoding decimal) (rows decimal) |> orFail

    Exactly.bits ((encoded ".").ToColumnMajorArray()) ((encoded ",").ToColumnMajorArray())

    // The model keeps it.
    match
        Preprocessing.Table(encoding ",")
        |> Preprocessing.toJson
        |> Preprocessing.ofJson
    with
    | Ok(Preprocessing.Table back) -> Exactly.equal (encoding ",").Format back.Format
    | other -> failwith $"expected a table, found {other}"

[<Fact>]
let ``a comma that may separate thousands is not taken for a decimal comma, nor one beside points``
    ()
    =
    for cells in [ [ for i in 10..29 -> $"1,0{i}" ]; numbers 18 @ [ "1,5"; "2.5" ] ] do
        TableEncoding.fit choice (labelled cells)
        |> Exactly.faulted [ "Data:DecimalSeparator" ]

    // Beside a column with points another's commas stay what they are.
    table [
        "x", texts [ for i in 1..20 -> $"{i},5" ]
        "y", texts [ for i in 1..20 -> $"{i}.5" ]
        "label", texts [ for i in 1..20 -> [ "a"; "b" ][i % 2] ]
    ]
    |> TableEncoding.fit choice
    |> Exactly.faulted [ "column x"; "Data:DecimalSeparator" ]

[<Fact>]
let ``numbers with points are read by a model of decimal commas where no other reading is possible``
    ()
    =
    let format = withRules (ValueSome ",") ValueNone
    Exactly.equal (Some 50.5) (number format "50.5")
    Exactly.equal (Some 0.125) (number format "0.125")
    Exactly.equal None (number format "1.020")
    Exactly.equal None (number format "1.5,2")

[<Fact>]
let ``a model of decimal commas refuses rows of points beside a comma that may separate thousands``
    ()
    =
    let encoding =
        TableEncoding.fit choice (labelled [ for i in 1..20 -> $"{i},5" ]) |> orFail

    let encode cells : Result<Matrix<float>, Fault list> =
        TableEncoding.encode encoding (labelled cells)

    Exactly.faulted
        [ "column x, row 2"; "'1,234'"; "'950.5' in column x, row 1" ]
        (encode [ "950.5"; "1,234" ])

    for cells, numbers in
        [
            [ "950.5"; "0.25" ], [ 950.5; 0.25 ]
            [ "950,5"; "1,234" ], [ 950.5; 1.234 ]
            // No thousands: each of them can be read in one way.
            [ "950.5"; "1,5" ], [ 950.5; 1.5 ]
        ] do
        let plain =
            TableEncoding.encode
                encoding
                (labelled [ for x in numbers -> string x |> _.Replace('.', ',') ])

        Exactly.bits
            ((orFail plain: Matrix<float>).ToColumnMajorArray())
            ((orFail (encode cells)).ToColumnMajorArray())

[<Fact>]
let ``markers of missing values are compared by text and by number, whatever the case`` () =
    let reader =
        CellReader {
            CellFormat.Default with
                MissingValues = [ "-999"; "none" ]
        }

    for text in [ ""; " "; "None"; " NONE "; "-999"; "-999.0"; Unchecked.defaultof<string> ] do
        Exactly.equal CellValue.Missing (reader.Read text)

    Exactly.equal CellValue.Other (reader.Read "NA")
    Assert.True(reader.IsMissing(-999.0))
    Assert.False(reader.IsMissing 999.0)

[<Fact>]
let ``a null text is a missing value`` () =
    let rows =
        table [
            "x", Cells.Texts [| "1"; Unchecked.defaultof<string> |]
            "label", texts [ "a"; "b" ]
        ]

    TableEncoding.fit choice rows
    |> Exactly.faulted [ "column x, row 2"; "found nothing" ]

    Exactly.equal [| "1"; "" |] (Cells.texts rows.Columns.Head.Cells)

[<Theory>]
[<InlineData(".", ".")>]
[<InlineData(",", ",")>]
[<InlineData(";", null)>]
[<InlineData("", null)>]
[<InlineData("..", null)>]
[<InlineData(null, "_")>]
let ``unknown separators, and the same one twice, are refused``
    (decimal: string, thousands: string)
    =
    let optional (text: string) =
        if isNull (box text) then ValueNone else ValueSome text

    CellRules.parse ValueNone (optional decimal) (optional thousands)
    |> Exactly.faulted [ "Separator" ]

/// Texts that count how often each of them is asked for.
type private CountedTexts(values: string[]) =
    let asked: int[] = Array.zeroCreate values.Length
    member _.Most = Array.max asked

    interface System.Collections.Generic.IReadOnlyList<string> with
        member _.Count = values.Length

        member _.Item
            with get row =
                asked[row] <- asked[row] + 1
                values[row]

        member texts.GetEnumerator() : System.Collections.Generic.IEnumerator<string> =
            let list = texts :> System.Collections.Generic.IReadOnlyList<string>
            (seq { for row in 0 .. values.Length - 1 -> list[row] }).GetEnumerator()

        member texts.GetEnumerator() : System.Collections.IEnumerator =
            (texts :> System.Collections.Generic.IEnumerable<string>).GetEnumerator()
            :> System.Collections.IEnumerator

[<Fact>]
let ``a cell of a column of numbers is read once, and twice more where its text matters`` () =
    let count = 1000
    let cells = CountedTexts [| for i in 1..count -> string (float (i * i) / 4.0) |]

    let gaps =
        CountedTexts [| for i in 1..count -> if i % 9 = 5 then "NA" else string (i * i) |]

    let rows =
        table [
            "x", Cells.Texts cells
            "y", Cells.Texts gaps
            "label", texts [ for i in 1..count -> [ "a"; "b" ][i % 2] ]
        ]

    let data: TableData<float> =
        rows
        |> TableData.prepare
            { choice with Missing = Missing.Mean }
            Head.Softmax
            ValueNone
            (TestRows.Fraction(0.2, 1UL))
            ""
        |> orFail

    Exactly.equal 111 (data.Report.Missing |> List.sumBy _.Count)
    Assert.InRange(cells.Most, 1, 3)
    Assert.InRange(gaps.Most, 1, 3)
