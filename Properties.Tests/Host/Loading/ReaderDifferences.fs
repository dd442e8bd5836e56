namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Text
open System.Text.Json
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Properties
open Pipeline.Training
open Xunit
open Xunit.Abstractions

/// Files that Python's csv, NumPy and json read too: the cells are the same, or both refuse.
/// READER_FILES=10000 tries so many files of each kind.
type ReaderDifferences(output: ITestOutputHelper) =
    let files = Given.times "READER_FILES" 300
    let seed = Random.Shared.Next 1_000_000
    let random = Random seed

    let pick (choices: 'V[]) = choices[random.Next choices.Length]

    let pieces = [|
        "\""
        "\"\""
        ","
        ";"
        "\n"
        "\r\n"
        "\r"
        " "
        "\t"
        "a"
        "b"
        "1"
        "2.5"
        "#"
        "é"
        "\uFEFF"
        "'"
        "|"
    |]

    let anyText (length: int) =
        String.concat "" [ for _ in 1 .. random.Next(length + 1) -> pick pieces ]

    /// A table as a writer with quotes writes it.
    let written (separator: string) =
        let columns = 1 + random.Next 5
        let always = random.Next 3 = 0

        let cell () =
            let text =
                if random.Next 3 = 0 then
                    string (random.Next 100)
                else
                    anyText 5

            if
                always
                || text.Contains separator
                || text.IndexOfAny [| '"'; '\r'; '\n' |] >= 0
                || (columns = 1 && text.Trim() = "")
            then
                "\"" + text.Replace("\"", "\"\"") + "\""
            else
                text

        let lineEnd = pick [| "\n"; "\r\n"; "\r" |]

        String.concat lineEnd [
            for _ in 0 .. random.Next 8 ->
                String.concat separator [ for _ in 1..columns -> cell () ]
        ]
        + (if random.Next 2 = 0 then lineEnd else "")

    /// Such a table, whole, or with a change; or any text.
    let text (separator: string) =
        match random.Next 4 with
        | 0 -> anyText 40
        | 1 ->
            let text = written separator
            let place = random.Next(text.Length + 1)
            text.Insert(place, pick pieces)
        | _ -> written separator

    let python (scratch: Scratch) (script: string) : JsonElement[] =
        File.WriteAllText(scratch.Sub "read.py", script)
        let program = (Tools.python "numpy").Value

        match Tools.run program [ scratch.Sub "read.py"; scratch.Path; string files ] with
        | Some ended when ended.ExitCode = 0 ->
            ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            |> Array.map (fun line -> JsonDocument.Parse(line).RootElement)
        | Some ended -> failwith ended.Errors
        | None -> failwith "no Python"

    let rowsOf (json: JsonElement) = [|
        for row in json.EnumerateArray() -> [| for cell in row.EnumerateArray() -> string cell |]
    |]

    let texts (table: Table) =
        let columns =
            table.Columns
            |> List.map (fun column ->
                match column.Cells with
                | Cells.Texts texts -> texts
                | cells -> Cells.texts cells)

        Array.init table.Rows (fun row -> [| for texts in columns -> texts[row] |])

    let ours (read: unit -> Table) =
        try
            Ok(read ())
        with :? RefusedException as refused ->
            Error(String.concat "\n" refused.Reasons)

    /// Python's rows without those that are none here: empty lines, but in a table of one column, and
    /// lines of spaces above a table (Python does not tell whether they are in quotes, which makes them
    /// cells) or in one of several columns.
    let comparable (keepsSpaces: bool) (rows: string[][]) =
        let isEmpty (row: string[]) =
            row.Length = 0
            || (row.Length = 1 && row[0] <> "" && row[0].Trim(' ', '\t') = "" && not keepsSpaces)

        let rows = rows |> Array.skipWhile isEmpty

        if rows.Length = 0 then
            rows
        elif rows[0].Length > 1 then
            rows |> Array.filter (isEmpty >> not)
        else
            let last = rows |> Array.findIndexBack (fun row -> row.Length > 0)

            rows[..last] |> Array.map (fun row -> if row.Length = 0 then [| "" |] else row)

    [<FactWithPython "numpy">]
    member _.``Python's csv reads the same cells, or both refuse``() =
        use scratch = new Scratch()

        let given = [|
            for i in 0 .. files - 1 ->
                let separator = pick [| ","; ";"; "\t"; "|"; " " |]
                let text = (text separator).TrimStart '\uFEFF'
                File.WriteAllText(scratch.Sub $"{i}.csv", text, UTF8Encoding false)
                File.WriteAllText(scratch.Sub $"{i}.txt", separator)
                separator, text
        |]

        let read =
            python
                scratch
                """
import csv, json, sys
for i in range(int(sys.argv[2])):
    separator = open(f"{sys.argv[1]}/{i}.txt", newline="").read()
    try:
        with open(f"{sys.argv[1]}/{i}.csv", newline="", encoding="utf-8") as file:
            print(json.dumps(list(csv.reader(file, delimiter=separator, strict=True))))
    except csv.Error as error:
        print(json.dumps(str(error)))
"""

        let mutable same, refused = 0, 0

        for i in 0 .. files - 1 do
            let separator, text = given[i]
            let layout = CsvLayout(HasHeader = Nullable false, Separator = separator)

            let result =
                ours (fun () ->
                    CsvFile.Parse(ReadOnlyMemory(Encoding.UTF8.GetBytes text), layout, "x.csv"))

            let say found =
                $"seed {seed}, file {i}, separator '{separator}', {JsonSerializer.Serialize text}: {found}"

            if read[i].ValueKind = JsonValueKind.String then
                Assert.True(Result.isError result, say $"Python says {read[i]}")
                refused <- refused + 1
            else
                let rows = comparable false (rowsOf read[i])

                let differInWidth keepsSpaces =
                    let widths = comparable keepsSpaces (rowsOf read[i]) |> Array.map Array.length
                    (Array.distinct widths).Length > 1

                match result with
                | Ok table ->
                    let texts = texts table
                    let alike = texts = rows || texts = comparable true (rowsOf read[i])
                    Assert.True(alike, say $"{read[i]} or {JsonSerializer.Serialize texts}")
                    same <- same + 1
                | Error said ->
                    let isRight =
                        rows.Length = 0 && said.Contains "rows of cells"
                        || (differInWidth false || differInWidth true)
                           && said.Contains " cells, as in "
                        || said.Contains "spaces before the quote"
                           && rows
                              |> Array.exists (
                                  Array.exists (fun cell ->
                                      cell.StartsWith ' ' || cell.StartsWith '\t')
                              )

                    Assert.True(isRight, say said)
                    refused <- refused + 1

        Assert.InRange(same, files / 3, files)

        output.WriteLine
            $"csv: of {files} files {same} are read alike, {refused} refused by both or rightly"

    [<FactWithPython "numpy">]
    member _.``NumPy reads the same numbers``() =
        use scratch = new Scratch()

        let number () =
            let bits = BitConverter.Int64BitsToDouble(random.NextInt64())

            match random.Next 3 with
            | 0 -> string (random.Next(-1000, 1000))
            | 1 -> (random.NextDouble() * 200.0 - 100.0).ToString "F3"
            | _ -> (if Double.IsFinite bits then bits else 0.5).ToString "R"

        let given = [|
            for i in 0 .. files - 1 ->
                let separator = pick [| ","; ";"; "\t"; "|" |]
                let columns = 1 + random.Next 5

                let text =
                    String.concat "" [
                        for _ in 0 .. random.Next 8 ->
                            String.concat separator [ for _ in 1..columns -> number () ] + "\n"
                    ]

                File.WriteAllText(scratch.Sub $"{i}.csv", text)
                File.WriteAllText(scratch.Sub $"{i}.txt", separator)
                text
        |]

        let read =
            python
                scratch
                """
import json, numpy, sys
for i in range(int(sys.argv[2])):
    separator = open(f"{sys.argv[1]}/{i}.txt", newline="").read()
    numbers = numpy.loadtxt(f"{sys.argv[1]}/{i}.csv", delimiter=separator, ndmin=2)
    print(json.dumps([[value.hex() for value in row] for row in numbers.tolist()]))
"""

        for i in 0 .. files - 1 do
            // The separator is found out.
            let layout = CsvLayout(HasHeader = Nullable false)

            let table =
                CsvFile.Parse(ReadOnlyMemory(Encoding.UTF8.GetBytes given[i]), layout, "x.csv")

            let ofHex (text: string) =
                let sign = if text.StartsWith '-' then -1.0 else 1.0
                let parts = text.TrimStart('-').Substring(2).Split([| '.'; 'p' |])
                let fraction = if parts.Length = 3 then parts[1] else ""
                let mantissa = Convert.ToUInt64(parts[0] + fraction, 16)
                sign * Math.ScaleB(float mantissa, int (Array.last parts) - 4 * fraction.Length)

            let numpys = rowsOf read[i] |> Array.map (Array.map ofHex)

            let numbers =
                texts table |> Array.map (Array.map (fun text -> (Cells.number text).Value))

            Assert.True((numpys = numbers), $"seed {seed}, file {i}: {given[i]}")

        output.WriteLine $"numbers: NumPy reads {files} files alike"

    [<FactWithPython "numpy">]
    member _.``Python's json reads the same rows``() =
        use scratch = new Scratch()
        let names = [| "a"; "b c"; "é"; "\""; "" |]

        let value () =
            match random.Next 4 with
            | 0 -> "null"
            | 1 -> string (random.Next 100)
            | 2 -> (random.NextDouble()).ToString "E3"
            | _ -> JsonSerializer.Serialize(anyText 6)

        let given = [|
            for i in 0 .. files - 1 ->
                let keys = [|
                    for name in names do
                        if random.Next 3 > 0 then
                            name
                |]

                let row () =
                    if keys.Length = 0 then
                        $"[{value ()}, {value ()}]"
                    else
                        "{"
                        + String.concat "," [
                            for key in keys -> $"{JsonSerializer.Serialize key}: {value ()}"
                        ]
                        + "}"

                let rows = [ for _ in 0 .. random.Next 6 -> row () ]

                let text =
                    if random.Next 2 = 0 then
                        "[" + String.concat ", " rows + "]"
                    else
                        String.concat (pick [| "\n"; "\r\n"; "\n\n" |]) rows

                File.WriteAllText(scratch.Sub $"{i}.json", text, UTF8Encoding(i % 2 = 0))
                text
        |]

        let read =
            python
                scratch
                """
import json, sys
from decimal import Decimal
def number(text):
    sign, digits, exponent = Decimal(text).as_tuple()
    return "-" * sign + "".join(map(str, digits)) + f"E{exponent}"
for i in range(int(sys.argv[2])):
    text = open(f"{sys.argv[1]}/{i}.json", encoding="utf-8-sig", newline="").read()
    decoder, rows, place = json.JSONDecoder(parse_float=number, parse_int=str), [], 0
    while text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        value, place = decoder.raw_decode(text, place)
        rows += value if isinstance(value, list) and isinstance(value[0], (list, dict)) else [value]
    rows = [list(row.values()) if isinstance(row, dict) else row for row in rows]
    print(json.dumps([["" if cell is None else cell for cell in row] for row in rows]))
"""

        for i in 0 .. files - 1 do
            let path = scratch.Sub $"{i}.json"
            let text = TextFile.ToUtf8(ReadOnlyMemory(File.ReadAllBytes path), null, path)
            let table = JsonRows.Parse(text, 1_000_000L, path)
            Assert.True((rowsOf read[i] = texts table), $"seed {seed}, file {i}: {given[i]}")

        output.WriteLine $"json: Python reads {files} files alike"
