namespace Pipeline.Learning

open System
open System.Runtime.ExceptionServices
open System.Threading
open System.Threading.Tasks
open MathNet.Numerics

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
        let mutable spin = SpinWait()

        while Interlocked.CompareExchange(&recording, 1, 0) <> 0 do
            spin.SpinOnce -1

        if share < at then
            fault <- found
            Volatile.Write(&at, share)

        Volatile.Write(&recording, 0)

    /// Throws the failure, if there is one.
    member _.Throw() : unit =
        match fault with
        | null -> ()
        | fault -> ExceptionDispatchInfo.Throw fault

/// Shares of work that some threads claim one after the other, so that a busy core holds nobody up
/// longer than its share takes: the caller from the first on, helpers from the last. A thread that does
/// the same shares each time finds in its cache what they need.
[<Sealed>]
type private Job(shares: int, helpers: int, act: int -> unit) =
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

    /// Whether another helper is welcome.
    member _.Welcomes() : bool =
        Volatile.Read &claimed < shares && Interlocked.Increment &joined <= helpers

    /// The caller's part.
    member job.Lead() : unit =
        let mutable share = 0

        while claim () do
            job.Perform share
            share <- share + 1

    /// A helper's part.
    member job.Help() : unit =
        while claim () do
            job.Perform(shares - Interlocked.Increment &fromLast)

    /// Lets go of what the shares refer to.
    member _.Release() : unit = act <- ignore

    /// Throws what one thread alone would have thrown.
    member _.ThrowFailure() : unit = failure.Throw()

/// Threads that help with work. One that has just helped looks out for more for a while, as the next
/// product of a step comes within microseconds, and sleeps after that.
[<AbstractClass; Sealed>]
type private Crew private () =
    /// So many looks, a fraction of a microsecond each, before a helper sleeps.
    static let patience = 400
    /// After so many, a helper has been held up: the processor is somebody else's.
    static let lateness = 1500
    static let bell = obj ()
    static let mutable job = Job(0, 0, ignore)
    static let mutable leads = 0
    static let mutable hired = 0
    static let mutable asleep = 0
    /// So much work is done before a helper that is held up goes on: with more, one waits for it.
    static let small = 1L <<< 23
    /// Some milliseconds of work, and most of a second.
    static let leastPenalty = 1L <<< 28
    static let mostPenalty = 1L <<< 33
    /// Work to do alone before helpers are called again, and how much the next time.
    static let mutable alone = 0L
    static let mutable penalty = 0L

    static let sleep (known: Job) : unit =
        lock bell (fun () ->
            Interlocked.Increment &asleep |> ignore

            try
                while obj.ReferenceEquals(Volatile.Read &job, known) do
                    Monitor.Wait bell |> ignore
            finally
                Interlocked.Decrement &asleep |> ignore)

    static let serve () : unit =
        let mutable known = job
        let mutable looks = 0
        let mutable spin = SpinWait()

        while true do
            let current = Volatile.Read &job

            if not (obj.ReferenceEquals(current, known)) then
                known <- current

                if current.Welcomes() then
                    current.Help()
                    looks <- 0
                    spin <- SpinWait()
            elif looks < patience then
                spin.SpinOnce -1
                looks <- looks + 1
            else
                // A share that keeps its thread may have it interrupted later: the helper stays.
                try
                    sleep known
                with :? ThreadInterruptedException ->
                    ()

    static let hire (helpers: int) : unit =
        while hired < helpers do
            Task.Factory.StartNew(
                serve,
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default
            )
            |> ignore

            hired <- hired + 1

    static let wake (helpers: int) : unit =
        if Volatile.Read &asleep > 0 then
            lock bell (fun () ->
                for _ in 1..helpers do
                    Monitor.Pulse bell)

    /// Waits for the shares that helpers have claimed; the oftener they are held up, the longer small jobs
    /// are done without them.
    static let join (current: Job) (isSmall: bool) : unit =
        let mutable looks = 0
        let mutable spin = SpinWait()

        while not current.IsCompleted do
            spin.SpinOnce -1
            looks <- looks + 1

        if isSmall then
            if looks > lateness then
                penalty <- min mostPenalty (max leastPenalty (2L * penalty))
                alone <- penalty
            else
                penalty <- penalty - penalty / 256L

    /// Does all shares of so many multiplications with up to so many helpers, unless the crew is at work
    /// already or was just held up.
    static member TryLead(work: int64, shares: int, helpers: int, act: int -> unit) : bool =
        let isSmall = work < small

        if Interlocked.CompareExchange(&leads, 1, 0) <> 0 then
            false
        elif isSmall && alone > 0L then
            alone <- alone - work
            Volatile.Write(&leads, 0)
            false
        else
            // Whatever is thrown in between (an interrupt while helpers are woken, no memory for another
            // thread): all shares have ended before the crew is free again and the caller goes on.
            try
                hire helpers
                let current = Job(shares, helpers, act)
                Interlocked.Exchange(&job, current) |> ignore

                try
                    wake helpers
                finally
                    current.Lead()
                    join current isSmall
                    current.Release()

                current.ThrowFailure()
            finally
                Volatile.Write(&leads, 0)

            true

/// Sharing work among threads.
[<RequireQualifiedAccess>]
module internal Work =
    /// So many multiplications take some microseconds: a helper is worth its call.
    let private grain = 1L <<< 18

    /// How many threads may share work.
    let threads () : int = Control.MaxDegreeOfParallelism

    /// How many threads so much work occupies.
    let workers (multiplications: int64) : int =
        int (max 1L (min (int64 (threads ())) (multiplications / grain)))

    /// Does every share of the work, on as many threads as are worth it and Math.NET's Control allows.
    /// Shares must write to different places, or the same numbers. What is shared within a share is done
    /// by its own thread.
    let share (multiplications: int64) (shares: int) (act: int -> unit) : unit =
        let helpers = min shares (workers multiplications) - 1

        if helpers < 1 || not (Crew.TryLead(multiplications, shares, helpers, act)) then
            for i in 0 .. shares - 1 do
                act i
