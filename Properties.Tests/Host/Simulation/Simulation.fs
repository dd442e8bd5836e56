namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Threading
open Pipeline.Learning.Formats
open Pipeline.Training

/// A law that does not hold in a simulation.
exception Broken of law: string

/// <summary>What happens to the processes of a simulation: faults of calls of the disk, signals, and jumps of the time of
/// day.</summary>
/// <param name="random">Decides what happens.</param>
/// <param name="isHonest">Whether the disk keeps what it says it has flushed, and no bit changes.</param>
type SimulatedFaults(random: Random, isHonest: bool) =
    let rate = [| 0.005; 0.02; 0.1 |][random.Next 3]

    // In some simulations only one kind of call has faults.
    let chosen =
        let calls = [|
            "Write"
            "Append"
            "Truncate"
            "Flush"
            "Rename"
            "FlushFolder"
            "Delete"
            "Read"
        |]

        if random.Next 2 = 0 then
            Some calls[random.Next calls.Length]
        else
            None

    let mutable left = 1 + random.Next 8
    let mutable count = 0

    /// How many there were.
    member _.Count = count

    /// Whether there may be more.
    member _.AreLeft = left > 0

    /// One more has happened.
    member _.Add() =
        left <- left - 1
        count <- count + 1

    /// Whether one happens at a call.
    member faults.Occurs(call: string) : bool =
        left > 0
        && (match chosen with
            | Some name -> name = call && random.NextDouble() < 0.2
            | None -> random.NextDouble() < rate)
        && (faults.Add()
            true)

    /// <summary>What happens at a call.</summary>
    /// <param name="call">Its name.</param>
    /// <param name="disturb">Sends a signal, or lets the time of day jump.</param>
    member faults.At(call: string, disturb: unit -> unit) : CallFault option =
        let fail error =
            Some(CallFault.Fail(error, 0.5 * float (random.Next 3)))

        if not (faults.Occurs call) then
            None
        else
            match random.Next 8 with
            | 0
            | 1 -> Some(CallFault.Kill([| 0.0; random.NextDouble(); 1.0 |][random.Next 3]))
            | 2
            | 3 -> fail (IOException("No space left on device", 28))
            | 4 -> fail (IOException("Input/output error", 5))
            | 5 -> fail (UnauthorizedAccessException "Read-only file system")
            | 6 when not isHonest -> Some CallFault.Lie
            | _ ->
                disturb ()
                None

/// What a process of a simulation has: it is started, and comes to an end.
type SimulatedStart = {
    Random: Random
    Clock: SimulatedClock
    Scheduler: SimulatedScheduler
    Files: IFiles
    Stop: CancellationTokenSource
    Status: ExitStatus
    /// Hears of each step of training.
    Stepped: int64 -> unit
}

/// How a process of a simulation has ended.
type SimulatedEnd = {
    /// The exit code; 137 if it was killed.
    Code: int
    /// What it has logged.
    Logged: string list
    /// Whether a call of its disk has failed.
    HasFailed: bool
    /// The signals that it got.
    Signals: Outcome list
    /// Whether the power was lost at some time before.
    HasLostPower: bool
}

