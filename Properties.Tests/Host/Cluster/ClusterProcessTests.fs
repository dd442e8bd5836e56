namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Sockets
open System.Security.Cryptography
open System.Security.Cryptography.X509Certificates
open System.Text
open System.Text.RegularExpressions
open System.Threading
open System.Threading.Tasks
open Xunit

/// A command as a process whose output is kept.
type Command(arguments: string list) =
    let started = Tools.startHost [] arguments

    let lines = StringBuilder()

    let keep (line: string | null) =
        lock lines (fun () -> lines.Append(line).Append('\n') |> ignore)

    do
        started.OutputDataReceived.Add(fun line -> keep line.Data)
        started.ErrorDataReceived.Add(fun line -> keep line.Data)
        started.BeginOutputReadLine()
        started.BeginErrorReadLine()

    /// What it has written so far.
    member _.Text = lock lines (fun () -> string lines)
    member _.HasExited = started.HasExited

    member command.WaitFor(what: string) : unit =
        let found () =
            command.Text.Contains what || started.HasExited

        SpinWait.SpinUntil(found, TimeSpan.FromMinutes 2.0) |> ignore
        Assert.Contains(what, command.Text)

    /// Its exit code, once it has ended.
    member _.ExitCode(within: TimeSpan) : int =
        Assert.True(started.WaitForExit within, $"no end: {lines}")
        started.WaitForExit()
        started.ExitCode

    member _.Terminate() : unit =
        use kill = Process.Start("kill", [ "-TERM"; string started.Id ])
        kill.WaitForExit()

    interface IDisposable with
        member _.Dispose() =
            if not started.HasExited then
                started.Kill()
                started.WaitForExit()

            started.Dispose()

