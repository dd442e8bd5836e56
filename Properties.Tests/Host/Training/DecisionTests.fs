namespace Pipeline.Properties.Host

open System.IO
open System.Text.Json
open Pipeline.Learning.Laws
open Xunit

/// Training:Decision.
module DecisionTests =
    let private table = [
        "x,y,label"
        for i in 0..199 do
            let x = i * 37 % 100
            let noise = i * 53 % 41
            $"""%d{x},%d{i * 11 % 17},{if x + noise > 105 then "yes" else "no"}"""
    ]

    let private settings (path: string) (runs: string) (decision: string) = [
        "--Data:Train"
        path
        "--Run:Directory"
        runs
        "--Data:Validation"
        "0.4"
        "--Model:Hidden"
        "8"
        "--Training:Epochs"
        "10"
        "--Training:BatchSize"
        "10"
        "--Training:Decision"
        decision
    ]

    [<Fact>]
    let ``a run's threshold is the one that its commands answer by`` () =
        use scratch = new Scratch()
        let path, runs = scratch.Sub "rows.csv", scratch.Sub "runs"
        File.WriteAllLines(path, table)
        let ended = Given.host (settings path runs "yes:recall=0.95")
        Assert.Equal(0, ended.ExitCode)

        Assert.Contains(
            "Class yes is answered if its probability is at least 0.",
            ended.Output + ended.Errors
        )

        let run = Directory.GetDirectories(runs)[0]
        let evaluated = Given.host [ "evaluate"; run; "--format"; "json" ]
        let root = JsonDocument.Parse(evaluated.Output).RootElement
        let decision = root.GetProperty "decision"
        Assert.Equal("yes", (decision.GetProperty "class").GetString())
        let threshold = (decision.GetProperty "threshold").GetDouble()
        let predicted = Given.host [ "predict"; run; path; "--format"; "json" ]

        let answers = [
            for answer in JsonDocument.Parse(predicted.Output).RootElement.EnumerateArray() do
                let outputs = answer.GetProperty "outputs"

                (answer.GetProperty "class").GetString(), (outputs.GetProperty "yes").GetDouble()
        ]

        for answer, probability in answers do
            Assert.Equal((if probability >= threshold then "yes" else "no"), answer)

        Assert.Contains(answers, fun (answer, probability) -> answer = "yes" && probability < 0.5)
        // The same in the text and for rows in memory.
        let text = (Given.host [ "predict"; run; path ]).Output.Split '\n'

        List.iteri
            (fun row (answer, _) ->
                Assert.StartsWith($"rows.csv row {row + 1}: {answer} (", text[row]))
            answers

        let model = Pipeline.Training.TableModel.Load run

        let rows =
            table
            |> List.tail
            |> List.map (fun line ->
                let cells = line.Split ','
                dict [ "x", box (float cells[0]); "y", box (float cells[1]) ])

        Exactly.equal
            (answers |> List.map fst)
            (model.PredictAll rows |> Seq.map _.Class |> List.ofSeq)

    [<Fact>]
    let ``an explanation is of the answer, and sums up to its probability`` () =
        use scratch = new Scratch()
        let path, runs = scratch.Sub "rows.csv", scratch.Sub "runs"
        File.WriteAllLines(path, table)
        Assert.Equal(0, (Given.host (settings path runs "yes:recall=0.95")).ExitCode)
        let run = Directory.GetDirectories(runs)[0]
        let ended = Given.host [ "predict"; run; path; "--explain"; "--format"; "json" ]

        for answer in JsonDocument.Parse(ended.Output).RootElement.EnumerateArray() do
            let explanation = answer.GetProperty "explanation"

            let number (name: string) =
                (explanation.GetProperty name).GetDouble()

            let columns = explanation.GetProperty "columns"

            let parts = [
                for name in [ "x"; "y" ] do
                    (columns.GetProperty name).GetDouble()
            ]

            Approximately.equal 1e-4 [| number "prediction" - number "baseline" |] [|
                List.sum parts
            |]

            let name = (answer.GetProperty "class").GetString() |> nonNull
            let outputs = answer.GetProperty "outputs"

            Approximately.equal 1e-5 [| (outputs.GetProperty name).GetDouble() |] [|
                number "prediction"
            |]

        let text = (Given.host [ "predict"; run; path; "--explain" ]).Output.Split '\n'
        Assert.Matches("^rows.csv row 1: (yes|no) ", text[0])
        Assert.Matches("^  (yes|no) of a row with every input 0: 0\\.\\d{4}$", text[1])
        Assert.Matches("^  [xy]  [+−]\\d\\.\\d{4}$", text[2])

        let images = Given.host [ "predict"; run; path; "--explain"; "--format"; "csv" ]

        Assert.StartsWith("sample,class,no,yes,baseline,added by x,added by y", images.Output)

    [<Theory>]
    [<InlineData("maybe:recall=0.9",
                 "Training:Decision: expected one of the classes no, yes, found 'maybe'.")>]
    [<InlineData("yes:recall=2",
                 "Training:Decision: expected CLASS:recall=0.9, CLASS:precision=0.8, CLASS:cost=5 or CLASS:threshold=0.3, shares above 0 and up to 1, found 'yes:recall=2' (option --Training:Decision).")>]
    let ``a decision that cannot be made is refused`` (decision: string) (expected: string) =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.csv"
        File.WriteAllLines(path, table)
        let ended = Given.host (settings path (scratch.Sub "runs") decision)
        Assert.Equal(2, ended.ExitCode)
        Assert.Contains(expected, ended.Errors + ended.Output)
