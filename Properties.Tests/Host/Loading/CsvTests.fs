namespace Pipeline.Properties.Host

open System
open System.Text
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit
open FsCheck
open FsCheck.FSharp

/// When a writer puts quotes around a cell.
type Quoting =
    | Minimal
    | All
    | AtRandom of seed: int

/// A table whose cells are as nasty as cells can be, and how a writer writes it.
type WrittenTable = {
    Rows: string[][]
    Separator: string
    LineEnd: string
    EndsWithLine: bool
    Quoting: Quoting
} with

    /// The text that a writer which quotes what needs it makes of the table.
    member written.Text =
        let mayQuote =
            match written.Quoting with
            | AtRandom seed ->
                let random = Random seed
                fun () -> random.Next 2 = 0
            | All -> fun () -> true
            | Minimal -> fun () -> false

        let cell (text: string) =
            let needsQuotes =
                text.Contains written.Separator
                || text.IndexOfAny [| '"'; '\r'; '\n' |] >= 0
                // An empty line is no row.
                || (written.Rows[0].Length = 1 && text.Trim() = "")

            if needsQuotes || mayQuote () then
                "\"" + text.Replace("\"", "\"\"") + "\""
            else
                text

        let lines =
            written.Rows
            |> Array.map (fun row -> row |> Array.map cell |> String.concat written.Separator)

        String.concat written.LineEnd lines
        + (if written.EndsWithLine then written.LineEnd else "")

    override written.ToString() =
        let line = written.LineEnd.Replace("\r", "CR").Replace("\n", "LF")
        $"'{written.Separator}' {line} {written.Quoting} {written.EndsWithLine}: %A{written.Rows}"

type WrittenTables =
    static member WrittenTable() : Arbitrary<WrittenTable> =
        let nasty =
            Gen.elements [
                ""
                " "
                "  a "
                "#"
                "# a"
                "#ff0000"
                "\""
                "\"\""
                "a\"b"
                " \"a\""
                ","
                "a,b"
                ";"
                "|"
                "\t"
                "\n"
                "\r"
                "\r\n"
                "a\nb\r\nc\rd"
                "\n#x"
                "\uFEFF"
                "\uFEFFa"
                "é 漢 🙂"
                "\u2028"
                "\u0085"
                "007"
                "1.50"
                "-1e-3"
                "NaN"
                "NA"
                "?"
                "'"
                "\\"
                "\\n"
                "sep=;"
                "=1+1"
                "::"
                String('x', 70_000)
            ]

        let cell =
            Gen.frequency [
                5, nasty
                3, Gen.choose (-99, 99) |> Gen.map string
                2,
                Gen.listOf (Gen.elements [ 'a'; ' '; ','; '"'; '\n'; '#'; ';'; '\t'; 'é' ])
                |> Gen.map (fun chars -> String(Array.ofList chars))
            ]

        let shrink (written: WrittenTable) = seq {
            for row in 0 .. written.Rows.Length - 1 do
                if written.Rows.Length > 1 then
                    {
                        written with
                            Rows = Array.removeAt row written.Rows
                    }

            for column in 0 .. written.Rows[0].Length - 1 do
                if written.Rows[0].Length > 1 then
                    {
                        written with
                            Rows = written.Rows |> Array.map (Array.removeAt column)
                    }

                for row in 0 .. written.Rows.Length - 1 do
                    if written.Rows[row][column] <> "a" then
                        {
                            written with
                                Rows =
                                    written.Rows
                                    |> Array.updateAt
                                        row
                                        (written.Rows[row] |> Array.updateAt column "a")
                        }
        }

        Arb.fromGenShrink (
            gen {
                let! columns = Gen.choose (1, 5)
                let! rows = Gen.choose (1, 8)
                let! cells = cell |> Gen.arrayOfLength columns |> Gen.arrayOfLength rows
                let! separator = Gen.elements [ ","; ";"; "\t"; "|"; " "; ":"; "::"; "¦"; "\u001f" ]
                let! lineEnd = Gen.elements [ "\n"; "\r\n"; "\r" ]
                let! ends = Gen.elements [ true; false ]
                let! seed = Gen.choose (0, 1_000_000)
                let! quoting = Gen.elements [ Minimal; All; AtRandom seed ]

                return {
                    Rows = cells
                    Separator = separator
                    LineEnd = lineEnd
                    EndsWithLine = ends
                    Quoting = quoting
                }
            },
            shrink
        )

