namespace Pipeline.Properties.Host

open System
open System.Globalization
open System.Text
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit
open FsCheck
open FsCheck.FSharp

/// A text that is a number, or nearly one.
type NumberLike = NumberLike of string

type NumberLikes =
    static member NumberLike() : Arbitrary<NumberLike> =
        let digits most =
            Gen.choose (0, most)
            |> Gen.bind (fun count -> Gen.listOfLength count (Gen.choose (0, 9)))
            |> Gen.map (List.map string >> String.concat "")

        let assembled = gen {
            let! before =
                Gen.frequency [ 9, Gen.constant ""; 1, Gen.elements [ " "; "0"; "00" ] ]

            let! sign =
                Gen.frequency [
                    5, Gen.constant ""
                    4, Gen.constant "-"
                    1, Gen.elements [ "+"; "−"; "--" ]
                ]

            let! whole = digits 9

            let! point =
                Gen.frequency [
                    6, Gen.constant "."
                    3, Gen.constant ""
                    1, Gen.elements [ ","; ".." ]
                ]

            let! fraction = digits 9

            let! after =
                Gen.frequency [
                    8, Gen.constant ""
                    2, Gen.elements [ "e5"; "E-05"; "e-05"; "e400"; "e"; " "; "\000"; "x"; "," ]
                ]

            return before + sign + whole + point + fraction + after
        }

        let others =
            Gen.elements [
                "-0"
                "-0.0"
                "0"
                "00"
                "007"
                "0.1"
                ".5"
                "5."
                "-"
                "."
                "-."
                "1,020"
                "1 020"
                "123456789012345"
                "1234567890123456"
                "0.12345678901234567"
                "12345678901234567890"
                "9007199254740993"
                "99999999.9999999"
                "1234567"
                "-1234567"
                "123456.7"
                "-12345678"
                "NaN"
                "Infinity"
            ]

        Gen.frequency [ 8, assembled; 1, others; 1, Gen.map string (Gen.choose (-300, 300)) ]
        |> Gen.filter (fun text -> text <> "")
        |> Gen.map NumberLike
        |> Arb.fromGen

