namespace Pipeline.Properties.Host

open System
open System.IO
open System.Text.Json
open Pipeline.Learning
open Pipeline.Learning.Laws
open Xunit

/// <c>cross-validate</c>.
module CrossValidateTests =
    let private rows = 90

    /// A table with a column of each kind, blanks, and two classes.
    let private write (path: string) (which: int list) =
        File.WriteAllLines(
            path,
            "id,age,plan,churn"
            :: [
                for row in which do
                    let age = if row % 17 = 3 then "" else string (20 + row * 7 % 50)
                    let isYes = row * 7 % 50 < 15 || row % 11 = 0
                    $"""%d{row},{age},{[ "basic"; "plus"; "pro" ][row % 3]},{if isYes then "yes" else "no"}"""
            ]
        )

    let private settings = [
        "--Data:Ignored"
        "id"
        "--Data:Missing"
        "Median"
        "--Model:Hidden"
        "8"
        "--Training:Epochs"
        "4"
        "--Training:BatchSize"
        "10"
        "--Training:Precision"
        "Double"
    ]

    let private run (path: string) (options: string list) : Ended =
        Given.host ([ "cross-validate"; "--Data:Train"; path ] @ settings @ options)

    let private json (ended: Ended) : JsonElement =
        Assert.Equal("", ended.Errors)
        Assert.Equal(0, ended.ExitCode)
        JsonDocument.Parse(ended.Output).RootElement

    [<Fact>]
    let ``a fold's figures are those of a model trained on the other rows`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.csv"
        write path [ 0 .. rows - 1 ]
        let found = run path [ "--group"; "id"; "--folds"; "3"; "--format"; "json" ] |> json

        // The same division, found from the table of identifiers and labels alone.
        let lines = File.ReadAllLines path |> Array.skip 1
        let ids = lines |> Array.map (fun line -> float (line.Split ',' |> Array.head))

        let classes = lines |> Array.map (fun line -> if line.EndsWith "yes" then 1 else 0)

        let keys =
            RowKey.ofColumns
                (Pipeline.Learning.Formats.CellReader Pipeline.Learning.Formats.CellFormat.Default)
                rows
                [
                    {
                        Name = "id"
                        Cells = Pipeline.Learning.Formats.Cells.Numbers ids
                    }
                ]

        let folds =
            match Folds.stratified 1UL 3 keys classes with
            | Ok folds -> folds
            | Error faults -> failwith $"{faults}"

        folds
        |> List.iteri (fun index fold ->
            let train, test = scratch.Sub $"train{index}.csv", scratch.Sub $"test{index}.csv"
            write train (List.ofArray fold.Training)
            write test (List.ofArray fold.Test)
            let runs = scratch.Sub $"runs{index}"

            let trained =
                Given.host (
                    [ "--Data:Train"; train; "--Data:Test"; test; "--Run:Directory"; runs ]
                    @ settings
                )

            Assert.Equal(0, trained.ExitCode)

            let evaluated =
                Given.host [ "evaluate"; Directory.GetDirectories(runs)[0]; "--format"; "json" ]

            let expected =
                JsonDocument.Parse(evaluated.Output).RootElement.GetProperty "figures"

            let figures =
                found.GetProperty("folds").EnumerateArray()
                |> Seq.item index
                |> _.GetProperty("figures")

            for name, other in
                [
                    "accuracy", "accuracy"
                    "balanced_accuracy", "balanced_accuracy"
                    "macro_f1", "macro_f1"
                    "area_under_roc", "area_under_roc"
                    "log_loss", "loss"
                ] do
                Exactly.equal
                    ((expected.GetProperty other).GetDouble())
                    ((figures.GetProperty name).GetDouble()))

    [<Fact>]
    let ``every number of threads gives the same text, and the spread is that of the folds`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.csv"
        write path [ 0 .. rows - 1 ]

        let texts =
            [ "1"; "4" ]
            |> List.map (fun threads ->
                let ended = run path [ "--seeds"; "2"; "--Training:Threads"; threads ]
                Assert.Equal("", ended.Errors)
                ended.Output)

        Assert.Equal(texts[0], texts[1])

        Assert.Contains(
            "5 folds, with about the same number of rows of every class; 2 seeds from 1 on",
            texts[0]
        )

        let found = run path [ "--seeds"; "2"; "--format"; "json" ] |> json

        let losses = [
            for fold in (found.GetProperty "folds").EnumerateArray() do
                ((fold.GetProperty "figures").GetProperty "log_loss").GetDouble()
        ]

        Assert.Equal(10, losses.Length)
        let mean = List.average losses

        let deviation =
            sqrt ((losses |> List.sumBy (fun loss -> (loss - mean) ** 2.0)) / 9.0)

        let figure =
            (found.GetProperty "figures").EnumerateArray()
            |> Seq.find (fun figure -> (figure.GetProperty "name").GetString() = "log-loss")

        Approximately.equal 1e-12 [| mean; deviation; List.min losses; List.max losses |] [|
            for name in [ "mean"; "deviation"; "lowest"; "highest" ] do
                (figure.GetProperty name).GetDouble()
        |]

    [<Fact>]
    let ``inspect prints the columns of a table, and what a setting has to say`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.csv"
        write path [ 0 .. rows - 1 ]
        let ended = Given.host [ "inspect"; path ]
        Assert.Equal("", ended.Errors)
        Assert.Equal(0, ended.ExitCode)
        Assert.Matches(@"(?m)^age +number +6 +\d+ +20 ", ended.Output)
        Assert.Matches(@"(?m)^plan +categories +0 +3 +– .* basic \(30\)$", ended.Output)
        Assert.Matches(@"(?m)^churn +label +0 +2 ", ended.Output)
        Assert.Contains("Column id looks like an index of the rows", ended.Output)

        let ignored =
            Given.host [ "inspect"; path; "--Data:Ignored"; "id"; "--Data:Label"; "plan" ]

        Assert.Matches(@"(?m)^id +left out: Data:Ignored ", ignored.Output)
        Assert.Matches(@"(?m)^plan +label ", ignored.Output)
        Assert.Matches(@"(?m)^basic +30 +33\.3 %$", ignored.Output)
        Assert.DoesNotContain("Possible mistakes", ignored.Output)

    [<Fact>]
    let ``what cannot be divided is refused with what to do`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.csv"
        write path [ 0 .. rows - 1 ]

        let refused (options: string list) (expected: string) =
            let ended = run path options
            Assert.Equal(expected, ended.Errors.Trim())
            Assert.Equal("", ended.Output)
            Assert.Equal(2, ended.ExitCode)

        refused
            [ "--group"; "plan"; "--folds"; "4" ]
            "--folds: expected 2 to 3, as there are 3 different samples or groups, found 4."

        refused
            [ "--time"; "plan" ]
            $"{path}, column plan, line 2: expected a number, or a date like 2026-11-30 or 2026-11-30T09:30:00Z, found 'basic' and 89 cells more."

        refused
            [ "--time"; "id"; "--group"; "plan" ]
            "--time: expected nothing beside --group, found 'id'."

        refused
            [ "--group"; "churn" ]
            $"{path}, column churn is the label and cannot divide rows into folds; --group or --time needs another column."

        let without = Given.host [ "cross-validate" ]

        Assert.Equal(
            "Data:Train: expected a file with a table of rows, found nothing.",
            without.Errors.Trim()
        )

        Assert.Equal(2, without.ExitCode)
