namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Threading
open Xunit
open FsCheck
open FsCheck.FSharp
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Microsoft.Extensions.Logging
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Spectre.Console

/// A run that is stopped and resumed is the run undisturbed.
module ResumeTests =
    open ResumedRuns

    let private lbfgs = [
        "Training:Optimizer", "Lbfgs"
        "Training:History", "3"
        "Training:LearningRate", "1"
        "Training:BatchSize", "1000"
    ]

    /// Settings of everything that a state remembers.
    let settings: Gen<(string * string) list> = gen {
        let! optimizer =
            Gen.elements [
                []
                [ "Training:Optimizer", "Momentum" ]
                [ "Training:Optimizer", "Adam"; "Training:LearningRate", "0.01" ]
                [ "Training:Optimizer", "Lion"; "Training:LearningRate", "0.003" ]
                [ "Training:Optimizer", "RmsProp"; "Training:LearningRate", "0.01" ]
                lbfgs
            ]

        let! around =
            Gen.elements [
                []
                [ "Training:AverageDecay", "0.9" ]
                [ "Training:PenaltyL2", "0.01" ]

                if optimizer <> lbfgs then
                    [ "Training:Accumulate", "3" ]
                    [ "Training:WeightDecay", "0.1"; "Training:ClipNorm", "0.5" ]
            ]

        let! schedule =
            Gen.elements [
                []
                [ "Training:Schedule", "Cosine" ]
                [ "Training:Schedule", "OneCycle"; "Training:WarmUp", "5" ]
                [
                    "Training:Schedule", "Plateau"
                    "Training:SchedulePatience", "1"
                    "Training:ScheduleFactor", "0.5"
                    "Data:Validation", "0.2"
                ]
                [ "Training:EarlyStopping", "2"; "Data:Validation", "0.2" ]
            ]

        let! network =
            Gen.elements [
                []
                [ "Model:Normalised", "true" ]
                [ "Training:Dropout", "0.3" ]
                [ "Model:Normalised", "true"; "Training:Dropout", "0.3" ]
                [
                    "Model:Hidden", "50"
                    "Model:Layers", "batchnorm,dense 9,dropout 0.3,relu,batchnorm,dense 10"
                ]
                [
                    "Model:Hidden", "50"
                    "Model:Layers", "embedding 9:3 4 3:2,dense 9,relu,dense 10"
                ]
            ]

        let! sampling =
            Gen.elements [
                if optimizer <> lbfgs then
                    "Replacement"
                "Epoch"
            ]

        let! precision = Gen.elements [ "Single"; "Double" ]
        let! augmentation = Gen.elements [ []; [ "Augmentation:Shift", "1" ] ]
        // Some of these rates diverge.
        let! rate = Gen.elements [ []; []; [ "Training:LearningRate", "300" ] ]

        return
            optimizer
            @ around
            @ schedule
            @ network
            @ augmentation
            @ rate
            @ [ "Training:Sampling", sampling; "Training:Precision", precision ]
    }

    /// The lines of a run's summary, but for its seconds: among them the best figures and the findings,
    /// which follow from all epochs.
    let private summaryOf (folder: string) : string[] =
        File.ReadAllLines(Path.Combine(folder, "summary.json"))
        |> Array.filter (fun line -> not (line.Contains "_seconds"))

    [<Law(MaxTest = 40)>]
    let ``a run stopped anywhere, as often as may be, and gone on with is the run undisturbed``
        (PositiveInt first)
        (PositiveInt second)
        =
        Prop.forAll (Arb.fromGen settings) (fun settings ->
            use scratch = new Scratch()
            let data = Given.data scratch
            let whole = run onDisk (plan (settingsIn scratch "whole" data settings)) -1L
            let cut = settingsIn scratch "cut" data (("Run:Resume", "Auto") :: settings)
            let mutable last = Outcome.Interrupted

            for stopAfter in List.sort [ int64 (first % 50 + 1); int64 (second % 50 + 1) ] do
                if last = Outcome.Interrupted then
                    last <- (run onDisk (plan cut) stopAfter).Outcome

            if last = Outcome.Interrupted then
                last <- (run onDisk (plan cut) -1L).Outcome

            Assert.Equal(whole.Outcome, last)

            Assert.Equal(
                Left.behind (folderOf scratch "whole"),
                Left.behind (folderOf scratch "cut")
            )

            Assert.Equal<string>(
                summaryOf (folderOf scratch "whole"),
                summaryOf (folderOf scratch "cut")
            ))

    /// A table whose label is a number.
    let private numbers (scratch: Scratch) : string =
        let path = scratch.Sub "rows.csv"

        File.WriteAllLines(
            path,
            [
                for i in 0..79 ->
                    let x, y = float (i % 9) / 9.0, float (i % 7) / 7.0
                    FormattableString.Invariant $"{x},{y},{x - 2.0 * y + x * y}"
            ]
        )

        path

    [<Fact>]
    let ``a run that predicts numbers is gone on with like any other, and draws its own loss`` () =
        use scratch = new Scratch()
        let data = numbers scratch

        let settings name =
            settingsIn scratch name "" [
                "Data:Train", data
                "Data:Validation", "0.2"
                "Model:Head", "Identity"
            ]
            |> List.filter (fst >> (<>) "Data:Directory")

        let file folder name =
            File.ReadAllText(Path.Combine(folderOf scratch folder, name))

        Assert.Equal(Outcome.Completed, (run onDisk (plan (settings "whole")) -1L).Outcome)
        let cut = ("Run:Resume", "Auto") :: settings "cut"
        Assert.Equal(Outcome.Interrupted, (run onDisk (plan cut) 31L).Outcome)
        Assert.Equal(Outcome.Completed, (run onDisk (plan cut) -1L).Outcome)

        Assert.Equal(Left.behind (folderOf scratch "whole"), Left.behind (folderOf scratch "cut"))

        let curves = file "whole" "curves.svg"
        Assert.Equal(curves, file "cut" "curves.svg")
        Assert.Contains("half the squared error", curves)
        Assert.Contains("validation samples", curves)
        Assert.DoesNotContain("accuracy", curves)
        use summary = Text.Json.JsonDocument.Parse(file "cut" "summary.json")

        let losses =
            (file "cut" "epochs.csv").Split '\n'
            |> Array.filter (fun line -> line.Length > 0)
            |> Array.skip 1
            |> Array.map (fun line -> float (line.Split(',')[4]), int64 (line.Split(',')[1]))

        let best = summary.RootElement.GetProperty "best_iteration"

        let reached = [|
            yield! losses
            summary.RootElement.GetProperty("final_test_loss").GetDouble(), 50L
        |]

        Assert.Equal(snd (Array.minBy fst reached), best.GetInt64())
        Assert.NotEqual(0L, best.GetInt64())

    [<Theory>]
    [<InlineData("Identity", "3", "is no longer a finite number")>]
    [<InlineData("Sigmoid", "1000", "is above ten times the first loss")>]
    let ``a run that diverges keeps the same network wherever it was stopped before``
        (activation: string)
        (rate: string)
        (says: string)
        =
        use scratch = new Scratch()
        let data = Given.data scratch

        let settings name =
            settingsIn scratch name data [
                "Model:Activation", activation
                "Training:LearningRate", rate
                "Run:CheckpointEvery", "4"
                "Run:Resume", "Auto"
            ]

        Assert.Equal(Outcome.Diverged, (run onDisk (plan (settings "whole")) -1L).Outcome)
        let whole = folderOf scratch "whole"
        Assert.Contains(says, File.ReadAllText(Path.Combine(whole, "summary.json")))
        let _, progress, _ = Left.behind whole
        Assert.True(progress.Length > 6, $"{progress.Length}")

        for stopAfter in 1 .. progress.Length - 1 do
            let cut = settings $"cut{stopAfter}"
            run onDisk (plan cut) (int64 stopAfter) |> ignore
            Assert.Equal(Outcome.Diverged, (run onDisk (plan cut) -1L).Outcome)
            Assert.Equal(Left.behind whole, Left.behind (folderOf scratch $"cut{stopAfter}"))

    [<Fact>]
    let ``settings that decide the bits may not change, and those that may are named`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let kept = Left.behind (folderOf scratch "runs")

        for key, value in
            [
                "Training:LearningRate", "0.2"
                "Training:Seed", "2"
                "Training:Optimizer", "Adam"
                "Model:Hidden", "5,5"
                "Training:Precision", "Double"
                "Training:Sampling", "Epoch"
            ] do
            let came = run onDisk (plan (set key value settings)) -1L
            Assert.Equal(Outcome.Refused, came.Outcome)
            Assert.Equal(2, came.Refusals.Length)
            Assert.StartsWith($"{key}: expected ", came.Refusals[0])
            Assert.EndsWith($"found {value}.", came.Refusals[0])
            Assert.Contains("Training:Threads", came.Refusals[1])
            Assert.Contains("Training:Iterations", came.Refusals[1])
            Assert.Contains("Run:Resume=Never", came.Refusals[1])

        // Nothing was written.
        Assert.Equal(kept, Left.behind (folderOf scratch "runs"))

    [<Fact>]
    let ``a run may go on for longer, and is the longer run`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let longer = settings |> set "Training:Iterations" "80"
        Assert.Equal(Outcome.Completed, (run onDisk (plan longer) -1L).Outcome)
        let longest = settings |> set "Training:Iterations" "95"
        Assert.Equal(Outcome.Completed, (run onDisk (plan longest) -1L).Outcome)
        Assert.Equal(whole [ "Training:Iterations", "95" ], Left.behind (folderOf scratch "runs"))

        // But not be shorter than it is.
        let came = run onDisk (plan (settings |> set "Training:Iterations" "94")) -1L
        Assert.Contains("expected 95 iterations or more", Assert.Single came.Refusals)

    [<Fact>]
    let ``a setting that is as it would be unless set has no part in the checkpoints' hash`` () =
        let hash settings =
            use host = ServiceRegistration.CreateBuilder(plan settings).Build()
            host.Services.GetRequiredService<RunConfiguration>().AffectingResultSha256

        Assert.Equal(hash [], hash [ "Training:Dropout", "0"; "Training:Threads", "1" ])
        Assert.Equal(hash [], hash [ "Training:Iterations", "7"; "Run:Name", "x" ])
        Assert.NotEqual<string>(hash [], hash [ "Training:Dropout", "0.1" ])
        Assert.NotEqual<string>(hash [], hash [ "Model:Hidden", "51" ])

    [<Fact>]
    let ``under a schedule that looks ahead a run's length decides its bits`` () =
        use scratch = new Scratch()
        let settings = stopped scratch [ "Training:Schedule", "Cosine" ]
        let came = run onDisk (plan (settings |> set "Training:Iterations" "80")) -1L
        Assert.StartsWith("Training:Iterations: expected 50", came.Refusals[0])
        Assert.DoesNotContain("Training:Iterations", came.Refusals[1])

    [<Fact>]
    let ``a run goes on with the settings it had, named by its folder alone`` () =
        use scratch = new Scratch()
        stopped scratch [ "Training:Optimizer", "Adam" ] |> ignore
        let folder = folderOf scratch "runs"

        for settings in
            [
                [ "Run:Resume", folder ]
                [
                    "Run:Resume", string (Path.GetFileName folder)
                    "Run:Directory", scratch.Sub "runs"
                ]
            ] do
            let came = run onDisk (plan settings) -1L
            Assert.Equal(Outcome.Completed, came.Outcome)
            Assert.Equal(whole [ "Training:Optimizer", "Adam" ], Left.behind folder)

    [<Fact>]
    let ``what was said of the model before is gone once a run goes on`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let page = Path.Combine(folderOf scratch "runs", "evaluation.html")
        File.WriteAllText(page, "of the model of iteration 30")
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Assert.False(File.Exists page)
        // A run that has come to its end has the model that it had.
        File.WriteAllText(page, "of the model of iteration 50")
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Assert.True(File.Exists page)

    [<Fact>]
    let ``Auto goes on with the newest run unless that has come to its end`` () =
        use scratch = new Scratch()
        let settings = stopped scratch [] |> set "Run:Resume" "Auto"
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Assert.Equal(whole [], Left.behind (folderOf scratch "runs"))
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Assert.Equal(2, Directory.GetDirectories(scratch.Sub "runs").Length)

    [<Fact>]
    let ``a resumed run keeps its Run:ProgressEvery, and says so where another is given`` () =
        let expected = whole [ "Run:ProgressEvery", "4" ]
        let _, progress, _ = expected
        // The header, and iterations 4 to 48.
        Assert.Equal(13, progress.Length)

        for given, isTold in [ [ "Run:ProgressEvery", "3" ], true; [], false ] do
            use scratch = new Scratch()
            let settings = stopped scratch [ "Run:ProgressEvery", "4" ]

            let resumed =
                given |> List.fold (fun all (key, value) -> set key value all) settings

            let again = run onDisk (plan resumed) 40L

            let words =
                "is resumed with its own Run:ProgressEvery, 4; the given value, 3, applies to new runs only"

            Assert.Equal(isTold, again.Logged |> List.exists _.Contains(words))
            Assert.Equal(Outcome.Completed, (run onDisk (plan resumed) -1L).Outcome)
            Assert.Equal(expected, Left.behind (folderOf scratch "runs"))
