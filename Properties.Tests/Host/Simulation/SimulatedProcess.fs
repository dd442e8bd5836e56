namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Threading
open System.Threading.Tasks
open Microsoft.Extensions.Time.Testing

/// <summary>Runs tasks one after the other on the thread that asks for it, in an order that a seed decides.</summary>
/// <param name="random">Decides the order.</param>
type SimulatedScheduler(random: Random) =
    inherit TaskScheduler()
    let waiting = List<Task>()

    /// Runs one of the waiting tasks until it ends or waits.
    member scheduler.RunOne() : bool =
        let next =
            lock waiting (fun () ->
                if waiting.Count = 0 then
                    None
                else
                    let place = random.Next waiting.Count
                    let task = waiting[place]
                    waiting.RemoveAt place
                    Some task)

        match next with
        | Some task ->
            scheduler.TryExecuteTask task |> ignore
            true
        | None -> false

    override _.QueueTask task =
        lock waiting (fun () -> waiting.Add task)

    override scheduler.TryExecuteTaskInline(task, wasQueued) =
        let isTaken = not wasQueued || lock waiting (fun () -> waiting.Remove task)

        isTaken && scheduler.TryExecuteTask task

    override _.GetScheduledTasks() =
        lock waiting (fun () -> List.ofSeq waiting)

/// <summary>A clock that is moved. The time of day can jump without its timers.</summary>
/// <param name="start">The time of day at which it begins.</param>
type SimulatedClock(start: DateTimeOffset) =
    inherit FakeTimeProvider(start)
    let mutable jumped = TimeSpan.Zero

    /// The time of day jumps.
    member _.Jump(time: TimeSpan) = jumped <- jumped + time

    override _.GetUtcNow() = base.GetUtcNow() + jumped
    override _.GetTimestamp() = base.GetUtcNow().Ticks
    override _.TimestampFrequency = TimeSpan.TicksPerSecond

/// A process on one thread.
[<RequireQualifiedAccess>]
module SimulatedProcess =
    /// <summary>Runs a process to its end. Time passes while all of its tasks wait.</summary>
    /// <param name="random">Decides how much time passes.</param>
    /// <param name="clock">The clock of the process.</param>
    /// <param name="scheduler">Runs its tasks.</param>
    /// <param name="idle">Is called whenever all of its tasks wait.</param>
    /// <param name="main">What the process does.</param>
    let run
        (random: Random)
        (clock: SimulatedClock)
        (scheduler: SimulatedScheduler)
        (idle: unit -> unit)
        (main: unit -> Task<'R>)
        : 'R =
        // That of a test would take the tasks to other threads.
        SynchronizationContext.SetSynchronizationContext null

        let task =
            Task.Factory
                .StartNew(
                    Func<Task<'R>> main,
                    CancellationToken.None,
                    TaskCreationOptions.DenyChildAttach,
                    scheduler
                )
                .Unwrap()

        let mutable waits = 0

        while not task.IsCompleted do
            if scheduler.RunOne() then
                waits <- 0
            else
                waits <- waits + 1

                if waits > 100_000 then
                    failwith "the process waits for ever"

                idle ()
                clock.Advance(TimeSpan.FromSeconds(0.05 + random.NextDouble()))

        task.GetAwaiter().GetResult()
