namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open System.Runtime.InteropServices
open System.Text
open System.Text.Json
open System.Threading
open Xunit

/// Data in a folder that are put in the place of others in one step, as files that come one by one may be
/// seen half-way on a busy machine: the folder is a link.
[<RequireQualifiedAccess>]
module private Swapped =
    [<DllImport("libc", EntryPoint = "rename", SetLastError = true)>]
    extern int private renameTo(string path, string name)

    let folder (scratch: Scratch) = scratch.Sub "now"

    let write (scratch: Scratch) (seed: uint64) (relabel: int -> int) : unit =
        let name = Path.GetRandomFileName()
        Given.write (scratch.Sub name) seed relabel
        File.CreateSymbolicLink(scratch.Sub "next", name) |> ignore
        Assert.Equal(0, renameTo (scratch.Sub "next", folder scratch))

/// A service that watches its data: it trains, publishes, waits, and trains again.
type private Watched(scratch: Scratch, settings: (string * string) list) =
    let options =
        if not (Directory.Exists(Swapped.folder scratch)) then
            Swapped.write scratch 1UL id

        Given.options
            scratch
            ([
                "Data:Directory", Swapped.folder scratch
                "Run:Mode", "Watch"
                "Watch:Every", "0.1"
             ]
             @ settings)

    let started = Tools.startHost [] options

    let said = StringBuilder()

    let rec read () = task {
        match! started.StandardError.ReadLineAsync() with
        | null -> ()
        | line ->
            lock said (fun () -> said.AppendLine line |> ignore)
            return! read ()
    }

    let reading: Tasks.Task<unit> = read ()

    let printed = started.StandardOutput.ReadToEndAsync()

    member _.Said = lock said (fun () -> said.ToString())

    member watched.Await(what: string, condition: unit -> bool) =
        if not (SpinWait.SpinUntil(condition, TimeSpan.FromMinutes 1.0)) then
            Assert.Fail $"{what} did not come: {watched.Said}"

    /// Waits until it has said so as often as that.
    member watched.Hears(words: string, times: int) =
        watched.Await(words, (fun () -> watched.Said.Split(words).Length > times))

    /// Tells it to stop, and gives its exit code.
    member _.Stop() : int =
        Process.Start("kill", [ "-TERM"; string started.Id ]).WaitForExit()
        Assert.True(started.WaitForExit(TimeSpan.FromMinutes 1.0), "it did not stop")
        reading.Wait()
        printed.Wait()
        started.ExitCode

    /// Kills it as nothing can be that is to save anything.
    member _.Kill() =
        started.Kill()
        started.WaitForExit()

    interface IDisposable with
        member _.Dispose() =
            if not started.HasExited then
                started.Kill()
                started.WaitForExit()

