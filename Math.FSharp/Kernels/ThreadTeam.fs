namespace Pipeline.Learning

open System
open System.Runtime.ExceptionServices
open System.Threading
open System.Threading.Tasks
open MathNet.Numerics

/// Waits as SpinWait does, but never by Thread.Sleep: in a thread that was interrupted it throws, and the caller
/// would continue while helpers still write.
[<Struct; NoEquality; NoComparison>]
type internal UninterruptedWait =
    val mutable private waits: int

    /// Spins for a fraction of a microsecond; after ten times it yields the processor every other time.
    member wait.Once() : unit =
        if wait.waits = 10 then
            Thread.Yield() |> ignore
        else
            Thread.SpinWait(min 7 (1 <<< min 3 wait.waits))

        wait.waits <- if wait.waits = 11 then 10 else wait.waits + 1

/// The failure of the first share that failed, whatever the order in which shares fail. Recording one
/// neither allocates nor blocks, so that neither a lack of memory nor an interrupt can prevent it.
[<Sealed>]
type internal FirstFailure() =
    let mutable recording = 0
    let mutable at = Int32.MaxValue
    let mutable fault: exn | null = null

    /// Whether an earlier share has failed: then this one need not be done.
    member _.IsBefore(share: int) : bool = Volatile.Read &at < share

    /// Keeps the failure if no earlier share has failed.
    member _.Record(share: int, found: exn) : unit =
        let mutable wait = UninterruptedWait()

        while Interlocked.CompareExchange(&recording, 1, 0) <> 0 do
            wait.Once()

        if share < at then
            fault <- found
            Volatile.Write(&at, share)

        Volatile.Write(&recording, 0)

    /// Throws the failure, if there is one.
    member _.Throw() : unit =
        match fault with
        | null -> ()
        | fault -> ExceptionDispatchInfo.Throw fault

/// Shares of work that threads claim one after the other: the caller from the first on, helpers from the last.
/// A busy core delays the others by one share at most, and a thread that does the same shares each time finds
/// their data in its cache.
[<Sealed>]
type private WorkItem(shares: int, helpers: int, act: int -> unit) =
    let mutable act = act
    let mutable joined = 0
    let mutable claimed = 0
    let mutable fromLast = 0
    let mutable completed = 0
    let failure = FirstFailure()

    let claim () : bool =
        Interlocked.Increment &claimed <= shares

    /// Whether every share is done.
    member _.IsCompleted = Volatile.Read &completed >= shares

    /// Never throws: the caller waits until every share is completed.
    member private _.Perform(share: int) : unit =
        if not (failure.IsBefore share) then
            try
                act share
            with fault ->
                failure.Record(share, fault)

        Interlocked.Increment &completed |> ignore

    /// Adds a helper, unless enough have joined or all shares are claimed.
    member _.TryJoin() : bool =
        Volatile.Read &claimed < shares && Interlocked.Increment &joined <= helpers

    /// The caller's part.
    member item.Lead() : unit =
        let mutable share = 0

        while claim () do
            item.Perform share
            share <- share + 1

    /// A helper's part.
    member item.Help() : unit =
        while claim () do
            item.Perform(shares - Interlocked.Increment &fromLast)

    /// Drops the references that the shares hold.
    member _.Release() : unit = act <- ignore

    /// Throws what one thread would have thrown.
    member _.ThrowFailure() : unit = failure.Throw()