/// Workers as processes with each store: whatever is killed, the table is that of one machine.
module ClusterProcessTests =
    let private minutes = TimeSpan.FromMinutes 2.0

    /// Trials that take about a second each, with several checkpoints.
    let private slow =
        """{ "Data": { "Validation": 0.2 }, "Model": { "WeightInitStd": 0.5 },
             "Training": { "BatchSize": 20, "Iterations": 24000 }, "Run": { "CheckpointSeconds": 0.1 } }"""

    /// The plan of two trials that do not end while a test runs.
    let private longTrials (scratch: Scratch) : string =
        SweepTests.write
            scratch
            (SweepTests.planWith [
                "settings", slow.Replace("24000", "20000000")
                "method", "\"Random\""
                "lag", ""
                "trials", "2"
                "rungs", ""
            ])

    let private planOf (trials: int) =
        SweepTests.planWith [ "settings", slow; "trials", string trials; "rungs", "[300, 900]" ]

    let private sweep (scratch: Scratch) (folder: string) (plan: string) (more: string list) =
        SweepTests.arguments scratch folder plan ("--Sweep:Slots=1" :: more)

    let private workerWith (data: string) (store: StoreServer) = [
        "worker"
        store.Option
        "--Sweep:Slots=1"
        $"--Data:Directory={data}"
    ]

    let private worker (scratch: Scratch) (store: StoreServer) =
        workerWith (scratch.Sub "data") store

    [<Theory; WithStore "redis"; WithStore "postgres">]
    let ``three processes that are killed again and again end in the table of one machine``
        (kind: string)
        =
        use scratch = new Scratch()
        let plan = SweepTests.write scratch (planOf 12)

        Given.host (SweepTests.arguments scratch "alone" plan [])
        |> SweepTests.completed
        |> ignore

        let expected = SweepTests.left (SweepTests.folderOf scratch "alone")
        use store = StoreServer.start kind

        let commands = [|
            sweep scratch "many" plan [ store.Option ]
            worker scratch store
            worker scratch store
        |]

        let running = commands |> Array.map (fun command -> new Command(command))

        let isDone () =
            running[0].Text.Contains "completed: 12 of 12 trials settled"

        try
            // The folder is there once the sweep was submitted.
            running[0].WaitFor "; goal "
            let mutable kills = 0

            while kills < Given.times "KILLS" 5 && not (isDone ()) do
                // Neither sooner than a process starts nor at the same time as another one is replaced.
                Thread.Sleep(Random.Shared.Next(500, 2500))
                let victim = Random.Shared.Next 3

                if not (isDone ()) && not running[victim].HasExited then
                    (running[victim] :> IDisposable).Dispose()
                    running[victim] <- new Command(commands[victim])
                    kills <- kills + 1

            Assert.True(kills > 0, "nothing was killed")
            Assert.Equal(0, running[0].ExitCode minutes)
            let found = SweepTests.left (SweepTests.folderOf scratch "many")
            SweepTests.same expected found
        finally
            for each in running do
                (each :> IDisposable).Dispose()

    [<Theory; WithStore "redis"; WithStore "postgres">]
    let ``a store that is killed and started again loses nothing`` (kind: string) =
        use scratch = new Scratch()
        let plan = SweepTests.write scratch (planOf 12)

        Given.host (SweepTests.arguments scratch "alone" plan [])
        |> SweepTests.completed
        |> ignore

        use store = StoreServer.start kind
        use submitted = new Command(sweep scratch "many" plan [ store.Option ])
        use other = new Command(worker scratch store)
        other.WaitFor "from iteration"
        store.Kill()
        other.WaitFor "The cluster does not answer"
        store.Start()
        Assert.Equal(0, submitted.ExitCode minutes)

        SweepTests.same
            (SweepTests.left (SweepTests.folderOf scratch "alone"))
            (SweepTests.left (SweepTests.folderOf scratch "many"))

        // The password of the store.
        for file in Directory.GetFiles(scratch.Sub "many", "*", SearchOption.AllDirectories) do
            Assert.DoesNotContain("secret", File.ReadAllText file)

        let unknown = Given.host [ "sweep"; "stop"; "digits"; store.Option ]
        Assert.Equal(2, unknown.ExitCode)
        Assert.Contains("that is not completed, found no such one.", unknown.Errors)

    // What is common to the stores is asked of one of them.
    [<Theory; WithStore "postgres">]
    let ``a worker that gets SIGTERM gives its trial back, one with other data takes nothing, and another terminal is heeded``
        (kind: string)
        =
        use scratch = new Scratch()

        let plan = longTrials scratch
        use store = StoreServer.start kind
        use submitted = new Command(sweep scratch "many" plan [ store.Option ])
        let work = worker scratch store
        use first = new Command(work)
        first.WaitFor "from iteration 0"
        Given.write (scratch.Sub "others") 7UL id

        let others = Given.host (workerWith (scratch.Sub "others") store)
        Assert.Equal(2, others.ExitCode)

        Assert.Contains(
            $"the data: expected those of the sweep digits of {kind}:127.0.0.1:",
            others.Errors
        )
        // A checkpoint was sent: the trial goes on from it.
        let kept () =
            let status =
                Given.host [ "sweep"; "status"; "digits"; store.Option ] |> SweepTests.completed

            Regex.Count(status, "running [0-9]+ %") = 2

        Assert.True(SpinWait.SpinUntil(kept, minutes), "no progress")
        let asked = Stopwatch.StartNew()
        first.Terminate()
        Assert.Equal(143, first.ExitCode minutes)
        let took = asked.Elapsed
        Assert.Contains("given back", first.Text)
        // Five seconds where the processors are free; here others may use them.
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds 30.0)
        use second = new Command(work)
        second.WaitFor "attempt 2 from iteration "

        let from =
            Regex.Match(second.Text, "attempt 2 from iteration ([0-9]+)").Groups[1].Value

        Assert.True(int64 from > 0L, second.Text)

        let ask request =
            Given.host [ "sweep"; request; "digits"; store.Option ] |> SweepTests.completed

        ask "pause" |> ignore
        submitted.WaitFor "paused; sweep continue goes on"
        second.WaitFor "given back"
        Assert.Contains("digits: paused: 0 of 2 trials settled", ask "status")
        ask "continue" |> ignore
        submitted.WaitFor "continued"

        let hasBoth () =
            Regex.Count(second.Text, "from iteration ") = 2

        Assert.True(SpinWait.SpinUntil(hasBoth, minutes), "nothing is taken again")
        ask "stop" |> ignore

        Assert.Equal(143, submitted.ExitCode minutes)
        Assert.Contains("to resume: the same command again", submitted.Text)
        second.Terminate()
        Assert.Equal(143, second.ExitCode minutes)

    [<Theory; WithStore "redis">]
    let ``with a certificate the members need its key, and a file that others may read is refused``
        (kind: string)
        =
        use scratch = new Scratch()

        let plan = longTrials scratch
        let pem = scratch.Sub "cluster.pem"
        use key = ECDsa.Create ECCurve.NamedCurves.nistP256
        let request = CertificateRequest("CN=pipeline", key, HashAlgorithmName.SHA256)
        let now = DateTimeOffset.UtcNow
        use made = request.CreateSelfSigned(now.AddDays -1.0, now.AddDays 1.0)

        File.WriteAllText(
            pem,
            made.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n"
        )

        let certificate = $"--Cluster:Certificate={pem}"
        use store = StoreServer.start kind

        if not (OperatingSystem.IsWindows()) then
            File.SetUnixFileMode(pem, UnixFileMode.UserRead ||| UnixFileMode.GroupRead)
            let readable = Given.host (worker scratch store @ [ certificate ])
            Assert.Equal(2, readable.ExitCode)
            Assert.Contains("expected a file that its owner alone may read", readable.Errors)
            File.SetUnixFileMode(pem, UnixFileMode.UserRead)

        use submitted = new Command(sweep scratch "many" plan [ store.Option; certificate ])
        use other = new Command(worker scratch store @ [ certificate ])
        other.WaitFor "from iteration"

        let ask request more =
            Given.host ([ "sweep"; request; "digits"; store.Option ] @ more)

        Assert.Contains("digits: running: ", ask "status" [ certificate ] |> SweepTests.completed)
        let without = ask "status" []
        Assert.Equal(2, without.ExitCode)
        Assert.Contains("expected a worker or a sweep that works with this store", without.Errors)
        ask "stop" [ certificate ] |> SweepTests.completed |> ignore
        Assert.Equal(143, submitted.ExitCode minutes)

    [<Fact>]
    let ``a store that cannot be used is refused in a sentence`` () =
        let refused store (sentence: string) =
            let ended = Given.host [ "worker"; $"--Cluster:Store={store}" ]
            Assert.Equal(2, ended.ExitCode)
            Assert.Equal("", ended.Output)
            Assert.Contains(sentence, ended.Errors)
            Assert.Single(ended.Errors.TrimEnd().Split '\n') |> ignore

        let nobody =
            use listener = new TcpListener(IPAddress.Loopback, 0)
            listener.Start()
            (listener.LocalEndpoint :?> IPEndPoint).Port

        refused
            $"redis:127.0.0.1:%d{nobody}"
            $"Cluster:Store, redis:127.0.0.1:%d{nobody}: expected a Redis server that can be reached and written, found "

        refused
            $"postgres:Host=127.0.0.1;Port=%d{nobody};Database=sweeps;Password=secret"
            $"Cluster:Store, postgres:127.0.0.1:%d{nobody}/sweeps: expected a PostgreSQL database that can be reached, read and written, found "

        refused "sqlite:x" "Cluster:Store: expected redis:HOST:PORT"
        let without = Given.host [ "worker" ]
        Assert.Equal(2, without.ExitCode)

        Assert.Equal(
            "Cluster:Store: expected the server between the machines, such as redis:localhost:6379 or postgres:Host=localhost;Database=pipeline, found nothing.\n",
            without.Errors
        )
