namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Threading
open System.Threading.Tasks
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Logging.Abstractions
open Orleans
open Orleans.Runtime
open Orleans.TestingHost
open Pipeline.Cluster
open Pipeline.Learning
open Pipeline.Training
open Xunit

/// A cluster of silos in this process: whoever is killed, a sweep ends in the board that one worker makes.
module ClusterTests =
    let private patience = TimeSpan.FromMinutes 1.0

    let private unchanged = Task.FromResult<TrialResult>

    let private waitFor (what: string) (condition: unit -> bool) =
        Assert.True(SpinWait.SpinUntil(condition, patience), what)

    let private ended (task: Task) =
        try
            Assert.True(task.Wait patience, "the worker goes on")
        with :? AggregateException as failed ->
            raise (failed.GetBaseException())

    let private sweepOf (access: ClusterAccess) (submission: Submission) =
        access.Grains.GetGrain<ISweep> submission.Name

    let private nobody = "nobody 127.0.0.1:1@1"

    let private resultOf (lease: Lease) : StageResult =
        let found =
            MadeUpTrials.expected {
                Trial = lease.Trial
                Attempt = lease.Attempt
                Stage = lease.Stage
                Epoch =
                    if lease.Epoch.HasValue then
                        ValueSome lease.Epoch.Value
                    else
                        ValueNone
                Values = List.ofArray lease.Values
            }

        StageResult(
            found.Deficit,
            [| "loss" |],
            [| found.Deficit |],
            found.Iterations,
            found.Model,
            found.HasEnded,
            1.0
        )

    let private leaseOf (taken: Taken) = nonNull taken.Lease

    /// The sweep has ended as it does with one worker.
    let private requireSameEnd (silos: TestSilos) (submission: Submission) =
        let expected = MadeUpTrials.alone (MadeUpTrials.planOf submission)

        Assert.Equal<_ list>(
            MadeUpTrials.outcome expected,
            MadeUpTrials.outcome (silos.Board submission).Board
        )

    [<Fact>]
    let ``a call that fails after its attempts were ended counts as ended`` () =
        use ended = new CancellationTokenSource()

        let call () =
            ended.Cancel()
            Task.FromException<int>(TimeoutException())

        let retry = Retry(TimeProvider.System, NullLogger.Instance)

        Assert.ThrowsAny<OperationCanceledException>(fun () ->
            retry.UntilDoneAsync(call, ended.Token).GetAwaiter().GetResult() |> ignore)

    [<Fact>]
    let ``40 trials on 3 silos, of which 4 are killed and replaced, end in the board of one worker``
        ()
        =
        use scratch = new Scratch()
        use silos = new TestSilos(3)
        let submission = MadeUpTrials.submission "killed" 40 null
        let expected = MadeUpTrials.alone (MadeUpTrials.planOf submission)
        silos.Begin submission
        let runner = MadeUpTrials.runner (TimeSpan.FromMilliseconds 10.0) 0L unchanged
        let workers = Dictionary<string, TestWorker>()

        let start (silo: InProcessSiloHandle) =
            workers[silo.Name] <-
                TestWorker(silo.ServiceProvider, submission, runner, 2, scratch.Sub silo.Name)

        Seq.iter start (List.ofSeq silos.Cluster.Silos)

        let results () =
            (silos.Board submission).Board.Trials |> List.sumBy _.Results.Length

        let goal = expected.Trials |> List.sumBy _.Results.Length

        for kill in 1..4 do
            waitFor $"%d{kill} fifths of the results" (fun () -> results () >= kill * goal / 5)
            let victim = silos.Cluster.Silos[Random.Shared.Next silos.Cluster.Silos.Count]
            workers[victim.Name].Stop()
            silos.Cluster.KillSiloAsync(victim).Wait()
            start (silos.Cluster.StartAdditionalSilo())

        waitFor "the end" (fun () -> (silos.Board submission).Board.IsDone)
        let found = silos.Board submission
        Assert.Empty found.Differences

        Assert.True(
            (MadeUpTrials.outcome found.Board = MadeUpTrials.outcome expected),
            $"%A{found.Board}\nand alone\n%A{expected}"
        )

        for worker in workers.Values do
            worker.Stop()
            ended worker.Running

    [<Fact>]
    let ``a trial whose worker the membership does not know is free at once`` () =
        use silos = new TestSilos(1)
        let submission = MadeUpTrials.submission "gone" 3 null
        silos.Begin submission
        let access = silos.Access
        let sweep = sweepOf access submission
        let take worker = leaseOf (sweep.Take(worker).Result)
        Assert.Equal(0, (take nobody).Trial)
        let lease = take access.Worker
        Assert.Equal(0, lease.Trial)
        Assert.Equal(2, lease.Attempt)
        // One that it knows keeps its trial.
        Assert.Equal(1, (take access.Worker).Trial)
        Assert.Equal(LeaseState.Held, sweep.Renew(access.Worker, lease, 1L, 30L).Result)
        let lost = Lease(0, 1, 0, lease.Epoch, lease.Values, lease.Sweep)
        Assert.Equal(LeaseState.Lost, sweep.Renew(nobody, lost, 1L, 30L).Result)

    [<Fact>]
    let ``a coordinator that starts again leaves its workers their trials and knows their results``
        ()
        =
        use silos = new TestSilos(1)
        let submission = MadeUpTrials.submission "again" 4 null
        silos.Begin submission
        let access = silos.Access
        let sweep = sweepOf access submission
        let first = leaseOf (sweep.Take(access.Worker).Result)
        Assert.True(sweep.Record(access.Worker, first, resultOf first).Result.IsRecorded)
        let second = leaseOf (sweep.Take(access.Worker).Result)
        silos.Cluster.DeactivateAsync(sweep).Wait()
        let third = leaseOf (sweep.Take(access.Worker).Result)
        Assert.NotEqual((second.Trial, second.Stage), (third.Trial, third.Stage))
        Assert.Equal(LeaseState.Held, sweep.Renew(access.Worker, second, 1L, 30L).Result)
        let recorded = (silos.Board submission).Board.Trials[0]
        Assert.Equal((resultOf first).Model, recorded.Results.Head.Model)
        Assert.Equal<string list>([ access.Worker ], recorded.Recorders)

    [<Fact>]
    let ``an equal result is ignored; an unequal one names trial, rung, both models and both machines``
        ()
        =
        use scratch = new Scratch()
        use silos = new TestSilos(1)
        let submission = MadeUpTrials.submission "unequal" 1 null
        silos.Begin submission
        let access = silos.Access
        let sweep = sweepOf access submission
        let found = TaskCompletionSource()
        let known = TaskCompletionSource()

        let runner =
            MadeUpTrials.runner TimeSpan.Zero 0L (fun result -> task {
                found.TrySetResult() |> ignore
                do! known.Task
                return { result with Model = "other" }
            })

        let worker =
            TestWorker(silos.Cluster.Silos[0].ServiceProvider, submission, runner, 1, scratch.Path)

        found.Task.Wait patience |> ignore
        let board = (silos.Board submission).Board
        let values = Array.ofList board.Trials[0].Values
        let lease = Lease(0, 1, 0, Nullable 1, values, submission.Key)
        let right = resultOf lease
        Assert.Equal("", sweep.Record(nobody, lease, right).Result.Alarm)
        let once = (silos.Board submission).Board
        Assert.Equal("", sweep.Record(access.Worker, lease, right).Result.Alarm)
        Assert.Equal(once, (silos.Board submission).Board)
        known.SetResult()

        let alarm =
            Assert.Throws<DifferentResultException>(fun () -> ended worker.Running).Message

        Assert.Contains("Trial 0, rung 1: two results differ", alarm)
        Assert.Contains($"{nobody} found the model {right.Model}, ", alarm)
        Assert.Contains($"{access.Worker} the model other.", alarm)
        Assert.Equal($"unequal: {Assert.Single((silos.Board submission).Differences)}", alarm)

    [<Fact>]
    let ``a worker with another version of the program takes nothing and says why`` () =
        use scratch = new Scratch()
        use silos = new TestSilos(1)
        let submission = MadeUpTrials.submission "old" 2 "0.0.1"
        silos.Begin submission
        let access = silos.Access

        let source =
            JoinedSweeps(
                access,
                "redis:host:6379",
                CommandLineSettings(Dictionary<string, string | null>()),
                1,
                ignore,
                silos.Cluster.Silos[0].ServiceProvider
            )

        let worker =
            TrialWorker(access, source, 1, scratch.Path, TimeProvider.System, NullLogger.Instance)

        let refused =
            Assert.Throws<RefusedException>(fun () ->
                ended (worker.RunAsync CancellationToken.None))

        Assert.Equal(
            $"the program: expected version 0.0.1, as the sweep old of redis:host:6379 was begun with, found {RunFolder.Version}.",
            Assert.Single refused.Reasons
        )

        Assert.All(
            (silos.Board submission).Board.Trials,
            (fun trial -> Assert.Equal(0, trial.Attempts))
        )

    [<Fact>]
    let ``another sweep of the same name is refused with what differs, and the same one goes on``
        ()
        =
        use silos = new TestSilos(1)
        let submission = MadeUpTrials.submission "same" 2 "1"
        silos.Begin submission
        silos.Begin submission
        let sweep = sweepOf silos.Access submission

        Assert.Equal(
            "same: expected what the sweep of that name was begun with, or another name, found another plan, version 2 of the program instead of 1.",
            sweep.Begin(MadeUpTrials.submission "same" 3 "2").Result
        )

    [<Fact>]
    let ``pausing has trials saved and given back, and continuing has them resumed`` () =
        use scratch = new Scratch()
        use silos = new TestSilos(1)
        let submission = MadeUpTrials.submission "paused" 1 null
        silos.Begin submission
        let sweep = sweepOf silos.Access submission
        let silo = silos.Cluster.Silos[0].ServiceProvider
        let runner = MadeUpTrials.runner (TimeSpan.FromMilliseconds 400.0) 0L unchanged
        let worker = TestWorker(silo, submission, runner, 1, scratch.Path)
        let running () = sweep.View("").Result.Running

        waitFor "progress" (fun () -> running () |> Array.exists (fun each -> each.Iteration >= 2L))
        Assert.Equal(SweepPhase.Running, sweep.Ask(SweepPhase.Paused).Result)
        waitFor "the trial is given back" (fun () -> Array.isEmpty (running ()))
        Assert.Equal(SweepPhase.Paused, sweep.View("").Result.Phase)
        Assert.Null(sweep.Take(nobody).Result.Lease)

        let archive =
            silos.Access.Trials.GetAsync(TrialStore.KeyOf(submission.Key, 0)).Result

        let reached = (nonNull archive).Iteration
        Assert.True(reached >= 2L)
        worker.Stop()
        ended worker.Running
        Assert.Equal(SweepPhase.Paused, sweep.Ask(SweepPhase.Running).Result)

        let quick = MadeUpTrials.runner TimeSpan.Zero 0L unchanged
        let worker = TestWorker(silo, submission, quick, 1, scratch.Path)
        waitFor "the end" (fun () -> (silos.Board submission).Board.IsDone)
        worker.Stop()
        ended worker.Running
        requireSameEnd silos submission

    [<Fact>]
    let ``archives travel in parts of 8 MB or less, and nothing is left of those that were replaced``
        ()
        =
        use silos = new TestSilos(1)
        let trials = silos.Access.Trials
        let key = "sweep/1/7"

        let parts () =
            silos.Store.Kept
            |> Seq.filter (fun kept -> kept.Key.StartsWith "part/")
            |> Seq.map (fun kept -> (snd kept.Value).Length)
            |> Array.ofSeq

        let archive (iteration: int64) isStageEnd (length: int) =
            let bytes = Array.zeroCreate<byte> length
            Random(int iteration).NextBytes bytes
            TrialArchive(iteration, isStageEnd, bytes)

        let get () = nonNull (trials.GetAsync(key).Result)

        let same (expected: TrialArchive) =
            Assert.True(ReadOnlySpan(expected.Bytes).SequenceEqual(ReadOnlySpan((get ()).Bytes)))

        Assert.Null(trials.GetAsync(key).Result)
        let large = archive 5L false (17 * 1024 * 1024 + 3)
        trials.PutAsync(key, large).Wait()
        Assert.Equal(3, (parts ()).Length)

        Assert.All(parts (), (fun length -> Assert.InRange(length, 1, ArchiveParts.Longest + 1024)))

        same large
        // One that was announced and never finished, as of a worker that was killed.
        let grain = silos.Access.Grains.GetGrain<ITrialArchive> key
        let storage = silos.Cluster.Silos[0].ServiceProvider

        let storage =
            storage.GetRequiredKeyedService<Orleans.Storage.IGrainStorage> ClusterStore.Name

        let open' = grain.Open(1).Result
        ArchiveParts.WriteAsync(storage, key, open', 0, [| 1uy |]).Wait()
        // An earlier checkpoint, and the same one again, replace nothing.
        trials.PutAsync(key, archive 4L false 10).Wait()
        trials.PutAsync(key, archive 5L false 10).Wait()
        same large
        // The end of a stage has more than its checkpoint.
        let last = archive 5L true 100
        trials.PutAsync(key, last).Wait()
        same last
        Assert.True((get ()).IsStageEnd)
        Assert.Single(parts ()) |> ignore
        // A damaged part is not an archive.
        let kept = silos.Store.Kept |> Seq.find (fun kept -> kept.Key.StartsWith "part/")
        let tag, bytes = kept.Value
        bytes[bytes.Length - 3] <- bytes[bytes.Length - 3] ^^^ 1uy
        silos.Store.Kept[kept.Key] <- (tag, bytes)
        Assert.Null(trials.GetAsync(key).Result)
        grain.Remove().Wait()
        Assert.Empty silos.Store.Kept

    [<Fact>]
    let ``a checkpoint of 300 MB is refused in a sentence, fails no call, and its trial has its result``
        ()
        =
        use scratch = new Scratch()
        use silos = new TestSilos(1)
        let submission = MadeUpTrials.submission "large" 1 null
        silos.Begin submission
        let runner = MadeUpTrials.runner TimeSpan.Zero (300L * 1024L * 1024L) unchanged
        let silo = silos.Cluster.Silos[0].ServiceProvider
        let worker = TestWorker(silo, submission, runner, 1, scratch.Path)
        waitFor "the end" (fun () -> (silos.Board submission).Board.IsDone)
        worker.Stop()
        ended worker.Running
        requireSameEnd silos submission

        Assert.Null(silos.Access.Trials.GetAsync(TrialStore.KeyOf(submission.Key, 0)).Result)
        let folder = scratch.Sub "trial"
        let checkpoints = Directory.CreateDirectory(Path.Combine(folder, "checkpoints"))

        do
            use file = File.Create(Path.Combine(checkpoints.FullName, "000000001.safetensors"))
            file.SetLength(300L * 1024L * 1024L)

        File.WriteAllText(Path.Combine(checkpoints.FullName, "000000001.json"), "{}")

        let refused =
            Assert.Throws<RefusedException>(fun () -> TrialArchive.Pack(folder, false) |> ignore)

        Assert.Equal(
            "the checkpoint of trial: expected 256 MB or less, as a cluster keeps it, found 300 MB or more.",
            Assert.Single refused.Reasons
        )

    [<Fact>]
    let ``an archive has the newest whole checkpoint and the other files, and no lock or unfinished file``
        ()
        =
        use scratch = new Scratch()
        let folder = scratch.Sub "trial"

        let write (name: string) (text: string) =
            let path = Path.Combine(folder, name)
            Directory.CreateDirectory(Path.GetDirectoryName path |> nonNull) |> ignore
            File.WriteAllText(path, text)

        for part, newest in [ "seed-1", 30L; "seed-2", 20L ] do
            for iteration in [ 10L .. 10L .. newest ] do
                write $"{part}/checkpoints/%09d{iteration}.json" "{}"
                write $"{part}/checkpoints/%09d{iteration}.safetensors" $"{part} {iteration}"

            // Its manifest is not written yet.
            write $"{part}/checkpoints/%09d{newest + 10L}.safetensors" "unfinished"
            write $"{part}/checkpoints/lock" ""
            write $"{part}/progress.csv{AtomicFile.Unfinished}" ""
            write $"{part}/progress.csv" part

        let archive = nonNull (TrialArchive.Pack(folder, true))
        Assert.Equal(50L, archive.Iteration)
        Assert.Equal(Nullable 50L, TrialArchive.IterationOf folder)
        let other = scratch.Sub "other"
        Directory.CreateDirectory other |> ignore
        File.WriteAllText(Path.Combine(other, "stale"), "")
        archive.Unpack other

        Assert.Equal<string>(
            [
                "seed-1/checkpoints/000000030.json"
                "seed-1/checkpoints/000000030.safetensors"
                "seed-1/progress.csv"
                "seed-2/checkpoints/000000020.json"
                "seed-2/checkpoints/000000020.safetensors"
                "seed-2/progress.csv"
            ],
            Directory.GetFiles(other, "*", SearchOption.AllDirectories)
            |> Array.map (fun path -> Path.GetRelativePath(other, path))
            |> Array.sort
        )

        Assert.Equal(
            "seed-2 20",
            File.ReadAllText(Path.Combine(other, "seed-2/checkpoints/000000020.safetensors"))
        )

        Directory.Delete(folder, true)
        Assert.Null(TrialArchive.Pack(folder, true))

        Assert.Throws<InvalidDataException>(fun () ->
            TrialArchive(1L, false, [| 1uy |]).Unpack other)
        |> ignore
