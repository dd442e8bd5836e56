/// Column.fs, NumberSource.fs, KnownTexts.fs, RowKey.fs, TableEncoding.fs: what is known of a file's cells changes
/// nothing but the time.
module Pipeline.Properties.Host.KnownNumbersTests

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

/// A file of numbers with some odd cells, and how its table is prepared.
type NumberFile = {
    Rows: string list list
    Options: TableOptions
    Head: Head
}

type NumberFiles =
    static member NumberFile() : Arbitrary<NumberFile> =
        let cell (kind: int) =
            let whole = Gen.choose (-20, 20) |> Gen.map string
            let decimal = Gen.choose (-999, 999) |> Gen.map (fun n -> $"{float n / 100.0}")

            match kind with
            | 0 -> Gen.choose (0, 255) |> Gen.map string
            | 1 -> Gen.frequency [ 20, whole; 1, Gen.elements [ ""; "-0"; "7.0"; "NA" ] ]
            | 2 -> Gen.frequency [ 20, decimal; 1, Gen.elements [ "1e-05"; "-0.0"; ""; " 2" ] ]
            | 3 ->
                Gen.frequency [ 20, decimal; 1, Gen.elements [ "0.12345678901234567"; "1,5"; "x" ] ]
            | 4 -> Gen.elements [ "red"; "green"; " red"; "True"; "" ]
            | _ -> Gen.elements [ "1,5"; "0,25"; "7" ]

        let options = gen {
            let! missing = Gen.elements [ Missing.Refuse; Missing.Mean; Missing.Median ]
            let! scaling = Gen.elements [ Scaling.None; Scaling.Standard; Scaling.MinMax ]
            let! markers = Gen.elements [ ValueNone; ValueNone; ValueSome [ "0"; "red" ] ]
            let! decimal = Gen.elements [ ValueNone; ValueNone; ValueSome "." ]
            let! thousands = Gen.elements [ ValueNone; ValueNone; ValueSome "'" ]

            return {
                TableOptions.Default with
                    Missing = missing
                    Scaling = scaling
                    Cells = CellRules.parse markers decimal thousands |> orFail
            }
        }

        gen {
            let! kinds =
                Gen.nonEmptyListOf (Gen.frequency [ 6, Gen.choose (0, 2); 3, Gen.choose (3, 5) ])

            let kinds = kinds |> List.truncate 4
            let! count = Gen.choose (12, 60)
            let! head = Gen.elements [ Head.Softmax; Head.Softmax; Head.Identity ]

            let label =
                if head = Head.Identity then
                    cell 2
                else
                    Gen.elements [ "a"; "b"; "c" ]

            let row = (kinds |> List.map cell) @ [ label ] |> Gen.sequenceToList

            let! rows = Gen.listOfLength count row
            let! options = options

            return {
                Rows = rows
                Options = options
                Head = head
            }
        }
        |> Arb.fromGen

let private textOf (file: NumberFile) =
    let names = file.Rows.Head |> List.mapi (fun place _ -> $"column {place}")
    names :: file.Rows |> List.map (String.concat "|") |> String.concat "\n"

let private samples (data: Dataset<float32>) =
    let all = Dataset.take [| 0 .. data.Count - 1 |] data
    List.ofArray (Kernels.values all.Inputs), data.Targets

[<Law(Arbitrary = [| typeof<NumberFiles> |])>]
let ``a file's table gives the samples, report and faults of its texts`` (file: NumberFile) =
    let bytes = Encoding.UTF8.GetBytes(textOf file)
    let layout = CsvLayout(HasHeader = Nullable true, Separator = "|")
    let read = CsvFile.Parse(ReadOnlyMemory bytes, layout, "x.csv")

    let plain =
        read
        |> Table.update (fun column ->
            match column.Cells with
            | Cells.Texts texts -> {
                column with
                    // Objects of their own, also where texts are equal.
                    Cells = Cells.Texts([| for text in texts -> String(text.AsSpan()) |])
              }
            | _ -> column)

    let prepared (table: Table) =
        TableData.prepare
            file.Options
            file.Head
            ValueNone
            (TestRows.Fraction(0.3, 1UL))
            "x.csv"
            table
        |> Result.map (fun (data: TableData<float32>) ->
            (samples data.Train, samples data.Test),
            (Preprocessing.toJson (Preprocessing.Table data.Encoding), data.Classes),
            (List.ofArray data.Leaked, $"%A{data.Report}"))

    let summary (table: Table) =
        TableSummary.create file.Options file.Head table |> Result.map (sprintf "%A")

    Exactly.equal (prepared plain) (prepared read)
    Exactly.equal (summary plain) (summary read)

[<Fact>]
let ``most of these files can be prepared`` () =
    let files = (NumberFiles.NumberFile()).Generator |> Gen.sample 100

    let isPrepared (file: NumberFile) =
        let bytes = Encoding.UTF8.GetBytes(textOf file)
        let layout = CsvLayout(HasHeader = Nullable true, Separator = "|")

        TableLayout.ofTable file.Options (CsvFile.Parse(ReadOnlyMemory bytes, layout, "x.csv"))
        |> Result.isOk

    Assert.InRange(files |> Seq.filter isPrepared |> Seq.length, 30, 100)