/// Separated values, read back as they were written, or refused with their line.
module CsvTests =
    let private parse (layout: CsvLayout) (bytes: byte[]) =
        CsvFile.Parse(ReadOnlyMemory bytes, layout, "x.csv")

    let private csv layout (text: string) =
        parse layout (Encoding.UTF8.GetBytes text)

    let private usual = CsvLayout()
    let private plain = CsvLayout(HasHeader = Nullable false)

    /// The rows of a table, as they are written.
    let private rows (table: Table) =
        let columns =
            table.Columns
            |> List.map (fun column ->
                match column.Cells with
                | Cells.Texts texts -> texts
                | _ -> failwith "expected texts")

        Array.init table.Rows (fun row -> [| for texts in columns -> texts[row] |])

    let private names (table: Table) = table.Columns |> List.map _.Name

    let private places (table: Table) = List.init table.Rows table.PlaceOf

    /// A mark at the beginning of a file is none of its text.
    let private bytes (written: WrittenTable) =
        Array.append [| 0xEFuy; 0xBBuy; 0xBFuy |] (Encoding.UTF8.GetBytes written.Text)

    [<Law(Arbitrary = [| typeof<WrittenTables> |])>]
    let ``whatever a writer that quotes writes is read back cell by cell`` (written: WrittenTable) =
        // The first line is not one for Excel.
        if not (written.Text.StartsWith "sep=" || written.Text.StartsWith "\"sep=") then
            let layout = CsvLayout(HasHeader = Nullable false, Separator = written.Separator)
            Exactly.equal written.Rows (rows (parse layout (bytes written)))

    [<Law(Arbitrary = [| typeof<WrittenTables> |])>]
    let ``where the separator and the header are found out, the cells are those written, or nothing is read``
        (written: WrittenTable)
        =
        let isUsual = List.contains written.Separator [ ","; ";"; "\t"; "|" ]

        if isUsual && written.Rows[0].Length > 1 && not (written.Text.Contains "sep=") then
            match
                try
                    Ok(parse usual (bytes written))
                with :? RefusedException as refused ->
                    Error refused.Reasons
            with
            | Error reasons -> Assert.NotEmpty reasons
            | Ok table ->
                let first = written.Rows.Length - table.Rows
                Assert.InRange(first, 0, 1)

                // A column without a name and without cells comes from separators at the ends of lines.
                let isThere column =
                    first = 0
                    || (written.Rows[0][column]).Trim() <> ""
                    || written.Rows[1..] |> Array.exists (fun row -> row[column] <> "")

                let kept =
                    written.Rows
                    |> Array.map (fun row ->
                        row |> Array.indexed |> Array.filter (fst >> isThere) |> Array.map snd)

                Exactly.equal kept[first..] (rows table)

                if first = 1 then
                    for name, column in Seq.zip kept[0] table.Columns do
                        if name.Trim() <> "" then
                            Exactly.equal name column.Name

    [<Law(Arbitrary = [| typeof<WrittenTables> |])>]
    let ``a row is on the line that counts the line ends before it`` (written: WrittenTable) =
        if not (written.Text.Contains "sep=") then
            let layout = CsvLayout(HasHeader = Nullable false, Separator = written.Separator)
            let table = parse layout (bytes written)

            let before row =
                {
                    written with
                        Rows = written.Rows[.. row - 1]
                        EndsWithLine = true
                        Quoting = All
                }
                    .Text.Replace("\r\n", "\n")
                    .Replace('\r', '\n')
                |> Seq.filter ((=) '\n')
                |> Seq.length

            for row in 0 .. table.Rows - 1 do
                let lines = if row = 0 then 0 else before row
                Exactly.equal $"line {lines + 1}" (table.PlaceOf row)

    [<Fact>]
    let ``lines that begin with # are rows and headers like others`` () =
        Exactly.equal [| [| "#a"; "1" |]; [| "b"; "2" |] |] (rows (csv usual "code,x\n#a,1\nb,2\n"))

        Exactly.equal [ "# a"; "b" ] (names (csv usual "# a,b\n1,2\n3,4\n"))

    [<Theory>]
    [<InlineData("a,b,c\n1,2\"x,3\n")>]
    [<InlineData("a,b,c\n1,2 \"x\" y,3\n")>]
    let ``a quote inside a cell that does not begin with one stands for itself`` (text: string) =
        let table = rows (csv usual text)
        Assert.Contains("\"x", table[0][1])

    [<Theory>]
    [<InlineData("a,b\n1,2\n\"3\"x,4\n",
                 "line 3: expected a separator (comma) or the line's end after the closing quote of a cell, found 'x'")>]
    [<InlineData("a,b\n1,\"2\n3,4\n5\"6,7\n",
                 "line 4: expected a separator (comma) or the line's end after the closing quote of a cell, which begins on line 2, found '6'")>]
    [<InlineData("a,b\n1,2\n\"3,4\n5,6\n",
                 "line 3: expected an end of the cell that begins with a quote, found none")>]
    [<InlineData("a,b\n1, \"2\"\n",
                 "line 2: expected a quote at the beginning of its cell, found spaces before the quote")>]
    [<InlineData("a,b\n1,2\n3\n4,5,6\n", "line 3: expected 2 cells, as in line 1, found 1")>]
    [<InlineData("a,b\n1,2\n3\n4,5,6\n", "line 4: expected 2 cells, as in line 1, found 3")>]
    [<InlineData("a,b\n1,2\n3\n4,5\n6,7\n8,9\n", "line 3: expected 2 cells, as in line 1, found 1")>]
    [<InlineData("178,13,a\n1,2\n3,4\n5,6\n",
                 "line 1: expected 2 cells, as in the lines from 2 on (Data:Skip 1 leaves out what is above them), found 3")>]
    [<InlineData("A report\nof today\n\na,b\n1,2\n3,4\n",
                 "line 1: expected 2 cells, as in the lines from 4 on (Data:Skip 3 leaves out what is above them), found 1")>]
    [<InlineData("3,2,a,b\n1,2,0,5\n3,4,1,6\n5,6,0,7\n", "found 3, 2, a, b, which can be either")>]
    [<InlineData("3,3,a,b\n1,2,0,5\n3,4,1,6\n5,6,0,7\n",
                 "line 1: expected names or cells, found the counts of 3 rows and 3 inputs (Data:Skip 1 leaves the line out)")>]
    [<InlineData("0,1,2\n5,7,4\n3,8,1\n",
                 "line 1: expected Data:Header true where these are names, false where they are a row")>]
    [<InlineData("a,b,a\n1,2,3\n", "line 1, column a: expected a name once")>]
    [<InlineData("a,b\n", "line 1: expected rows below the names of the first row")>]
    [<InlineData("", "x.csv: expected rows of cells, found none")>]
    [<InlineData("\n\n", "x.csv: expected rows of cells, found none")>]
    [<InlineData("1,2;3\n4,5;6\n", "comma and semicolon, which fit alike")>]
    [<InlineData("18.0   8   307.0\n15.0   8   350.0\n",
                 "Data:Separator to name another separator (whitespace for runs of spaces), found numbers separated by spaces")>]
    [<InlineData("18.0   8   307.0\t\"a b\"\n15.0   8   350.0\t\"c\"\n",
                 "found numbers separated by spaces")>]
    [<InlineData("length kind\n5.1 a\n4.9 b\n", "found numbers separated by spaces")>]
    let ``what is no table is refused with its line`` (text: string, says: string) =
        Assert.Contains(says, refusal (fun () -> csv usual text))

    [<Fact>]
    let ``empty lines are no rows; in a table of one column they are empty cells, unless nothing follows``
        ()
        =
        let table = csv usual "\na,b\n\n1,2\n  \n3,4\n\n\n"
        Exactly.equal [| [| "1"; "2" |]; [| "3"; "4" |] |] (rows table)
        Exactly.equal [ "line 4"; "line 6" ] (places table)
        let table = csv plain "1\n\n\n2\n\n"
        Exactly.equal [| [| "1" |]; [| "" |]; [| "" |]; [| "2" |] |] (rows table)
        Exactly.equal [ "line 1"; "line 2"; "line 3"; "line 4" ] (places table)
        Exactly.equal [| [| "1"; "" |]; [| ""; "" |] |] (rows (csv plain "1,\n,\n"))

    [<Fact>]
    let ``separators inside quotes are no separators, and other usual ones in a header mislead nobody``
        ()
        =
        let table = csv usual "\"c0\",\"x|y1\",\"k|l|m;n2\"\n1,2,3\n4,5,6\n"
        Exactly.equal [ "c0"; "x|y1"; "k|l|m;n2" ] (names table)
        Exactly.equal [ "a"; "b (kg|lb)" ] (names (csv usual "a,b (kg|lb)\n1,2\n"))
        Exactly.equal [| [| "1,5"; "2,5" |] |] (rows (csv usual "a;b\n1,5;2,5\n"))

    [<Fact>]
    let ``a separator is named by a setting, or by Excel's first line`` () =
        let read separator text =
            rows (csv (CsvLayout(HasHeader = Nullable false, Separator = separator)) text)

        Exactly.equal [| [| "1,5"; "2,5" |] |] (read ";" "1,5;2,5\n")
        Exactly.equal [| [| "1"; "2" |] |] (read "TAB" "1\t2\n")
        Exactly.equal [| [| "1"; "2" |] |] (read "\\t" "1\t2\n")
        Exactly.equal [| [| "1"; "2"; "3" |] |] (read "::" "1::2::3\n")

        Exactly.equal
            [| [| "18.0"; "8"; "a b" |]; [| "1"; "2"; "c" |] |]
            (read "whitespace" "  18.0   8\t\"a b\"  \n \n1 2 c\n")

        let table = csv plain "sep=;\r\n1,5;2,5\r\n"
        Exactly.equal [| [| "1,5"; "2,5" |] |] (rows table)
        Exactly.equal [ "line 2" ] (places table)

        for wrong in [ ""; "\""; "\n"; "a\"" ] do
            Assert.Null(CsvDialect.Parse wrong)

    [<Fact>]
    let ``separators at the ends of all lines make no column`` () =
        let table = csv usual "a,b,,\n1,2,,\n3,4,,\n"
        Exactly.equal [ "a"; "b" ] (names table)
        Exactly.equal [| [| "1"; "2" |]; [| "3"; "4" |] |] (rows table)
        // A column with a name, or with a cell, is one.
        Exactly.equal [ "a"; "b" ] (names (csv usual "a,b\n1,\n3,\n"))
        Exactly.equal [ "a"; "Unnamed: 1" ] (names (csv usual "a,\n1,\n3,x\n"))

    [<Fact>]
    let ``a first row with all the names that are looked for is a header, whatever is below`` () =
        let text = "no,yes\nno,no\nyes,yes\n"
        Assert.Equal(3, (csv usual text).Rows)
        let known = csv (CsvLayout(Known = [| "yes"; "no" |])) text
        Exactly.equal [ "no"; "yes" ] (names known)
        // Places are no names.
        Assert.Equal(2, (csv (CsvLayout(Known = [| "0"; "1" |])) "0,1\n5,6\n").Rows)
        Assert.Equal(3, (csv (CsvLayout(Known = [| "a"; "no" |])) text).Rows)
        // Columns without a name are called as pandas calls them.
        Exactly.equal
            [ "Unnamed: 0"; "a"; "Unnamed: 2" ]
            (names (csv usual ",a,\n0,5,x\n1,6,y\n2,7,x\n"))

    let private encodings: (string * Encoding) list = [
        "utf-8", UTF8Encoding true
        "utf-16", UnicodeEncoding(false, true)
        "utf-16BE", UnicodeEncoding(true, true)
        "utf-32", UTF32Encoding(false, true)
        "utf-32BE", UTF32Encoding(true, true)
    ]

    [<Law(Arbitrary = [| typeof<WrittenTables> |])>]
    let ``a byte order mark tells the encoding, and is no part of the text``
        (written: WrittenTable)
        =
        let layout = CsvLayout(HasHeader = Nullable false, Separator = written.Separator)

        if not (written.Text.Contains "sep=") then
            for name, encoding in encodings do
                let marked = Array.append (encoding.GetPreamble()) (encoding.GetBytes written.Text)

                Exactly.equal written.Rows (rows (parse layout marked))

                // Without the mark the setting tells.
                if not (written.Text.StartsWith '\uFEFF') then
                    let layout =
                        CsvLayout(
                            HasHeader = Nullable false,
                            Separator = written.Separator,
                            Encoding = name
                        )

                    Exactly.equal
                        written.Rows
                        (rows (parse layout (encoding.GetBytes written.Text)))

    [<Fact>]
    let ``text of another encoding is refused with its line, and read where a setting names it``
        ()
        =
        let text = "name,x\nMaller,1\nMöller,2\nMüller,3\n"

        for name in [ "latin1"; "windows-1252"; "ISO-8859-15"; "ibm850"; "macintosh" ] do
            let layout = CsvLayout(Encoding = name)
            Assert.True(TextFile.IsEncoding name)
            let bytes = (CodePagesEncodingProvider.Instance.GetEncoding name) |> Option.ofObj

            let bytes =
                (bytes |> Option.defaultWith (fun () -> Encoding.GetEncoding name)).GetBytes text

            Exactly.equal
                [ "Maller"; "Möller"; "Müller" ]
                (rows (parse layout bytes) |> Array.map Array.head |> List.ofArray)

            let said = refusal (fun () -> parse usual bytes)
            Assert.Contains("x.csv, line 3: expected text in UTF-8", said)
            Assert.Contains("Data:Encoding", said)

        Assert.False(TextFile.IsEncoding "klingon")
        let utf16 = Encoding.Unicode.GetBytes text
        Assert.Contains("x.csv, line 1", refusal (fun () -> parse usual utf16))
        Assert.Contains("utf-16", refusal (fun () -> parse usual utf16))

        // Half a character, and one that the encoding lacks.
        let layout = CsvLayout(Encoding = "utf-16")
        let odd = Array.append utf16 [| 0uy |]
        Assert.Contains("expected text in utf-16", refusal (fun () -> parse layout odd))
        let ascii = CsvLayout(Encoding = "us-ascii")

        Assert.Contains(
            "x.csv, line 3: expected text in us-ascii, found the bytes C3",
            refusal (fun () -> parse ascii (Encoding.UTF8.GetBytes text))
        )

    [<Fact>]
    let ``a zero byte is refused with its line, and the end mark of MS-DOS is no text`` () =
        Assert.Contains("line 3", refusal (fun () -> csv usual "a,b\n1,2\n3,\000\n"))
        Assert.Contains("line 4", refusal (fun () -> csv usual "a,b\n1,2\n3,4\n\000\000\000"))
        Exactly.equal [| [| "1"; "2" |] |] (rows (csv plain "1,2\r\n\026"))

    [<Theory>]
    [<InlineData("504B0304140000", "a ZIP archive, as an Excel workbook is")>]
    [<InlineData("1F8B0800000000", "a gzip stream")>]
    [<InlineData("D0CF11E0A1B11AE1", "an old Excel workbook")>]
    [<InlineData("504152310000000050415231", "Parquet")>]
    let ``a file of another format is told by its bytes, whatever its name``
        (bytes: string, format: string)
        =
        for layout in [ usual; CsvLayout(Encoding = "latin1") ] do
            Assert.StartsWith(
                $"x.csv: expected a text file, found {format}",
                refusal (fun () -> parse layout (Convert.FromHexString bytes))
            )

    [<Fact>]
    let ``a column may be called PAR1`` () =
        Exactly.equal 1 (rows (csv usual "PAR1,b\n1,2\n")).Length