/// DecimalCell.cs, CsvBlock.cs, CsvColumn.cs, CsvRecords.cs: cells as numbers, and their texts as written.
module DecimalCellTests =
    let private parsed (text: string) : float voption =
        match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | true, number when Double.IsFinite number && not (text.Contains '\000') -> ValueSome number
        | _ -> ValueNone

    let private bits (number: float) = BitConverter.DoubleToInt64Bits number

    [<Law(Arbitrary = [| typeof<NumberLikes> |])>]
    let ``a decimal has the bits that .NET reads, and its text is the one written``
        (NumberLike text)
        =
        let bytes = Encoding.UTF8.GetBytes text
        let mutable cell = Unchecked.defaultof<DecimalCell>

        if DecimalCell.Read(ReadOnlySpan bytes, &cell) = bytes.Length then
            Exactly.equal (ValueSome(bits cell.Number)) (ValueOption.map bits (parsed text))
            Exactly.equal text (cell.ToString())

    [<Law(Arbitrary = [| typeof<NumberLikes> |])>]
    let ``a short decimal is the one that is read digit by digit, whatever follows``
        (NumberLike text)
        (NumberLike next)
        =
        let bytes = Encoding.UTF8.GetBytes $"{text},{next},123456789"
        let mutable short = Unchecked.defaultof<DecimalCell>
        let mutable long = Unchecked.defaultof<DecimalCell>
        let length = DecimalCell.ReadShort(ReadOnlySpan bytes, &short)

        if length > 0 then
            Exactly.equal (DecimalCell.Read(ReadOnlySpan bytes, &long)) length
            Exactly.equal long short
        else
            // Numbers of up to seven characters are short.
            let isShort = text.TrimStart('-').Length <= 7

            let isAll =
                DecimalCell.Read(ReadOnlySpan bytes, &long) = Encoding.UTF8.GetByteCount text

            Assert.False(isShort && isAll)

    [<Law(Arbitrary = [| typeof<NumberLikes> |])>]
    let ``the number of a text is the one that a reader of cells finds in every format with a point``
        (NumberLike text)
        =
        let known = NumberText.Parse(ReadOnlySpan(Encoding.UTF8.GetBytes text))

        if not (Double.IsNaN known) then
            for thousands in [ ValueNone; ValueSome ','; ValueSome '\''; ValueSome ' ' ] do
                let reader =
                    CellReader {
                        CellFormat.Default with
                            ThousandsSeparator = thousands
                    }

                Exactly.equal (ValueSome(bits known)) (ValueOption.map bits (reader.Number text))

    [<Theory>]
    [<InlineData("0", 0.0)>]
    [<InlineData("255", 255.0)>]
    [<InlineData("-1.23436", -1.23436)>]
    [<InlineData("0.003456", 0.003456)>]
    [<InlineData("123456789.012345", 123456789.012345)>]
    let ``usual numbers are decimals`` (text: string, number: float) =
        let bytes = Encoding.UTF8.GetBytes text
        let mutable cell = Unchecked.defaultof<DecimalCell>
        Exactly.equal bytes.Length (DecimalCell.Read(ReadOnlySpan bytes, &cell))
        Exactly.equal number cell.Number

    /// The records of one column of texts without quotes and a second column.
    let private recordsOf (partBytes: int) (texts: string[]) =
        let lines = texts |> Array.map (fun text -> $"{text},x\n") |> String.concat ""
        let text = Encoding.UTF8.GetBytes("first,second\n" + lines)
        CsvRecords.Read(ReadOnlyMemory text, CsvDialect.Of ",", 1, "x.csv", partBytes)

    let private mayStand (text: string) =
        text.IndexOfAny [| ','; '\n'; '\r'; '"'; '\000' |] < 0

    /// Many cells of few kinds, so that every form of a column occurs.
    let private cells
        (NumberLike one: NumberLike)
        (NumberLike other: NumberLike)
        (whole: int)
        (seed: int)
        =
        let random = Random seed

        let kinds =
            [| one; other; ""; string whole; "7"; "0.25"; "-3.5"; "1e-05"; "12345678.25" |]
            |> Array.filter mayStand
            |> Array.map (fun text -> random.NextDouble() * random.NextDouble(), text)

        // Weights that fall off quickly: most columns have one kind of cell and exceptions.
        let pick () =
            kinds |> Array.maxBy (fun (weight, _) -> weight * random.NextDouble()) |> snd

        Array.init (random.Next(1, 200)) (fun _ -> pick ())

    [<Law(Arbitrary = [| typeof<NumberLikes> |])>]
    let ``a column has its texts as written, and the numbers of those that are known``
        one
        other
        whole
        seed
        (part: byte)
        =
        let texts = cells one other whole seed
        let column = (recordsOf (1 + int part) texts).Cells.Column(0, false)
        let numbers = Array.zeroCreate texts.Length
        column.CopyNumbers(0, numbers.AsSpan())
        Exactly.equal texts (Array.ofSeq column)

        for text, number in Seq.zip texts numbers do
            if not (Double.IsNaN number) then
                Exactly.equal (ValueSome(bits number)) (ValueOption.map bits (parsed text))
            elif column.AreAll 0 then
                Exactly.equal "" text

    [<Law(Arbitrary = [| typeof<NumberLikes> |])>]
    let ``records are the same in parts of any length`` one other whole seed (part: byte) =
        let texts = cells one other whole seed
        let whole, parts = recordsOf Int32.MaxValue texts, recordsOf (1 + int part) texts
        Exactly.equal whole.Lines parts.Lines
        Exactly.equal whole.Cells.First parts.Cells.First

        for column in 0..1 do
            let column (records: CsvRecords) = records.Cells.Column(column, true)
            Exactly.equal (Array.ofSeq (column whole)) (Array.ofSeq (column parts))

    [<Law(Arbitrary = [| typeof<WrittenTables> |])>]
    let ``parts of any length are read like the whole, or refused like it``
        (written: WrittenTable)
        (part: byte)
        =
        let bytes = Encoding.UTF8.GetBytes written.Text

        let read partBytes =
            try
                let records =
                    CsvRecords.Read(
                        ReadOnlyMemory bytes,
                        CsvDialect.Of written.Separator,
                        1,
                        "x.csv",
                        partBytes
                    )

                let columns = [
                    for column in 0 .. records.Cells.Columns - 1 ->
                        List.ofSeq (records.Cells.Column(column, true))
                ]

                Ok(List.ofArray records.Lines, columns)
            with :? RefusedException as refused ->
                Error(List.ofSeq refused.Reasons)

        Exactly.equal (read Int32.MaxValue) (read (1 + int part))

    [<Fact>]
    let ``rows of different lengths are named alike in parts and in a whole`` () =
        let bytes = Encoding.UTF8.GetBytes "a,b\n1,2\n3\n4,5\n6,7,8\n"

        let reasons partBytes =
            let refused =
                Assert.Throws<RefusedException>(fun () ->
                    CsvRecords.Read(ReadOnlyMemory bytes, CsvDialect.Of ",", 1, "x.csv", partBytes)
                    |> ignore)

            List.ofSeq refused.Reasons

        Exactly.equal 2 (reasons 4).Length
        Exactly.equal (reasons Int32.MaxValue) (reasons 4)
