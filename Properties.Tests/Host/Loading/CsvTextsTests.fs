/// CsvTexts.cs, CsvBlock.cs, TextFile.cs, TableWarmUp.cs: texts that are held once, and long files.
module Pipeline.Properties.Host.CsvTextsTests

open System
open System.Text
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit
open FsCheck
open FsCheck.FSharp

/// A column of texts of which many are equal.
type RepeatedCells = RepeatedCells of string[]

type RepeatedColumns =
    static member RepeatedCells() : Arbitrary<RepeatedCells> =
        let word =
            Gen.frequency [
                4,
                Gen.elements [ ""; " "; "a"; "a "; "b\"c"; "é"; "漢字"; "7"; "-0.50"; "007"; "1e3" ]
                1, Gen.choose (1, 40) |> Gen.map (fun length -> String('x', length))
                1, Gen.choose (1, 20) |> Gen.map (fun length -> String('é', length) + "y")
                1, Gen.choose (0, 9999) |> Gen.map (fun number -> $"word %d{number}")
            ]

        gen {
            let! different = Gen.frequency [ 6, Gen.choose (1, 8); 1, Gen.choose (200, 400) ]
            let! words = Gen.arrayOfLength different word
            let! rows = Gen.choose (1, 8 * different)
            let! cells = Gen.arrayOfLength rows (Gen.elements words)
            return RepeatedCells cells
        }
        |> Arb.fromGen

let private read (text: byte[]) =
    CsvRecords.Read(ReadOnlyMemory text, CsvDialect.Of ",", 1, "x.csv", 64)

[<Law(Arbitrary = [| typeof<RepeatedColumns> |])>]
let ``texts that come again are given back as written, with their numbers``
    (RepeatedCells texts)
    (isQuoted: bool)
    =
    let texts =
        if isQuoted then
            texts
        else
            texts |> Array.map _.Replace('"', '\'')

    let cell (text: string) =
        if isQuoted then
            "\"" + text.Replace("\"", "\"\"") + "\""
        else
            text

    let lines = texts |> Array.map (fun text -> $"{cell text},x\n") |> String.concat ""

    let column =
        (read (Encoding.UTF8.GetBytes("first,second\n" + lines))).Cells.Column(0, false)

    Exactly.equal texts (Array.ofSeq column)
    let numbers = Array.zeroCreate texts.Length
    column.CopyNumbers(0, numbers.AsSpan())

    for text, number in Seq.zip texts numbers do
        if not (Double.IsNaN number) then
            Exactly.equal (float text) number
        elif column.AreAll 0 then
            Exactly.equal "" text

[<Theory>]
[<InlineData(0, "a zero byte")>]
[<InlineData(0xE9, "the byte 0xE9")>]
let ``a byte that is no text is refused with its line far behind the beginning``
    (byte: int, says: string)
    =
    for lines in [ 400_000; 600_000 ] do
        let text = Encoding.UTF8.GetBytes(String.replicate lines "1,2\n")
        text[text.Length - 6] <- Operators.byte byte

        let refused =
            Assert.Throws<RefusedException>(fun () ->
                TextFile.ToUtf8(ReadOnlyMemory text, null, "x.csv") |> ignore)

        let said = String.concat " " refused.Reasons
        Assert.Contains($"line {lines - 1}", said)
        Assert.Contains(says, said)

[<Fact>]
let ``quotes in the first line alone change nothing`` () =
    let lines = String.replicate 50 "1,2\n"

    let read header =
        read (Encoding.UTF8.GetBytes(header + lines))

    let quoted, plain = read "\"a\nb\",\"c\"\n", read "ab,c\n"
    Exactly.equal [| "a\nb"; "c" |] quoted.Cells.First

    Exactly.equal
        (Array.tail plain.Lines)
        (quoted.Lines |> Array.tail |> Array.map (fun line -> line - 1))

[<Fact>]
let ``the table of the warm-up becomes samples under every head`` () =
    for head in [ Head.Softmax; Head.Sigmoid; Head.Identity ] do
        Assert.True(TableWarmUp.Run<float32> head)
