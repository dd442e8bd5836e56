namespace Pipeline.Properties.Host

open System
open System.Globalization
open System.IO
open System.Text.Json
open Pipeline.Learning.Laws
open Xunit

/// Training:Coverage.
module CoverageTests =
    /// A class or a number that noise blurs.
    let private table (isOfNumbers: bool) = [
        "x,y,label"
        for i in 0..399 do
            let x = i * 37 % 100
            let sum = x + i * 53 % 41

            let label =
                if isOfNumbers then $"{1000 * sum}"
                elif sum > 80 then "high"
                elif sum > 50 then "middle"
                else "low"

            $"%d{x},%d{i * 11 % 17},{label}"
    ]

    let private trained (scratch: Scratch) (isOfNumbers: bool) : string * string =
        let path, runs = scratch.Sub "rows.csv", scratch.Sub "runs"
        File.WriteAllLines(path, table isOfNumbers)

        let ended =
            Given.host [
                "--Data:Train"
                path
                "--Run:Directory"
                runs
                "--Data:Validation"
                "0.4"
                "--Model:Head"
                (if isOfNumbers then "Identity" else "Softmax")
                "--Model:Hidden"
                "8"
                "--Training:Epochs"
                "10"
                "--Training:BatchSize"
                "10"
                "--Training:Coverage"
                "0.8"
            ]

        Assert.Equal(0, ended.ExitCode)
        Assert.Contains("Coverage: 80 % by ", ended.Output + ended.Errors)
        path, Directory.GetDirectories(runs)[0]

    let private json (arguments: string list) : JsonElement =
        (JsonDocument.Parse((Given.host arguments).Output)).RootElement

    let private coverageOf (run: string) =
        let figures = (json [ "evaluate"; run; "--format"; "json" ]).GetProperty "figures"
        let coverage = figures.GetProperty "coverage"
        Assert.Equal(0.8, (coverage.GetProperty "wanted").GetDouble())

        (coverage.GetProperty "measured").GetDouble(),
        (coverage.GetProperty "mean_size").GetDouble()

    let private rows =
        table true
        |> List.tail
        |> List.map (fun line ->
            let cells = line.Split ','
            dict [ "x", box (float cells[0]); "y", box (float cells[1]) ])

    [<Fact>]
    let ``sets of classes are those that a model gives everywhere`` () =
        use scratch = new Scratch()
        let path, run = trained scratch false
        let measured, size = coverageOf run
        Assert.InRange(measured, 0.65, 1.0)
        Assert.InRange(size, 1.0, 3.0)
        let inspected = (Given.host [ "inspect"; run ]).Output
        let words = "80 % by sets of the classes with a probability of "
        let from = inspected.IndexOf words + words.Length

        let lowest =
            Double.Parse(inspected[from..].Split(' ')[0], CultureInfo.InvariantCulture)

        let answers = json [ "predict"; run; path; "--format"; "json" ]
        let inMemory = (Pipeline.Training.TableModel.Load run).PredictAll rows
        let text = (Given.host [ "predict"; run; path ]).Output.Split '\n'
        let csv = (Given.host [ "predict"; run; path; "--format"; "csv" ]).Output.Split '\n'
        Assert.StartsWith("sample,class,high,low,middle,set", csv[0])

        for i, answer in Seq.indexed (answers.EnumerateArray()) do
            let set = [ for name in (answer.GetProperty "set").EnumerateArray() -> string name ]

            let likely = [
                for output in (answer.GetProperty "outputs").EnumerateObject() do
                    // The printed bound has four digits.
                    if output.Value.GetDouble() > lowest + 1e-4 then
                        output.Name
            ]

            for name in likely do
                Assert.Contains(name, set)

            Assert.NotEmpty set
            Exactly.equal set (List.ofSeq inMemory[i].ClassSet)
            let names = String.concat ", " set
            Assert.EndsWith($"; 80 %% set: {names}", text[i].TrimEnd())
            let cell = String.concat "|" set
            Assert.EndsWith($",{cell}", csv[i + 1].TrimEnd())

        let refusal =
            Assert.Throws<InvalidOperationException>(fun () -> inMemory[0].Interval |> ignore)

        Assert.Contains("predicts the classes", refusal.Message)

    [<Fact>]
    let ``intervals are those that a model gives everywhere`` () =
        use scratch = new Scratch()
        let path, run = trained scratch true
        let measured, width = coverageOf run
        Assert.InRange(measured, 0.65, 1.0)
        let answers = json [ "predict"; run; path; "--format"; "json" ]
        let inMemory = (Pipeline.Training.TableModel.Load run).PredictAll rows
        let csv = (Given.host [ "predict"; run; path; "--format"; "csv" ]).Output.Split '\n'
        Assert.StartsWith("sample,0,lower,upper", csv[0])
        let text = (Given.host [ "predict"; run; path ]).Output
        Assert.Contains("(80 % interval: ", text)

        for i, answer in Seq.indexed (answers.EnumerateArray()) do
            let bounds = (answer.GetProperty "intervals").GetProperty "0"
            let number (name: string) = (bounds.GetProperty name).GetDouble()
            let lower, upper = number "lower", number "upper"
            Approximately.equal 1e-9 [| width |] [| upper - lower |]
            let struct (own, above) = inMemory[i].Interval
            Exactly.equal (lower, upper) (own, above)
            Approximately.equal 1e-9 [| inMemory[i].Value |] [| (lower + upper) / 2.0 |]

        // The page draws what is left.
        let page = File.ReadAllText(Path.Combine(run, "evaluation.html"))
        Assert.Contains("<h2>Residuals</h2>", page)
        Assert.Contains("Numbers over predictions", page)

    [<Fact>]
    let ``cross-validation measures the coverage`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.csv"
        File.WriteAllLines(path, table false)

        let ended =
            Given.host [
                "cross-validate"
                "--Data:Train"
                path
                "--Data:Validation"
                "0.4"
                "--Training:Epochs"
                "5"
                "--Training:Coverage"
                "0.8"
            ]

        Assert.Equal(0, ended.ExitCode)
        Assert.Matches(@"(?m)^coverage +0\.\d{4}", ended.Output)
        Assert.Matches(@"(?m)^classes in a set +\d", ended.Output)

    [<Theory>]
    [<InlineData("1.5",
                 "0.4",
                 "Training:Coverage: expected a share above 0 and below 1, found 1.5 (option --Training:Coverage).")>]
    [<InlineData("0.9",
                 "0",
                 "Training:Coverage needs validation samples (Data:Validation; option --Training:Coverage).")>]
    [<InlineData("0.999",
                 "0.4",
                 "Training:Coverage: expected 999 validation samples or more (Data:Validation) for a coverage of 0.999, found ")>]
    let ``a coverage that cannot be reached is refused``
        (coverage: string)
        (validation: string)
        (expected: string)
        =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.csv"
        File.WriteAllLines(path, table false)

        let ended =
            Given.host [
                "--Data:Train"
                path
                "--Run:Directory"
                scratch.Sub "runs"
                "--Data:Validation"
                validation
                "--Training:Coverage"
                coverage
            ]

        Assert.Equal(2, ended.ExitCode)
        Assert.Contains(expected.TrimEnd '.', ended.Errors + ended.Output)