/// Threads that help with work. A helper that has finished spins for a while, because the next product of a step
/// comes within microseconds, and then sleeps.
[<AbstractClass; Sealed>]
type private Team private () =
    /// Spins, a fraction of a microsecond each, before a helper sleeps.
    static let patience = 400
    /// Spins after which a helper counts as delayed: another program has its processor.
    static let lateness = 1500
    static let signal = obj ()
    static let mutable latest = WorkItem(0, 0, ignore)
    static let mutable isRunning = 0
    static let mutable started = 0
    static let mutable asleep = 0
    /// Multiplications that are done before a delayed helper runs again: only smaller items are done without it.
    static let small = 1L <<< 23
    /// Multiplications of some milliseconds, and of most of a second.
    static let leastBackoff = 1L <<< 28
    static let mostBackoff = 1L <<< 33
    /// Multiplications left to do without helpers, and how many there will be after the next delay.
    static let mutable soloBudget = 0L
    static let mutable backoff = 0L

    static let sleep (known: WorkItem) : unit =
        lock signal (fun () ->
            Interlocked.Increment &asleep |> ignore

            try
                while obj.ReferenceEquals(Volatile.Read &latest, known) do
                    Monitor.Wait signal |> ignore
            finally
                Interlocked.Decrement &asleep |> ignore)

    static let serve () : unit =
        let mutable known = latest
        let mutable looks = 0
        let mutable wait = UninterruptedWait()

        while true do
            let current = Volatile.Read &latest

            if not (obj.ReferenceEquals(current, known)) then
                known <- current

                if current.TryJoin() then
                    current.Help()
                    looks <- 0
                    wait <- UninterruptedWait()
            elif looks < patience then
                wait.Once()
                looks <- looks + 1
            else
                // A share that keeps its thread may have it interrupted later: the helper stays.
                try
                    sleep known
                with :? ThreadInterruptedException ->
                    ()

    static let start (helpers: int) : unit =
        while started < helpers do
            Task.Factory.StartNew(
                serve,
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default
            )
            |> ignore

            started <- started + 1

    static let wake (helpers: int) : unit =
        if Volatile.Read &asleep > 0 then
            lock signal (fun () ->
                for _ in 1..helpers do
                    Monitor.Pulse signal)

    /// Waits for the shares that helpers have claimed. Each delay doubles the work that small items do without
    /// helpers afterwards.
    static let join (current: WorkItem) (isSmall: bool) : unit =
        let mutable looks = 0
        let mutable wait = UninterruptedWait()

        while not current.IsCompleted do
            wait.Once()
            looks <- looks + 1

        if isSmall then
            if looks > lateness then
                backoff <- min mostBackoff (max leastBackoff (2L * backoff))
                soloBudget <- backoff
            else
                backoff <- backoff - backoff / 256L

    /// Does all shares with up to that many helpers; returns false, with nothing done, when the team is busy or a
    /// helper was delayed lately.
    static member TryRun(work: int64, shares: int, helpers: int, act: int -> unit) : bool =
        let isSmall = work < small

        if Interlocked.CompareExchange(&isRunning, 1, 0) <> 0 then
            false
        elif isSmall && soloBudget > 0L then
            soloBudget <- soloBudget - work
            Volatile.Write(&isRunning, 0)
            false
        else
            // Whatever is thrown in between (an interrupt while helpers are woken, no memory for another
            // thread): all shares have ended before the team is free again and the caller continues.
            try
                start helpers
                let current = WorkItem(shares, helpers, act)
                Interlocked.Exchange(&latest, current) |> ignore

                try
                    wake helpers
                finally
                    current.Lead()
                    join current isSmall
                    current.Release()

                current.ThrowFailure()
            finally
                Volatile.Write(&isRunning, 0)

            true

/// Divides work among threads.
[<RequireQualifiedAccess>]
module internal ThreadTeam =
    /// Multiplications that make another thread worthwhile: some microseconds.
    let private grain = 1L <<< 18

    /// The most threads that may share work.
    let threads () : int = Control.MaxDegreeOfParallelism

    /// The number of threads for that many multiplications.
    let workers (multiplications: int64) : int =
        int (max 1L (min (int64 (threads ())) (multiplications / grain)))

    /// Runs `act` for every share, on as many threads as are worthwhile and Math.NET's Control allows. Shares must
    /// write to different places, or the same numbers. Calls from within a share run on its own thread.
    let run (multiplications: int64) (shares: int) (act: int -> unit) : unit =
        let helpers = min shares (workers multiplications) - 1

        if helpers < 1 || not (Team.TryRun(multiplications, shares, helpers, act)) then
            for i in 0 .. shares - 1 do
                act i
