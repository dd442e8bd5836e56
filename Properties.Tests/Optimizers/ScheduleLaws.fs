/// Schedule.fs: each formula against the system's functions, and how they compose.
module Pipeline.Properties.ScheduleLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// An iteration of 0–9,999, and a whole run's length above it.
let private place (iteration: FsCheck.NonNegativeInt) (rest: FsCheck.NonNegativeInt) =
    let iteration = int64 (iteration.Get % 10000)
    iteration, iteration + 1L + int64 (rest.Get % 10000)

let private close (expected: float) (found: float) =
    [| found |] |> Approximately.equal 1e-13 [| expected |]

[<Law>]
let ``Step multiplies at once after a number of iterations, Exponential evenly`` i rest =
    let i, every = place i rest
    close (0.3 * Math.Pow(0.5, Math.Floor(float i / float every))) (Schedule.step every 0.5 0.3 i)

    let every = 1L + every / 20L
    close (0.3 * Math.Pow(0.5, float (i / every))) (Schedule.step every 0.5 0.3 i)
    close (0.3 * Math.Pow(0.7, float i / float every)) (Schedule.exponential every 0.7 0.3 i)
    // Where a step has just been taken, both are the same.
    let whole = i / every * every
    close (Schedule.step every 0.7 0.3 whole) (Schedule.exponential every 0.7 0.3 whole)

[<Law>]
let ``half a cosine leads from the rate to the last and stays there`` i rest =
    let i, total = place i rest
    let schedule = Schedule.cosine total 0.01 0.3

    close (0.01 + 0.29 * 0.5 * (1.0 + Math.Cos(Math.PI * float i / float total))) (schedule i)

    close 0.3 (schedule 0L)
    close 0.01 (schedule total)
    Exactly.equal (schedule total) (schedule (total + i))
    Assert.True(schedule (i + 1L) <= schedule i)

[<Law>]
let ``one cycle rises to its peak and falls, from peak/25 to peak/250,000`` i rest =
    let i, total = place i rest
    let total = total + 9L
    let schedule = Schedule.oneCycle total 0.3 0.5
    let top = 0.3 * float total - 1.0
    close (0.5 / 25.0) (schedule 0L)
    close (0.5 / 250000.0) (schedule (total - 1L))
    Assert.InRange(schedule i, 0.5 / 250000.0 * 0.999, 0.5 * 1.000001)

    if float i + 1.0 <= top then
        Assert.True(schedule (i + 1L) >= schedule i)
    elif float i >= top then
        Assert.True(schedule (i + 1L) <= schedule i)

[<Fact>]
let ``one cycle is PyTorch's`` () =
    // OneCycleLR(optimizer, max_lr=0.1, total_steps=10) of PyTorch 1.13, in 12 digits.
    Array.init 10 (fun i -> Schedule.oneCycle 10L 0.3 0.1 (int64 i))
    |> Approximately.equal 1e-12 [|
        0.004
        0.052
        0.1
        0.0950484632013
        0.081174565395
        0.0611262021936
        0.0388741978064
        0.018825834605
        0.00495193679865
        4e-07
    |]

    // total_steps=1.
    let alone = Schedule.ofKind 1L 0.1 (ScheduleKind.OneCycle 0.3) 0L
    Approximately.equal 1e-16 [| 4e-07 |] [| alone |]

[<Law>]
let ``a warm-up rises in equal steps to the schedule and leaves the rest`` i rest =
    let i, count = place i rest
    let schedule = Schedule.cosine 5000L 0.0 0.3
    let warmed = Schedule.warmUp count schedule
    close (schedule i * float (i + 1L) / float count) (warmed i)
    Exactly.equal (schedule (count - 1L)) (warmed (count - 1L))
    Exactly.equal (schedule (count + i)) (warmed (count + i))
    Exactly.equal (schedule i) (Schedule.warmUp 0L schedule i)

[<Law>]
let ``every schedule of a run stays above 0 and at or below the rate``
    (SmallRun(settings, data, architecture))
    =
    let total = Hyperparameters.iterations data.Count settings
    let watch = (Trainer.start settings architecture: TrainingState<float>).Validation

    for i in 0L .. total - 1L do
        let rate = Trainer.rate settings data watch i
        Assert.InRange(rate, 0.0, settings.LearningRate * (1.0 + 1e-12))
        Exactly.equal (Hyperparameters.schedule data.Count settings i) rate

[<Fact>]
let ``the default is a constant, to the bit`` () =
    for i in [ 0L; 1L; 9999L; Int64.MaxValue ] do
        Exactly.equal 0.1 (Hyperparameters.schedule 60000 Hyperparameters.Default i)

let private said name : ScheduleOptions = {
    Name = name
    Every = Nullable()
    Factor = Nullable()
    Last = Nullable()
    Rise = Nullable()
    Patience = Nullable()
}

[<Fact>]
let ``a schedule is chosen by its name and its numbers`` () =
    for choice, expected in
        [
            said "constant", ScheduleKind.Constant
            said "Step", ScheduleKind.Step(1000L, 0.1)
            {
                said "exponential" with
                    Every = Nullable 7L
                    Factor = Nullable 0.9
            },
            ScheduleKind.Exponential(7L, 0.9)
            {
                said "Cosine" with
                    Last = Nullable 0.01
            },
            ScheduleKind.Cosine 0.01
            said "OneCycle", ScheduleKind.OneCycle 0.3
            {
                said "Plateau" with
                    Patience = Nullable 3
            },
            ScheduleKind.Plateau(3, 0.1)
        ] do
        Exactly.equal (Ok expected) (Schedule.parse choice)

    Exactly.faulted [ "Schedule"; "Constant, Step"; "'steep'" ] (Schedule.parse (said "steep"))

    Exactly.faulted
        [ "ScheduleLast"; "does not apply to Step (found 0.1)"; "ScheduleRise" ]
        (Schedule.parse {
            said "Step" with
                Last = Nullable 0.1
                Rise = Nullable 0.1
        })

[<Fact>]
let ``numbers out of range are refused`` () =
    Exactly.refused [ "every" ] (fun () -> Schedule.step 0L 0.1 0.1)
    Exactly.refused [ "every" ] (fun () -> Schedule.exponential 0L 0.1 0.1)
    Exactly.refused [ "total" ] (fun () -> Schedule.cosine 0L 0.1 0.1)
    Exactly.refused [ "total" ] (fun () -> Schedule.oneCycle 0L 0.3 0.1)

    for rise in [ 0.0; 1.0; nan ] do
        Exactly.refused [ "rise" ] (fun () -> Schedule.oneCycle 10L rise 0.1)

    for schedule, subject in
        [
            ScheduleKind.Step(0L, 0.1), "ScheduleEvery"
            ScheduleKind.Exponential(1L, 0.0), "ScheduleFactor"
            ScheduleKind.Step(1L, nan), "ScheduleFactor"
            ScheduleKind.Cosine 1.1, "ScheduleLast"
            ScheduleKind.Cosine nan, "ScheduleLast"
            ScheduleKind.OneCycle 1.0, "ScheduleRise"
        ] do
        Exactly.faulted
            [ subject ]
            (Hyperparameters.create {
                Hyperparameters.Default.Options with
                    Schedule = schedule
            })
