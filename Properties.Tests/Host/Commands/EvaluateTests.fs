namespace Pipeline.Properties.Host

open System
open System.IO
open System.Text.Json
open Pipeline.Learning
open Pipeline.Properties
open Pipeline.Training
open System.Text.RegularExpressions
open Xunit

/// The command evaluate: what it prints and leaves, and its page in a browser.
module EvaluateTests =
    /// A short run on the small images, evaluated; what the command printed, and the run's folder.
    let private evaluated (scratch: Scratch) changes arguments =
        Assert.Equal(0, (Given.host (Given.options scratch changes)).ExitCode)
        let folder = Assert.Single(Given.runs scratch)
        let ended = Given.host ("evaluate" :: folder :: arguments)
        Assert.True((ended.ExitCode = 0), ended.Errors)
        ended.Output, folder

    let private json (text: string) = JsonDocument.Parse(text).RootElement

    [<Fact>]
    let ``a run is evaluated with its own settings, in all forms at once`` () =
        use scratch = new Scratch()
        let text, folder = evaluated scratch [ "Training:Iterations", "40" ] []
        Assert.Contains("of 60 test samples correctly", text)
        Assert.Contains("Confusion: the class in rows", text)

        let read name =
            File.ReadAllText(Path.Combine(folder, name))

        let report = json (read "evaluation.json")
        let figures = report.GetProperty "figures"
        let summary = json (read "summary.json")

        Assert.Equal(
            summary.GetProperty("final_test_accuracy").GetDouble(),
            figures.GetProperty("accuracy").GetDouble()
        )

        let confusion = [
            for row in figures.GetProperty("confusion").EnumerateArray() ->
                [ for cell in row.EnumerateArray() -> cell.GetInt32() ]
        ]

        Assert.Equal(60, confusion |> List.sumBy List.sum)
        Assert.StartsWith("# Evaluation of 16-8-10", read "evaluation.md")
        Assert.Contains("| class | samples | predicted |", read "evaluation.md")

        for form, start in [ "json", "{"; "markdown", "# Evaluation" ] do
            let ended = Given.host [ "evaluate"; folder; "--format"; form ]
            Assert.StartsWith(start, ended.Output)

    [<Fact>]
    let ``a class is called missed where one is, and the most frequent confusion is named`` () =
        let sentences (labels: int[]) =
            let figures =
                Evaluation.ofLogits
                    EvaluationOptions.Default
                    Head.Softmax
                    labels
                    (Kernels.matrix 2 3 [| 2.0; 1.0; 1.0; 2.0; 3.0; 0.0 |])

            EvaluationReport(
                "2-2",
                "a model",
                "samples",
                [| "cat"; "dog" |],
                Evaluation.Classification figures,
                null,
                [||],
                FirstLayer([||], Nullable(), [||]),
                Head = Head.Softmax
            )
                .Sentences
            |> String.concat "\n"

        let right = sentences [| 0; 1; 0 |]
        Assert.Contains("classifies 3 of 3 test samples correctly", right)
        Assert.DoesNotContain("missed most often", right)
        Assert.DoesNotContain("confusion", right)
        let wrong = sentences [| 0; 0; 0 |]
        Assert.Contains("missed most often is cat: 66.7 %", wrong)
        Assert.Contains("cat taken for dog, 1 of 3 times.", wrong)

    [<Fact>]
    let ``models and runs that are none are refused`` () =
        use scratch = new Scratch()

        for arguments, says in
            [
                [ scratch.Path ], "expected a run folder"
                [ scratch.Sub "model.txt" ], "model.txt"
                [ scratch.Path; "--format"; "pdf" ], "one of text, markdown, json"
            ] do
            let ended = Given.host ("evaluate" :: arguments)
            Assert.Equal(2, ended.ExitCode)
            Assert.Contains(says, ended.Errors)
            Assert.Equal("", ended.Output)

    /// What a browser makes of a page: a script at its end writes down what it sees, and the browser
    /// prints the page as it then stands.
    let private browsed (scratch: Scratch) (width: int) (page: string) : JsonElement =
        let script =
            """<script>
            addEventListener('load', () => {
                const all = selector => [...document.querySelectorAll(selector)];
                const boxes = all('svg text').map(text => {
                    const own = text.getBoundingClientRect();
                    const svg = text.ownerSVGElement.getBoundingClientRect();
                    return own.left >= svg.left - 1 && own.right <= svg.right + 1
                        && own.top >= svg.top - 1 && own.bottom <= svg.bottom + 1;
                });
                const said = {
                    headings: all('h1, h2').map(heading => heading.textContent),
                    images: all('img').length,
                    broken: all('img').filter(image => image.naturalWidth === 0).length,
                    drawings: all('svg').length,
                    outside: boxes.filter(inside => !inside).length,
                    overflow: document.documentElement.scrollWidth > innerWidth,
                    requests: performance.getEntriesByType('resource')
                        .filter(entry => !entry.name.startsWith('data:')).length
                };
                const element = document.createElement('pre');
                element.id = 'seen';
                element.textContent = JSON.stringify(said);
                document.body.append(element);
            });
            </script></body>"""

        let path = scratch.Sub "page.html"
        File.WriteAllText(path, page.Replace("</body>", script))

        let ended =
            Tools.run Tools.chromium.Value.Value [
                "--headless"
                "--no-sandbox"
                "--disable-gpu"
                "--disable-quic"
                "--no-first-run"
                "--disable-background-networking"
                "--disable-component-update"
                "--disable-sync"
                $"--user-data-dir={scratch.Sub(string width)}"
                $"--window-size={width},900"
                "--dump-dom"
                $"file://{path}"
            ]
            |> Option.get

        let first = ended.Output.IndexOf("<pre id=\"seen\">", StringComparison.Ordinal)
        Assert.True((first >= 0), ended.Errors)
        let text = ended.Output.Substring(first + 15)
        json (nonNull (Net.WebUtility.HtmlDecode(text.Substring(0, text.IndexOf '<'))))

    [<FactWithChromium>]
    let ``the page stands in a browser: pictures load, nothing is cut off, nothing is fetched`` () =
        use scratch = new Scratch()
        let _, folder = evaluated scratch [ "Training:Iterations", "40" ] []
        let page = File.ReadAllText(Path.Combine(folder, "evaluation.html"))

        for width in [ 1200; 600 ] do
            let seen = browsed scratch width page

            Assert.Equal<string>(
                [
                    "Evaluation of 16-8-10"
                    "Summary"
                    "Confusion"
                    "Class by class"
                    "Thresholds"
                    "Reliability"
                    "The most confident mistakes"
                    "What the network sees"
                    "Weights of the first layer"
                ],
                [
                    for heading in seen.GetProperty("headings").EnumerateArray() -> string heading
                ]
            )

            // Eight units, some mistakes, and up to four images with what their pixels add.
            Assert.InRange(seen.GetProperty("images").GetInt32(), 11, 40)
            Assert.Equal(0, seen.GetProperty("broken").GetInt32())
            Assert.Equal(4, seen.GetProperty("drawings").GetInt32())
            Assert.Equal(0, seen.GetProperty("outside").GetInt32())
            Assert.False(seen.GetProperty("overflow").GetBoolean())
            Assert.Equal(0, seen.GetProperty("requests").GetInt32())

    [<Fact>]
    let ``every class of style that the page names is in its style sheet`` () =
        use scratch = new Scratch()
        let _, folder = evaluated scratch [ "Training:Iterations", "40" ] []
        let page = File.ReadAllText(Path.Combine(folder, "evaluation.html"))
        let sheet = page.Substring(0, page.IndexOf("</style>", StringComparison.Ordinal))

        let named =
            Regex.Matches(page, "class=\"([^\"]+)\"")
            |> Seq.collect (fun found -> found.Groups[1].Value.Split ' ')
            |> Seq.distinct
            |> List.ofSeq

        Assert.NotEmpty named
        Assert.All(named, (fun name -> Assert.Matches($@"\.{name}\b", sheet)))

    [<FactWithChromium>]
    let ``names of classes and columns are shown as they are written, whatever they look like`` () =
        use scratch = new Scratch()
        let spiteful = "<script>alert('x')</script> & \"quoted\""

        let figures =
            Evaluation.ofLogits
                EvaluationOptions.Default
                Head.Softmax
                [| 0; 1; 1 |]
                (Kernels.matrix 2 3 [| 2.0; 1.0; 0.0; 1.0; 3.0; 1.0 |])

        let report =
            EvaluationReport(
                spiteful,
                spiteful,
                spiteful,
                [| spiteful; "b" |],
                Evaluation.Classification figures,
                spiteful,
                [||],
                FirstLayer([| spiteful; "y" |], Nullable(), [| [| 0.5; -0.2 |] |]),
                Head = Head.Softmax
            )

        let seen =
            browsed scratch 1200 (Text.Encoding.UTF8.GetString(EvaluationHtml.Write report))

        Assert.Equal($"Evaluation of {spiteful}", string (seen.GetProperty("headings")[0]))
        Assert.Equal(4, seen.GetProperty("drawings").GetInt32())

    [<Theory>]
    [<InlineData("iris")>]
    [<InlineData("wine")>]
    let ``tables made by others train to above 93 percent by settings alone, and are evaluated``
        (table: string)
        =
        use scratch = new Scratch()

        let ended =
            Given.host [
                "--preset"
                "small-table"
                "--Data:Train"
                DefaultPaths.PathOf $"data/tables/{table}.csv"
                "--Data:Skip"
                "1"
                "--Run:Directory"
                scratch.Sub "runs"
            ]

        Assert.True((ended.ExitCode = 0), ended.Errors)
        let folder = Assert.Single(Given.runs scratch)
        let ended = Given.host [ "evaluate"; folder; "--format"; "json" ]
        Assert.True((ended.ExitCode = 0), ended.Errors)

        let accuracy =
            (json ended.Output).GetProperty("figures").GetProperty("accuracy").GetDouble()

        Assert.True(accuracy > 0.93, $"{accuracy}")

    [<Fact>]
    let ``numbers to predict are trained and evaluated`` () =
        use scratch = new Scratch()

        let rows = [
            for i in 0..79 ->
                let x, y = float (i % 9), float (i * 7 % 11)
                FormattableString.Invariant $"{x},{y},{3.0 * x - 2.0 * y + 5.0}"
        ]

        File.WriteAllLines(scratch.Sub "line.csv", "x,y,z" :: rows)

        let ended =
            Given.host [
                "--Data:Train"
                scratch.Sub "line.csv"
                "--Run:Directory"
                scratch.Sub "runs"
                "--Model:Hidden"
                "none"
                "--Model:Head"
                "Identity"
                "--Training:Epochs"
                "60"
                "--Training:BatchSize"
                "8"
            ]

        Assert.True((ended.ExitCode = 0), ended.Errors)
        Assert.Contains("test loss:", ended.Output)
        let folder = Assert.Single(Given.runs scratch)
        let ended = Given.host [ "evaluate"; folder; "--format"; "json" ]
        let figures = (json ended.Output).GetProperty "figures"
        Assert.True(figures.GetProperty("determination").GetDouble() > 0.99, ended.Output)