module WatchTests =
    let private model (scratch: Scratch) = scratch.Sub "runs/model.safetensors"

    let private record (scratch: Scratch) (name: string) =
        JsonDocument
            .Parse(File.ReadAllText(scratch.Sub "runs/model.json"))
            .RootElement.GetProperty(name)

    let private waits = "Waiting for changes"

    [<FactWithSignals>]
    let ``other data make another run, which begins with what the one before has learned`` () =
        use scratch = new Scratch()
        use watched = new Watched(scratch, [])
        watched.Hears(waits, 1)
        let first = File.ReadAllBytes(model scratch)
        Assert.True((record scratch "accuracy").GetDouble() > 0.9)
        Swapped.write scratch 7UL id
        watched.Hears(waits, 2)
        Assert.Contains("Starting from the network of", watched.Said)
        Assert.Equal(2, (Given.runs scratch).Length)
        Assert.NotEqual<byte>(first, File.ReadAllBytes(model scratch))
        let newest = Given.runs scratch |> Array.max
        Assert.Equal(newest, (record scratch "run").GetString())

        // Where it begins is no better than where the first one ended, by much.
        let accuracies (folder: string) =
            File.ReadAllLines(Path.Combine(folder, "epochs.csv"))
            |> Array.skip 1
            |> Array.map (fun line -> float (line.Split(',')[5]))

        Assert.True((accuracies newest)[0] > 0.9)
        Assert.True((accuracies (Given.runs scratch |> Array.min))[0] < 0.6)
        Assert.Equal(143, watched.Stop())

    [<FactWithSignals>]
    let ``a model that is worse Rejected the model of, unless within the margin`` () =
        for margin, isUsed in [ "0.1", false; "1", true ] do
            use scratch = new Scratch()

            use watched =
                new Watched(scratch, [ "Watch:Margin", margin; "Watch:WarmStart", "false" ])

            watched.Hears(waits, 1)
            let first = File.ReadAllBytes(model scratch)
            // The test set is sound; what is learned is not.
            Swapped.write scratch 7UL (fun label -> (label + 1) % 10)
            watched.Hears(waits, 2)
            let isNew = File.ReadAllBytes(model scratch) <> first
            Assert.Equal(isUsed, isNew)
            Assert.Equal(not isUsed, watched.Said.Contains "Rejected the model of")
            Assert.DoesNotContain("Starting from the network of", watched.Said)

            Assert.Equal(Given.runs scratch |> Array.max, (record scratch "considered").GetString())

            Assert.Equal(143, watched.Stop())

    [<FactWithSignals>]
    let ``models that predict numbers are put to use by their loss`` () =
        use scratch = new Scratch()

        let write name slope rows =
            File.WriteAllLines(
                scratch.Sub "next.csv",
                [
                    for i in 0 .. rows - 1 ->
                        let x = float (i % 9) / 9.0
                        FormattableString.Invariant $"{x},{slope * x}"
                ]
            )

            File.Move(scratch.Sub "next.csv", scratch.Sub name, true)

        write "train.csv" 1.0 80
        write "test.csv" 1.0 30

        use watched =
            new Watched(
                scratch,
                [
                    "Data:Train", scratch.Sub "train.csv"
                    "Data:Test", scratch.Sub "test.csv"
                    "Model:Head", "Identity"
                    "Training:LearningRate", "0.1"
                    "Watch:Margin", "1"
                    "Watch:WarmStart", "false"
                ]
            )

        let newest () = Given.runs scratch |> Array.max
        watched.Hears(waits, 1)
        let first = newest ()
        Assert.Contains("Published the model of", watched.Said)
        Assert.Contains(": loss 0.", watched.Said)
        Assert.Equal(JsonValueKind.Null, (record scratch "accuracy").ValueKind)
        Assert.Equal(first, (record scratch "run").GetString())
        // The test rows are sound; what is learned is not.
        write "train.csv" -1.0 80
        watched.Hears(waits, 2)
        Assert.Equal(first, (record scratch "run").GetString())
        Assert.Equal(newest (), (record scratch "considered").GetString())
        write "train.csv" 1.0 81
        watched.Hears(waits, 3)
        Assert.Equal(newest (), (record scratch "run").GetString())
        Assert.Equal(143, watched.Stop())

    [<FactWithSignals>]
    let ``broken data are told of, and the service waits for better ones`` () =
        use scratch = new Scratch()
        use watched = new Watched(scratch, [])
        watched.Hears(waits, 1)
        let labels = Path.Combine(Swapped.folder scratch, "train-labels-idx1-ubyte")
        File.WriteAllBytes(labels, [| 1uy; 2uy |])
        watched.Hears("expected a header of 8 bytes", 1)
        watched.Hears(waits, 2)
        Assert.Single(Given.runs scratch) |> ignore
        Swapped.write scratch 9UL id
        watched.Hears(waits, 3)
        Assert.Equal(2, (Given.runs scratch).Length)
        Assert.Equal(143, watched.Stop())

    [<FactWithSignals>]
    let ``a service started again does not train on what it knows, and finishes what it left`` () =
        use scratch = new Scratch()
        let settings = [ "Run:Resume", "Auto" ]

        using (new Watched(scratch, settings)) (fun watched ->
            watched.Hears(waits, 1)
            Assert.Equal(143, watched.Stop()))

        let first = File.ReadAllBytes(model scratch)

        using (new Watched(scratch, settings)) (fun watched ->
            watched.Hears(waits, 1)
            Assert.Equal(143, watched.Stop()))

        Assert.Single(Given.runs scratch) |> ignore
        // As if it had been killed before it could publish.
        File.Delete(model scratch)
        File.Delete(scratch.Sub "runs/model.json")

        using (new Watched(scratch, settings)) (fun watched ->
            watched.Hears(waits, 1)
            Assert.Equal(143, watched.Stop()))

        Assert.Single(Given.runs scratch) |> ignore
        Assert.Equal<byte>(first, File.ReadAllBytes(model scratch))

    [<FactWithSignals>]
    let ``a run that diverged is not trained again when the service starts again, until something changes``
        ()
        =
        use scratch = new Scratch()

        let settings rate = [
            "Run:Resume", "Auto"
            "Model:Activation", "Identity"
            "Training:LearningRate", rate
        ]

        let start rate times runs =
            using (new Watched(scratch, settings rate)) (fun watched ->
                watched.Hears(waits, 1)

                Assert.Equal(
                    times,
                    watched.Said.Split("diverged with these settings and data").Length - 1
                )

                Assert.Equal(runs, (Given.runs scratch).Length)
                Assert.Equal(143, watched.Stop()))

        start "1e6" 0 1
        Assert.Equal("diverged", Told.text "outcome" (Told.summary scratch))
        start "1e6" 1 1
        // As its settings may.
        start "0.01" 0 2
        // The newest run is now one of other settings.
        start "1e6" 1 2

    [<FactWithSignals>]
    let ``a service that was killed finishes its run, unless its settings have changed since`` () =
        use scratch = new Scratch()

        let settings more =
            [ "Run:Resume", "Auto"; "Run:CheckpointEvery", "50" ] @ more

        let killed () =
            using
                (new Watched(scratch, settings [ "Training:Iterations", "20000000" ]))
                (fun watched ->
                    watched.Await(
                        "a checkpoint",
                        fun () ->
                            Given.runs scratch
                            |> Array.exists (fun folder ->
                                let path = Path.Combine(folder, "checkpoints")

                                not (File.Exists(Path.Combine(folder, "summary.json")))
                                && Directory.Exists path
                                && Directory.GetFiles(path, "0*.json").Length > 1)
                    )

                    watched.Kill())

        killed ()
        let first = Assert.Single(Given.runs scratch)

        using (new Watched(scratch, settings [ "Training:LearningRate", "0.5" ])) (fun watched ->
            watched.Hears(waits, 1)

            Assert.Contains(
                $"{first} is not resumed. Training:LearningRate: expected 1, as",
                watched.Said
            )

            Assert.DoesNotContain("Resuming /", watched.Said)
            Assert.Equal(143, watched.Stop()))

        Assert.Equal(2, (Given.runs scratch).Length)

        using (new Watched(scratch, settings [ "Training:Iterations", "20000000" ])) (fun watched ->
            watched.Hears("Resuming " + first, 1)
            Assert.Equal(143, watched.Stop()))

        Assert.Equal(2, (Given.runs scratch).Length)

    [<FactWithSignals>]
    let ``a service keeps as many finished runs as it is told, and the model in use`` () =
        use scratch = new Scratch()

        use watched = new Watched(scratch, [ "Run:Kept", "1"; "Training:Iterations", "30" ])

        for run in 1..4 do
            watched.Hears(waits, run)

            watched.Await(
                "the deletion of older runs",
                fun () ->
                    let finished =
                        Given.runs scratch
                        |> Array.filter (fun path ->
                            File.Exists(Path.Combine(path, "summary.json")))

                    let used = (record scratch "run").GetString()
                    // The newest, and that of the model in use where that is another.
                    let expected = Array.distinct [| used; Array.max finished |]
                    Array.sort finished = Array.sort (Array.map nonNull expected)
            )

            Swapped.write scratch (uint64 (7 + run)) id

        Assert.Contains("(Run:Kept is 1)", watched.Said)
        Assert.Equal(143, watched.Stop())
