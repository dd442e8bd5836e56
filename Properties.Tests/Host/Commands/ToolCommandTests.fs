namespace Pipeline.Properties.Host

open System
open System.IO
open System.IO.Compression
open System.Text.Json
open System.Text.RegularExpressions
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// The help, and the commands beside train, evaluate, predict and export.
module ToolCommandTests =
    /// Options but for those that only a run has.
    let private notOfRun =
        List.filter (fun (option: string) -> not (option.StartsWith "--Run:"))

    [<Fact>]
    let ``help lists the commands first, in lines that can be read`` () =
        let help arguments =
            let ended = Given.host arguments
            Assert.Equal(0, ended.ExitCode)
            ended.Output

        let root = help [ "--help" ]
        Assert.DoesNotContain("--Training", root)
        Assert.Contains("train --help lists them", root)
        let commands = root.IndexOf("Commands:", StringComparison.Ordinal)
        Assert.InRange(commands, 0, root.IndexOf("Options:", StringComparison.Ordinal))
        let train = help [ "train"; "--help" ]
        let serve = help [ "serve"; "--help" ]

        for setting in SettingCatalog.All do
            let page = if setting.Section = "Serve" then serve else train
            Assert.Contains($"--{setting.Key} ", page)

        for line in (root + train + serve).Split '\n' do
            Assert.InRange(line.Length, 0, 100)

    [<Fact>]
    let ``check holds the gradient to its definition`` () =
        use scratch = new Scratch()

        let ended =
            Given.host [
                "check"
                "--samples=3"
                "--Model:Hidden=7,5"
                "--Model:Activation=Tanh"
                "--Data:Directory"
                Given.data scratch
            ]

        Assert.Equal(0, ended.ExitCode)
        Assert.Contains("agrees: the worst is", ended.Output)
        Assert.Contains("W3", ended.Output)
        Assert.Contains(", 3 samples, ", ended.Output)

        let one =
            Given.host [ "check"; "--samples=1"; "--Data:Directory"; scratch.Sub "data" ]

        Assert.Contains(", 1 sample, ", one.Output)

    [<Fact>]
    let ``arithmetic answers the chapter's questions`` () =
        let ended = Given.host [ "arithmetic" ]
        Assert.Equal(0, ended.ExitCode)

        Assert.Equal<string>(
            [
                "10,000 samples in batches of 100: 100 iterations an epoch"
                "10 epochs: 1,000 iterations"
                "1,000 iterations: 10 epochs"
            ],
            ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            |> Array.map _.TrimEnd()
        )

        for wrong in [ [ "--batch"; "0" ]; [ "--sample"; "500" ]; [ "more" ] ] do
            Assert.Equal(2, (Given.host ("arithmetic" :: wrong)).ExitCode)

    [<Theory>]
    [<InlineData("")>]
    [<InlineData("train")>]
    [<InlineData("check")>]
    [<InlineData("arithmetic")>]
    [<InlineData("evaluate")>]
    [<InlineData("predict")>]
    [<InlineData("export")>]
    [<InlineData("inspect")>]
    [<InlineData("diff")>]
    let ``every command helps`` (command: string) =
        let ended =
            Given.host [
                if command <> "" then
                    command
                "--help"
            ]

        Assert.Equal(0, ended.ExitCode)
        Assert.Contains("Usage:", ended.Output)

    [<Fact>]
    let ``find-rate draws the sweep and suggests a rate that is within it`` () =
        use scratch = new Scratch()
        let picture = scratch.Sub "rates.svg"

        let options =
            Given.options scratch []
            |> List.filter (fun option -> not (option.Contains "LearningRate"))

        let ended = Given.host ("find-rate" :: "--output" :: picture :: options)
        Assert.Equal(0, ended.ExitCode)

        let said =
            Regex.Match(ended.Output, @"suggested: --Training:LearningRate ([0-9.E+-]+),")

        let rate = float said.Groups[1].Value
        Assert.InRange(rate, 1e-3, 100.0)
        Assert.Contains("suggested", File.ReadAllText picture)
        Assert.Empty(Given.runs scratch)

    [<Fact>]
    let ``sanity passes at a sound rate and fails at one of next to nothing`` () =
        use scratch = new Scratch()
        let fine = Given.host ("sanity" :: (Given.options scratch [] |> notOfRun))
        Assert.Contains("over-fitted: the settings can learn", fine.Output)
        Assert.Equal(0, fine.ExitCode)

        let slow = Given.options scratch [ "Training:LearningRate", "0.000001" ] |> notOfRun
        let slow = Given.host ("sanity" :: slow)
        Assert.Contains("NOT LEARNED", slow.Output)
        Assert.Equal(1, slow.ExitCode)

    [<Fact>]
    let ``regularisers trains once with each and prints their gaps`` () =
        use scratch = new Scratch()

        let ended =
            Given.host [
                "regularisers"
                "--Data:Directory"
                Given.data scratch
                "--Training:Epochs"
                "2"
                "--Model:Hidden"
                "8"
            ]

        Assert.Equal("", ended.Errors)
        Assert.Equal(0, ended.ExitCode)

        let rows =
            Regex.Matches(ended.Output, @"^(.+?)( +-?\d\.\d{3}){6} *\r?$", RegexOptions.Multiline)

        Assert.Equal("none", rows[0].Groups[1].Value)
        Assert.Equal(11, rows.Count)

        // Each run is another one.
        let figures = rows |> Seq.map (fun row -> row.Value.Substring 21) |> Seq.distinct
        Assert.InRange(Seq.length figures, 5, 11)
