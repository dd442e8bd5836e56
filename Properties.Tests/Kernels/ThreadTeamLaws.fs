/// ThreadTeam.fs: every share is done once, whoever does it, and a failure reads as one thread's would.
module Pipeline.Properties.ThreadTeamLaws

open System
open System.Threading
open System.Threading.Tasks
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// As much as is shared among all threads.
let private much = 1L <<< 40

let private counted (threads: int) (shares: int) : int[] =
    let times: int[] = Array.zeroCreate shares

    KernelLaws.withThreads threads (fun () ->
        ThreadTeam.run much shares (fun share -> Interlocked.Increment &times[share] |> ignore))

    times

[<Law>]
let ``every share is done once`` (FsCheck.PositiveInt threads) (FsCheck.NonNegativeInt shares) =
    counted (1 + threads % 8) shares = Array.create shares 1

[<Law>]
let ``the failure of the first failing share is thrown``
    (failing: bool list)
    (FsCheck.PositiveInt threads)
    =
    let failing = Array.ofList failing

    let found =
        try
            KernelLaws.withThreads (1 + threads % 8) (fun () ->
                ThreadTeam.run much failing.Length (fun share ->
                    if failing[share] then
                        invalidOp $"{share}"))

            "none"
        with :? InvalidOperationException as fault ->
            fault.Message

    let expected =
        match Array.tryFindIndex id failing with
        | Some share -> $"{share}"
        | None -> "none"

    Exactly.equal expected found

[<Law>]
let ``of several failures, in any order, that of the first share is thrown`` (shares: int list) =
    let failure = FirstFailure()

    for share in shares do
        failure.Record(share, InvalidOperationException $"{share}")

    match shares with
    | [] -> failure.Throw()
    | _ ->
        let thrown = Assert.Throws<InvalidOperationException>(fun () -> failure.Throw())
        Exactly.equal $"{List.min shares}" thrown.Message
        Assert.False(failure.IsBefore(List.min shares))
        Assert.True(failure.IsBefore(List.min shares + 1))

/// Waits until it holds; a minute is far beyond what a busy machine needs.
let private until (what: string) (holds: unit -> bool) : unit =
    Assert.True(SpinWait.SpinUntil(holds, TimeSpan.FromMinutes 1.0), what)

[<Fact>]
let ``a caller that is interrupted waits for every share, and the team helps again afterwards`` () =
    KernelLaws.withThreads 4 (fun () ->
        let mutable running = 0
        let mutable leftRunning = 0
        let mutable calls = 0
        let mutable finished = 0

        let caller =
            Thread(fun () ->
                for call in 1..4000 do
                    try
                        ThreadTeam.run much 8 (fun _ ->
                            Interlocked.Increment &running |> ignore
                            Thread.SpinWait 200
                            Interlocked.Decrement &running |> ignore)
                    with :? ThreadInterruptedException ->
                        ()

                    leftRunning <- leftRunning + Volatile.Read &running
                    Volatile.Write(&calls, call)

                    // Now and then, so long that the helpers fall asleep.
                    if call % 8 = 0 then
                        Thread.SpinWait 20000

                Volatile.Write(&finished, 1))

        caller.Start()

        while Volatile.Read &finished = 0 do
            caller.Interrupt()
            Thread.SpinWait 500

        caller.Join()
        Exactly.equal 0 leftRunning

        until "helpers take part again" (fun () ->
            let threads = Collections.Concurrent.ConcurrentDictionary<int, bool>()

            ThreadTeam.run much 64 (fun _ ->
                threads[Environment.CurrentManagedThreadId] <- true
                Thread.SpinWait 5000)

            threads.Count > 1))

[<Fact>]
let ``a caller with an interrupt pending waits for the share of a helper`` () =
    KernelLaws.withThreads 2 (fun () ->
        let mutable leftRunning = 0
        let mutable helped = 0

        let caller =
            Thread(fun () ->
                for _ in 1..20 do
                    let mutable started = 0
                    let mutable ended = 0

                    let act share =
                        if share = 1 then
                            Volatile.Write(&started, 1)
                            // So long that the caller no longer only spins.
                            let watch = Diagnostics.Stopwatch.StartNew()

                            while watch.ElapsedMilliseconds < 20L do
                                Thread.SpinWait 100

                            Volatile.Write(&ended, 1)
                        else
                            // The other share is left to a helper, if one comes.
                            let watch = Diagnostics.Stopwatch.StartNew()

                            while Volatile.Read &started = 0 && watch.ElapsedMilliseconds < 1000L do
                                Thread.SpinWait 100

                            helped <- helped + Volatile.Read &started
                            Thread.CurrentThread.Interrupt()

                    try
                        ThreadTeam.run much 2 act
                        leftRunning <- leftRunning + 1 - Volatile.Read &ended
                        // Takes the interrupt that is still pending.
                        Thread.Sleep 1
                    with :? ThreadInterruptedException ->
                        leftRunning <- leftRunning + 1 - Volatile.Read &ended)

        caller.Start()
        caller.Join()
        Assert.True(helped > 0, "no helper has come")
        Exactly.equal 0 leftRunning)

[<Fact>]
let ``a share that fails for want of memory leaves the team free`` () =
    KernelLaws.withThreads 4 (fun () ->
        for _ in 1..20 do
            Assert.Throws<OutOfMemoryException>(fun () ->
                ThreadTeam.run much 8 (fun _ -> raise (OutOfMemoryException())))
            |> ignore

        until "helpers take part again" (fun () ->
            let threads = Collections.Concurrent.ConcurrentDictionary<int, bool>()

            ThreadTeam.run much 64 (fun _ ->
                threads[Environment.CurrentManagedThreadId] <- true
                Thread.SpinWait 5000)

            threads.Count > 1))

[<Fact>]
let ``arrays given up are taken again within a run alone, also after a run that threw`` () =
    let taken =
        ArrayReuse<float>.Scope(fun () ->
            let array = Array.zeroCreate<float> 1000
            ArrayReuse<float>.Return array
            Object.ReferenceEquals(array, ArrayReuse<float>.Rent 1000))

    Assert.True taken

    Assert.Throws<InvalidOperationException>(
        Action(fun () -> ArrayReuse<float>.Scope(fun () -> invalidOp "a callback's fault"))
    )
    |> ignore

    let array = Array.zeroCreate<float> 1000
    ArrayReuse<float>.Return array
    Assert.False(Object.ReferenceEquals(array, ArrayReuse<float>.Rent 1000))

[<Fact>]
let ``work within a share, and of several callers at once, is done too`` () =
    KernelLaws.withThreads 4 (fun () ->
        let totals: int[] = Array.zeroCreate 6

        Parallel.For(
            0,
            totals.Length,
            fun caller ->
                for _ in 1..200 do
                    ThreadTeam.run much 5 (fun _ ->
                        ThreadTeam.run much 7 (fun _ ->
                            Interlocked.Increment &totals[caller] |> ignore))
        )
        |> ignore

        Exactly.equal (Array.create totals.Length (200 * 5 * 7)) totals)