/// <summary>A program that is stopped, killed and given a failing disk again and again until it has done its work, in a folder
/// of its own. One thread carries it out; the same seed leads to the same calls.</summary>
/// <param name="root">The folder that the program writes to.</param>
/// <param name="isHonest">Whether the disk keeps what it says it has flushed, and no bit changes.</param>
[<AbstractClass>]
type Simulation(root: string, isHonest: bool) =
    /// Fails where a law does not hold.
    static member Require(law: string, holds: bool) =
        if not holds then
            raise (Broken law)

    /// The tensors in a model's file; none if it is damaged.
    static member TensorsOf(bytes: byte[]) : Tensor list option =
        match Safetensors.parse (ReadOnlyMemory bytes) with
        | Ok file -> Some file.Tensors
        | Error _ -> None

    /// Runs main on the one thread of a process, to its exit code.
    static member RunToEnd
        (
            start: SimulatedStart,
            log: List<string>,
            idle: unit -> unit,
            main: unit -> Tasks.Task<Outcome>
        ) : int =
        try
            int (SimulatedProcess.run start.Random start.Clock start.Scheduler idle main)
        with
        | Died -> 137
        | :? RefusedException as refused ->
            log.AddRange refused.Reasons
            int Outcome.Refused
        | :? OperationCanceledException when start.Stop.IsCancellationRequested ->
            int start.Status.Stopped
        | error when AtomicFile.IsDiskError error || (error :? UnsavedException) ->
            log.Add error.Message
            int Outcome.Failed

    /// Whether the disk keeps what it says it has flushed.
    member _.IsHonest = isHonest

    /// Forgets what an earlier simulation has left.
    abstract Begin: unit -> unit

    /// Runs a process to its end: the exit code, and what it has logged.
    abstract Run: SimulatedStart -> int * string list

    /// The disk of a process, which hears what becomes safe.
    abstract Watch: IFiles -> IFiles

    /// The laws of a process's end.
    abstract CheckEnd: SimulatedEnd -> unit

    /// The laws of the files while no process is running.
    abstract CheckFiles: unit -> unit

    /// <summary>Whether a process may end with an exit code on its own. None does unless overridden.</summary>
    abstract MayEnd: code: int -> bool

    default _.MayEnd _ = false

    /// Whether a process that ended so is the last one.
    abstract IsLast: SimulatedEnd -> bool

    /// Whether bits of a file may change while no process is running.
    abstract MayRot: path: string -> bool

    /// The laws at the end; refused: a bad disk has changed what a person has to remove.
    abstract CheckLast: isRefused: bool -> unit

    /// <summary>What happens beside the process at a call of its disk. Does nothing unless overridden.</summary>
    abstract Beside: SimulatedStart -> unit

    default _.Beside _ = ()

    /// <summary>The power was lost. Does nothing unless overridden.</summary>
    abstract LosePower: unit -> unit

    default _.LosePower() = ()

    /// <summary>The disk of this simulation, for what runs beside the process. Does nothing unless overridden.</summary>
    abstract Attach: SimulatedDisk * SimulatedFaults -> unit

    default _.Attach(_, _) = ()

    /// <summary>Carries out one simulation.</summary>
    /// <param name="seed">Decides all that happens.</param>
    /// <param name="bug">Changes the disk that the processes see.</param>
    /// <param name="trace">Hears of all calls of the disk, faults and log lines.</param>
    /// <returns>The number of faults.</returns>
    /// <exception cref="Broken">A law does not hold.</exception>
    member simulation.Simulate(seed: int, bug: IFiles -> IFiles, trace: string -> unit) : int =
        SimulatedDisk.Clear root
        simulation.Begin()
        let random = Random seed
        let disk = SimulatedDisk(root, random)
        let faults = SimulatedFaults(random, isHonest)
        simulation.Attach(disk, faults)
        let mutable now = DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)
        let mutable hasLostPower = false
        let mutable isDone = false
        let mutable isRefused = false
        let mutable starts = 0

        while not isDone do
            starts <- starts + 1
            Simulation.Require("it is not completed", starts <= 60)
            let clock = SimulatedClock now
            disk.Clock <- clock
            use stop = new CancellationTokenSource()
            let status = ExitStatus()
            let mutable hasFailed = false
            let signals = List<Outcome>()

            let signal () =
                let outcomes = [|
                    Outcome.HungUp
                    Outcome.Interrupted
                    Outcome.Quit
                    Outcome.Terminated
                |]

                let outcome = outcomes[random.Next outcomes.Length]
                trace $"  signal: {outcome}"
                signals.Add outcome
                status.Stop outcome
                stop.Cancel()

            let disturb () =
                if random.Next 3 = 0 then
                    trace "  the time of day jumps"
                    clock.Jump(TimeSpan.FromHours(48.0 * random.NextDouble() - 24.0))
                else
                    signal ()

            let stepped (iteration: int64) =
                trace $"  step {iteration}"
                clock.Advance(TimeSpan.FromSeconds(random.NextDouble()))

                if faults.Occurs "step" then
                    disturb ()

            let mutable start = None

            let faultOf name (path: string) =
                Option.iter simulation.Beside start
                let fault = faults.At(name, disturb)

                match fault with
                | Some(CallFault.Fail _) -> hasFailed <- true
                | _ -> ()

                trace $"  {name} {Path.GetRelativePath(root, path)} {fault}"
                fault

            let started = {
                Random = random
                Clock = clock
                Scheduler = SimulatedScheduler random
                Files = simulation.Watch(bug (disk.Open faultOf))
                Stop = stop
                Status = status
                Stepped = stepped
            }

            start <- Some started
            let code, logged = simulation.Run started
            let said = String.concat "\n" logged
            trace $"{said}\nexit code {code}"

            let ended = {
                Code = code
                Logged = logged
                HasFailed = hasFailed
                Signals = List.ofSeq signals
                HasLostPower = hasLostPower
            }

            match code with
            | 0
            | 137 -> ()
            | 1 -> Simulation.Require($"exit code 1 without a reason\n{said}", hasFailed)
            | 2 ->
                Simulation.Require(
                    $"exit code 2 without a reason\n{said}",
                    hasFailed || not isHonest
                )
            | 129
            | 130
            | 131
            | 143 ->
                Simulation.Require(
                    $"exit code {code} after another signal\n{said}",
                    signals |> Seq.exists (fun signal -> int signal = code)
                    || simulation.MayEnd code
                )
            | other -> raise (Broken $"exit code {other}\n{said}")

            simulation.CheckEnd ended

            if code = 137 && random.Next 2 = 0 then
                trace "power lost"
                hasLostPower <- true
                disk.LosePower()
                simulation.LosePower()

            simulation.CheckFiles()
            now <- clock.GetUtcNow() + TimeSpan.FromSeconds(float (1 + random.Next 10))
            // What a bad disk has changed may have to be removed by a person.
            isRefused <- code = 2 && not hasFailed
            isDone <- isRefused || simulation.IsLast ended

            if not isDone && not isHonest && faults.AreLeft && random.Next 3 = 0 then
                faults.Add()
                trace "a bit changes"
                disk.FlipBit simulation.MayRot

        simulation.CheckLast isRefused
        faults.Count
