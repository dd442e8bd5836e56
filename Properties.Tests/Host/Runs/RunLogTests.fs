namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training

/// Which iterations a run writes down, and its logs.
module RunLogTests =
    let private every (number: int) =
        Cadence(Nullable(int64 (1 + abs number % 50)))

    [<Law>]
    let ``the next number written down is the first one after`` (PositiveInt number) (given: int) =
        for cadence in [ Cadence.Automatic; every given ] do
            for number in [ int64 number; int64 number * 1000L; int64 number * 1000003L ] do
                let next = cadence.Next number
                Assert.True(cadence.IsDue next)
                Assert.True(next > number)
                Assert.False(Seq.exists cadence.IsDue [ number + 1L .. next - 1L ])

    [<Fact>]
    let ``a line an iteration up to 10,000, then 9,000 lines for ten times as many`` () =
        let cadence = Cadence.Automatic
        Assert.All([ 0L .. 10_000L ], (fun number -> Assert.True(cadence.IsDue number)))

        let lines = Seq.unfold (fun n -> Some(n, cadence.Next n)) 0L

        let upTo (iterations: int64) =
            lines |> Seq.takeWhile (fun n -> n <= iterations) |> Seq.length |> (+) -1

        Assert.Equal<int>(
            [ 10_000; 19_000; 28_000; 37_000; 91_000 ],
            [ 10_000L; 100_000L; 1_000_000L; 10_000_000L; 10_000_000_000_000L ]
            |> List.map upTo
        )

    [<Fact>]
    let ``the greatest iteration has a place`` () =
        Assert.False(Cadence.Automatic.IsDue Int64.MaxValue)
        Assert.True(Cadence.Automatic.Next 9_000_000_000_000_000_000L > 0L)

    /// Remembers what it is told.
    type private Heard() =
        member val Steps = List<int64>()
        member val Epochs = List<int64>()
        member val Networks = List<int64>()

        interface IRunObserver with
            member heard.Stepped(step: inref<StepFigures>) = heard.Steps.Add step.Iteration
            member heard.Evaluated epoch = heard.Epochs.Add epoch.Epoch
            member heard.Reached(iteration, _) = heard.Networks.Add iteration
            member _.Finished _ = ()

    let private score = { Loss = 0.5; Accuracy = 0.75 }

    let private step (observer: IRunObserver) (perEpoch: int64) (iteration: int64) =
        let figures =
            StepFigures(iteration, (iteration - 1L) / perEpoch, 10, 0.25, 0.1, float iteration)

        observer.Stepped &figures

    let private evaluate (observer: IRunObserver) (perEpoch: int64) (epoch: int64) =
        observer.Evaluated(
            EpochFigures(epoch, epoch * perEpoch, score, score, Nullable(), float epoch)
        )

    /// Tells an observer of a run of so many iterations.
    let private tell (observer: IRunObserver) (perEpoch: int64) (iterations: int64) =
        evaluate observer perEpoch 0L

        for iteration in 1L .. iterations do
            step observer perEpoch iteration

            if iteration % perEpoch = 0L then
                evaluate observer perEpoch (iteration / perEpoch)

    [<Law(MaxTest = 30)>]
    let ``logs written with any cadence are read back, line by line``
        (PositiveInt iterations)
        (PositiveInt perEpoch)
        (given: int)
        (isGiven: bool)
        =
        let cadence = if isGiven then every given else Cadence.Automatic

        let iterations, perEpoch =
            int64 (iterations * 97 % 30_000 + 1), int64 (perEpoch % 3 + 1)

        use scratch = new Scratch()
        let logs = RunLogs(DiskFiles(), scratch.Path)
        logs.Continue null
        tell (Thinned(cadence, perEpoch, logs)) perEpoch iterations
        logs.Flush()
        let text name = File.ReadAllText(scratch.Sub name)
        let whole = text "progress.csv", text "epochs.csv"
        let told, again = Heard(), Heard()
        tell (Thinned(cadence, perEpoch, told)) perEpoch iterations
        // A checkpoint of half the iterations, and lines that came after it.
        let half = max 1L (iterations / 2L)
        let logs = RunLogs(DiskFiles(), scratch.Path)
        logs.Continue(logs.Find(half, perEpoch, cadence, [ again ]))
        Assert.Equal<int64>(told.Steps |> Seq.filter (fun i -> i <= half), again.Steps)

        Assert.Equal<int64>(
            told.Epochs |> Seq.filter (fun epoch -> epoch * perEpoch < half),
            again.Epochs
        )

        let rest = Thinned(cadence, perEpoch, logs)

        if half % perEpoch = 0L then
            evaluate rest perEpoch (half / perEpoch)

        for iteration in half + 1L .. iterations do
            step rest perEpoch iteration

            if iteration % perEpoch = 0L then
                evaluate rest perEpoch (iteration / perEpoch)

        logs.Flush()
        Assert.Equal(whole, (text "progress.csv", text "epochs.csv"))

    [<Fact>]
    let ``a log of an earlier version, with a line an iteration, is read`` () =
        use scratch = new Scratch()
        let logs = RunLogs(DiskFiles(), scratch.Path)
        logs.Continue null
        tell logs 1L 10_035L
        logs.Flush()
        let told = Heard()
        let again = RunLogs(DiskFiles(), scratch.Path)
        again.Continue(again.Find(10_035L, 1L, Cadence.Automatic, [ told ]))

        Assert.Equal<int64>([ yield! [ 1L .. 10_000L ]; 10_010L; 10_020L; 10_030L ], told.Steps)

        Assert.Equal(10_030L, told.Epochs[told.Epochs.Count - 1])
        let lines = File.ReadAllLines(scratch.Sub "progress.csv")
        Assert.StartsWith("10030,", lines[lines.Length - 1])

    [<Fact>]
    let ``logs of more than two gigabytes are read, and what comes after a checkpoint is cut off``
        ()
        =
        use scratch = new Scratch()
        let logs = RunLogs(DiskFiles(), scratch.Path)
        logs.Continue null
        tell logs 5L 100L
        logs.Flush()
        let text name = File.ReadAllText(scratch.Sub name)
        let whole = text "progress.csv", text "epochs.csv"

        // Holes take no room on the disk.
        for name in [ "progress.csv"; "epochs.csv" ] do
            use file = File.OpenWrite(scratch.Sub name)
            file.SetLength 3_000_000_000L

        let told = Heard()
        let again = RunLogs(DiskFiles(), scratch.Path)
        again.Continue(again.Find(100L, 5L, Cadence.Automatic, [ told ]))
        Assert.Equal<int64>([ 1L .. 100L ], told.Steps)
        evaluate again 5L 20L
        again.Flush()
        Assert.Equal(whole, (text "progress.csv", text "epochs.csv"))

        // A hole where a line should be is no line.
        using (File.OpenWrite(scratch.Sub "progress.csv")) (fun file ->
            file.SetLength 1000L
            file.SetLength 3_000_000_000L)

        let refused =
            Assert.Throws<RefusedException>(fun () ->
                RunLogs(DiskFiles(), scratch.Path).Find(100L, 5L, Cadence.Automatic, [])
                |> ignore)

        Assert.Contains("a line of at most 4096 bytes", Assert.Single refused.Reasons)

    [<Fact>]
    let ``the curves and the history of a very long run take no more room than its log`` () =
        let curves = Curves(Head.Softmax)
        let history = RunHistory()
        tell (Thinned(Cadence.Automatic, 2L, curves, history)) 2L 2_000_000L
        // 10,000 epochs up to that number, and 9,000 for ten times and 100 times as many.
        Assert.Equal(28_001, history.Losses.Count)
        Assert.True((curves.ToSvg "a run").Length < 150_000)

    [<Fact>]
    let ``lines are in the file once a second has passed`` () =
        use scratch = new Scratch()
        let logs = RunLogs(DiskFiles(), scratch.Path)
        logs.Continue null

        let lines () =
            File.ReadAllLines(scratch.Sub "progress.csv").Length - 1

        let written =
            [ 0.2; 0.9; 1.1; 1.5; 2.0; 2.2; 9.0; 9.9 ]
            |> List.mapi (fun i seconds ->
                let figures = StepFigures(int64 i + 1L, 0L, 1, 0.5, 0.1, seconds)
                logs.Stepped &figures
                lines ())

        Assert.Equal<int>([ 0; 0; 3; 3; 3; 6; 7; 7 ], written)

    [<Law(MaxTest = 50)>]
    let ``means of losses are those of equal numbers of iterations, and at most 1,000``
        (losses: NonEmptyArray<NormalFloat>)
        (PositiveInt times)
        (PositiveInt every)
        =
        let every = int64 (every % 4 + 1)

        // The losses again and again, at each iteration or each second, third or fourth.
        let steps = [|
            for i in 0 .. losses.Get.Length * (times % 200 + 1) - 1 ->
                every * int64 i + 1L, losses.Get[i % losses.Get.Length].Get
        |]

        let means = LossMeans()

        for iteration, loss in steps do
            means.Add(iteration, loss)

        let grouped (width: int64) =
            steps |> Array.groupBy (fun (iteration, _) -> (iteration - 1L) / width)

        // The least power of two that leaves few enough.
        let width =
            Seq.initInfinite (fun power -> pown 2L power)
            |> Seq.find (fun width -> (grouped width).Length <= 1000)

        Exactly.equal width means.Width

        for (_, group), struct (iteration, loss) in Seq.zip (grouped width) means.Points do
            let middle = float (fst group[0] + fst (Array.last group)) / 2.0
            Exactly.equal middle iteration
            let mean = group |> Array.averageBy snd
            let size = group |> Array.sumBy (fun (_, loss) -> abs loss)
            Assert.True(abs (mean - loss) <= 1e-12 * size, $"{mean} and {loss}")

        Exactly.equal (grouped width).Length (Seq.length means.Points)
