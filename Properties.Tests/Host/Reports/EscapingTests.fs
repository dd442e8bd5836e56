namespace Pipeline.Properties.Host

open System
open System.IO
open System.Text
open System.Text.Json
open System.Xml
open System.Xml.Linq
open FsCheck.FSharp
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Logging
open Microsoft.Extensions.Logging.Abstractions
open Microsoft.Extensions.Logging.Console
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Pictures
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// Names from data and files in every form that the service writes: each escapes them in its own way.
module EscapingTests =
    /// What means something to a terminal, to HTML, Markdown, CSV, JSON, XML, a spreadsheet or a chart.
    let private pieces = [
        "a"
        "Ω"
        "😀"
        " "
        "0"
        "-1.5"
        "\n"
        "\r"
        "\t"
        "\u0000"
        "\u001b[31m"
        "\u001b]0;title\u0007"
        "\u0008"
        "\u007f"
        "\u0085"
        "\u009b31m"
        "\u2028"
        "\u202e"
        "\u2066"
        "\u200b"
        "\ufeff"
        "\ufffe"
        "\uffff"
        string (char 0xD800)
        string (char 0xDC00)
        "|"
        "`"
        "``"
        "*"
        "_x_"
        "<img src=x onerror=alert(1)>"
        "<script>"
        "&amp;"
        "&#0;"
        "]]>"
        "<!--"
        "[a](javascript:x)"
        "$x$"
        "#"
        "\\"
        "\""
        "\"\""
        "'"
        ","
        ";"
        "="
        "=cmd|' /C calc'!A0"
        "+1+1"
        "@SUM(1)"
        "＝1"
        "{0}"
        "%"
        "^{2}"
        "_{"
        "}"
    ]

    let private names =
        Gen.elements pieces
        |> Gen.listOf
        |> Gen.map (List.truncate 6 >> String.concat "")
        |> Gen.arrayOfLength 3

    let private forAllNames (law: string[] -> unit) = Prop.forAll (Arb.fromGen names) law

    /// A line of text that a terminal shows as it is.
    let private isPlain (line: string) =
        Assert.All(
            line,
            fun letter ->
                Assert.False(Char.IsControl letter || Char.IsSurrogate letter && line.Length = 1)
                Assert.DoesNotContain(letter, "\u2028\u2029\u202e\u2066\u200b\ufeff\ufffe\uffff")
        )

    let private report (names: string[]) =
        let figures =
            Evaluation.ofLogits
                EvaluationOptions.Default
                Head.Softmax
                [| 0; 1; 2; 1 |]
                (Kernels.matrix 3 4 [| 2.0; 1.0; 0.0; 1.0; 3.0; 1.0; 1.0; 2.0; 0.5; 3.0; 1.0; 0.0 |])

        EvaluationReport(
            names[0],
            names[1],
            names[2],
            names,
            Evaluation.Classification figures,
            names[0],
            [||],
            FirstLayer([| names[1]; "y" |], Nullable(), [| [| 0.5; -0.2 |] |]),
            Head = Head.Softmax
        )

    /// What JSON and others write of a text with halves of surrogate pairs.
    let private whole (text: string) =
        Encoding.UTF8.GetString(Encoding.UTF8.GetBytes text)

    [<Law>]
    let ``a line for a terminal has no character that moves it, and plain text stays as it is`` () =
        forAllNames (fun names ->
            for name in names do
                isPlain (VisibleText.Of name)
                Assert.Equal(VisibleText.Of name, VisibleText.Of(VisibleText.Of name))

            Assert.Equal("aΩ😀 |`<", VisibleText.Of "aΩ😀 |`<")

            Assert.Equal(
                @"a\nb\u001B[31m\uD800\u202E",
                VisibleText.Of $"a\nb\u001b[31m{char 0xD800}\u202e"
            ))

    [<Law>]
    let ``reports have the same lines whatever the names are, and nothing moves in them`` () =
        let lines (text: string) = text.Split '\n'
        let plain = (report [| "a"; "b"; "c" |])

        forAllNames (fun names ->
            let report = report names
            Assert.Equal((lines (plain.ToText())).Length, (lines (report.ToText())).Length)
            lines (report.ToText()) |> Array.iter isPlain
            Assert.Equal((lines (plain.ToMarkdown())).Length, (lines (report.ToMarkdown())).Length)
            lines (report.ToMarkdown()) |> Array.iter isPlain)

    /// How often a mark stands in a line of Markdown and is markup: not behind a backslash, which is not
    /// behind another.
    let private marks (mark: char) (line: string) =
        let rec count found =
            function
            | '\\' :: _ :: rest -> count found rest
            | letter :: rest -> count (if letter = mark then found + 1 else found) rest
            | [] -> found

        count 0 (List.ofSeq line)

    [<Law>]
    let ``names are no markup of Markdown`` () =
        let plain = (report [| "a"; "b"; "c" |]).ToMarkdown().Split '\n'

        forAllNames (fun names ->
            let lines = (report names).ToMarkdown().Split '\n'

            for expected, line in Array.zip plain lines do
                // The line of paths is code, where nothing is markup but the fence.
                if not (line.StartsWith "Model ") then
                    for mark in "|`*_[]<>&~$" do
                        Assert.Equal(marks mark expected, marks mark line))

    [<Law>]
    let ``code of Markdown ends where it is to end`` () =
        forAllNames (fun names ->
            for name in names do
                let code = MarkdownText.Code name
                let fence = code |> Seq.takeWhile ((=) '`') |> Seq.length
                let inside = code.Substring(fence, code.Length - 2 * fence)
                Assert.EndsWith(String('`', fence), code)
                Assert.DoesNotContain(String('`', fence), inside)
                Assert.False(inside.StartsWith '`' || inside.EndsWith '`')
                Assert.Contains(VisibleText.Of name, inside))

    [<Law>]
    let ``the page is well-formed, and has the names as text`` () =
        forAllNames (fun names ->
            let bytes = EvaluationHtml.Write(report names)
            let settings = XmlReaderSettings(DtdProcessing = DtdProcessing.Ignore)
            use reader = XmlReader.Create(new MemoryStream(bytes), settings)
            let page = XDocument.Load reader

            let found kind = [
                for element in page.Descendants() do
                    if element.Name.LocalName = kind then
                        element.Value
            ]

            Assert.Empty(found "script")

            Assert.Contains(
                $"Evaluation of {VisibleText.Of names[0]}".Normalize(),
                found "h1" |> List.map _.Normalize()
            )

            Assert.Equal(4, (found "svg").Length)
            (Encoding.UTF8.GetString bytes).Split '\n' |> Array.iter isPlain)

    [<Law>]
    let ``the report's JSON has the names as they are`` () =
        forAllNames (fun names ->
            let json =
                JsonDocument.Parse(ReadOnlyMemory(EvaluationJson.Write(report names))).RootElement

            Assert.Equal(whole names[0], string (json.GetProperty "model"))

            let classes = json.GetProperty("figures").GetProperty("classes").EnumerateArray()

            Assert.Equal<string>(
                names |> Array.map whole,
                classes |> Seq.map (fun one -> string (one.GetProperty "name"))
            ))

    [<Law>]
    let ``a picture is well-formed, whatever its texts are`` () =
        forAllNames (fun names ->
            let points = [ struct (0.0, 1.0); struct (1.0, 2.0) ]

            let charts = [
                {
                    Title = names[0]
                    X = Axis.Linear names[1]
                    Y = Axis.Linear names[2]
                    Marks = [
                        Mark.Line(names[0], points)
                        Mark.Faint(names[1], points)
                        Mark.Guide(names[2], points)
                        Mark.Points(names[0], points)
                        Mark.Vertical(names[1], 0.5)
                        Mark.Columns(names[2], [ struct (0.0, 1.0, 2.0) ])
                    ]
                }
                {
                    Title = ""
                    X = Axis.Linear ""
                    Y = Axis.Names names
                    Marks = [ Mark.Bars(names[0], [ 1.0; 2.0; 3.0 ]) ]
                }
            ]

            let svg = Picture.toSvg "law" 400 300 charts
            Assert.NotNull(XDocument.Parse(svg).Root)
            svg.Split '\n' |> Array.iter isPlain)

    /// The cells of comma-separated values, as RFC 4180 has them.
    let private cells (text: string) : string list list =
        let rec quoted (cell: StringBuilder) row rows =
            function
            | '"' :: '"' :: rest -> quoted (cell.Append '"') row rows rest
            | '"' :: rest -> plain cell row rows rest
            | letter :: rest -> quoted (cell.Append(letter: char)) row rows rest
            | [] -> failwith "a quote is not closed"

        and plain (cell: StringBuilder) row rows =
            function
            | ',' :: rest -> start (string cell :: row) rows rest
            | '\n' :: rest -> start [] (List.rev (string cell :: row) :: rows) rest
            | ('"' | '\r') :: _ -> failwith "a quote or a line break inside of a cell"
            | letter :: rest -> plain (cell.Append letter) row rows rest
            | [] -> failwith "a line without an end"

        and start row rows =
            function
            | '"' :: rest -> quoted (StringBuilder()) row rows rest
            | [] when row.IsEmpty -> List.rev rows
            | rest -> plain (StringBuilder()) row rows rest

        start [] [] (List.ofSeq text)

    let private predictions (names: string[]) =
        Predictions(names, true, [| SamplePrediction(names[1], [| 0.25; 0.5; -1.5e-7 |]) |])

    [<Law>]
    let ``predicted cells are read back, and a spreadsheet takes none of them for a formula`` () =
        forAllNames (fun names ->
            let rows = cells ((predictions names).ToCsv())
            let header = [ "sample"; "class"; yield! names ]
            let sample = [ names[1]; names[1]; "0.25"; "0.5"; "-1.5E-07" ]

            for expected, found in List.zip [ header; sample ] rows do
                for expected, found in List.zip expected found do
                    let isNumber =
                        fst (Double.TryParse(found, Globalization.CultureInfo.InvariantCulture))

                    if not isNumber then
                        Assert.DoesNotMatch(@"^[=+\-@\t\r\n＝＋－＠]", found)

                    let text = if found.StartsWith '\'' then found.Substring 1 else found
                    Assert.Equal(expected, text))

    [<Fact>]
    let ``numbers stay numbers in cells, and what looks like a formula does not stay one`` () =
        for text, cell in
            [
                "-1.5", "-1.5"
                "+7", "+7"
                "-1e-7", "-1e-7"
                "-1+1", "'-1+1"
                "=1", "'=1"
                "@a", "'@a"
                "-", "'-"
                "'a", "''a"
                "a'", "a'"
                "\t=1", "\"'\t=1\""
                "a\"b", "\"a\"\"b\""
                "a,b", "\"a,b\""
                "", ""
            ] do
            Assert.Equal(cell, CsvText.Of text)

    [<FactWithPython "csv">]
    let ``another program reads the same cells`` () =
        use scratch = new Scratch()
        let all = names |> Gen.sample 200

        let texts =
            all
            |> Array.collect id
            |> Array.map (fun name -> whole (name.Replace("\u0000", "")))

        File.WriteAllText(
            scratch.Sub "cells.csv",
            texts |> Array.map (fun text -> CsvText.Row [ "x"; text ]) |> String.concat ""
        )

        let python = (Tools.python "csv").Value

        let script =
            "import csv, json, sys; print(json.dumps([row[1] for row in csv.reader(open(sys.argv[1], newline='', encoding='utf-8'))]))"

        let ended = (Tools.run python [ "-c"; script; scratch.Sub "cells.csv" ]).Value
        Assert.True((ended.ExitCode = 0), ended.Errors)
        let found: string[] = nonNull (JsonSerializer.Deserialize<string[]> ended.Output)

        let plain =
            found
            |> Array.map (fun text -> if text.StartsWith '\'' then text.Substring 1 else text)

        Assert.Equal<string>(texts, plain)

    [<Law>]
    let ``predictions as JSON and as text hold any name`` () =
        forAllNames (fun names ->
            let names = names |> Array.mapi (fun i name -> $"{i}{name}")
            let json = JsonDocument.Parse((predictions names).ToJson()).RootElement[0]
            Assert.Equal(whole names[1], string (json.GetProperty "sample"))
            let text = (predictions names).ToText 3
            Assert.Equal(text.Length - 1, text.IndexOf '\n')
            isPlain (text.TrimEnd '\n'))

    [<Fact>]
    let ``numbers that are not finite are null in JSON, and are not read`` () =
        for number in [ nan; infinity; -infinity ] do
            Assert.Equal(
                "[null,1]",
                JsonSerializer.Serialize(
                    [| number; 1.0 |],
                    JsonSerializerOptions(JsonText.Options, WriteIndented = false)
                )
            )

        for text in [ "1e400"; "null"; "\"5\"" ] do
            Assert.Throws<JsonException>(fun () ->
                JsonSerializer.Deserialize<float[]>($"[{text}]", JsonText.Options) |> ignore)
            |> ignore

    [<Theory; InlineData "simple"; InlineData "systemd"; InlineData "json">]
    let ``a message of the log is one line, whatever is in it`` (name: string) =
        let services =
            ServiceCollection()
                .AddLogging(fun logging ->
                    logging.AddSimpleConsole(fun options -> options.SingleLine <- true) |> ignore
                    VisibleLog.AddTo logging.Services)

        use provider = services.BuildServiceProvider()

        let formatter =
            provider.GetServices<ConsoleFormatter>()
            |> Seq.find (fun one -> one.Name = name)

        use line = new StringWriter()

        let entry =
            LogEntry<string>(
                LogLevel.Information,
                "c",
                EventId 1,
                "state",
                null,
                fun _ _ -> "a\nb\r\u001b[31m\u009bc"
            )

        formatter.Write(&entry, null, line)
        isPlain ((string line).TrimEnd '\n')

        if name <> "json" then
            Assert.Contains(@"a\nb\r\u001B[31m\u009Bc", string line)
