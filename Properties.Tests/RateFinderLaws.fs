/// RateFinder.fs: the sweep is a run, and its suggestion learns.
module Pipeline.Properties.RateFinderLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law(MaxTest = 30)>]
let ``a sweep's rates rise by one factor, from the lowest to the highest``
    (SmallRun(settings, data, architecture))
    =
    let sweep = RateFinder.sweep settings 1e-4 1e-2 9 data architecture
    let rates = sweep.Steps |> List.map _.Rate

    rates
    |> Array.ofList
    |> Approximately.equal 1e-12 (Array.init rates.Length (fun i -> 1e-4 * 10.0 ** (float i / 4.0)))

    if rates.Length < 9 then
        // It ends early only where the loss has left.
        let last = List.last sweep.Steps
        let lowest = sweep.Steps |> List.map _.Smoothed |> List.min
        Assert.True(last.Smoothed > 4.0 * lowest)

    match sweep.Suggested with
    | ValueSome rate -> Assert.Contains(rate, rates)
    | ValueNone -> ()

[<Law(MaxTest = 30)>]
let ``its losses are those of a run with such a schedule``
    (SmallRun(settings, data, architecture))
    =
    let sweep = RateFinder.sweep settings 1e-3 1e-2 5 data architecture

    let settings =
        Hyperparameters.create {
            settings.Recipe with
                Length = RunLength.Iterations 5L
                LearningRate = 1e-3
                Schedule = ScheduleMethod.Exponential(4L, 10.0)
                WarmUp = 0L
        }
        |> orFail

    let start: State<float> = Trainer.start settings architecture

    let losses =
        List.scan (fun state _ -> Trainer.step settings data state) start sweep.Steps
        |> List.tail
        |> List.map _.Loss

    Exactly.bits (Array.ofList losses) (sweep.Steps |> List.map _.Loss |> Array.ofList)

    // Each smoothed loss is the mean of those so far, weighted by powers of 0.95.
    sweep.Steps
    |> List.iteri (fun i step ->
        let weights = Array.init (i + 1) (fun j -> 0.95 ** float (i - j))

        let mean =
            Array.fold2 (fun sum w l -> sum + w * l) 0.0 weights (Array.ofList losses[..i])
            / Array.sum weights

        Approximately.equal 1e-12 [| mean |] [| step.Smoothed |])

/// Two clouds of points, far apart.
let private clouds: Dataset<float> =
    let labels = Array.init 64 (fun s -> s % 2)

    let value i =
        let s = i / 2

        (if s % 2 = 0 then -1.0 else 1.0)
        + 0.3 * Random.normal 5UL Stream.GradientCheck 0L i

    Dataset.ofColumns 2 (Array.init 128 value |> Kernels.matrix 2 64) (Targets.Labels labels)

[<Fact>]
let ``the suggested rate learns, ten thousand times less does not`` () =
    let architecture = Architecture.dense Activation.Tanh [ 2; 8; 2 ]

    let settings rate =
        Hyperparameters.create {
            Hyperparameters.book.Recipe with
                Length = RunLength.Iterations 100L
                LearningRate = rate
                BatchSize = 16
                Initialiser = Initialiser.XavierNormal
        }
        |> orFail

    let sweep = RateFinder.sweep (settings 0.1) 1e-6 1e3 200 clouds architecture
    let rate = ValueOption.get sweep.Suggested

    let after rate =
        let settings = settings rate
        let start: State<float> = Trainer.start settings architecture
        let ended = Trainer.advance settings clouds 100L (fun _ _ -> true) start
        (Network.evaluate ended.Network clouds).Loss

    let start: State<float> = Trainer.start (settings rate) architecture
    let first = (Network.evaluate start.Network clouds).Loss
    Assert.True(after rate < 0.2 * first)
    Assert.True(after (rate / 1e4) > 0.9 * first)

[<Theory>]
[<InlineData(0.0, 1.0, 5)>]
[<InlineData(1.0, 1.0, 5)>]
[<InlineData(1.0, Double.PositiveInfinity, 5)>]
[<InlineData(0.1, 1.0, 1)>]
let ``rates and counts out of range are refused`` (lowest: float) (highest: float) (count: int) =
    Assert.Throws<ArgumentException>(fun () ->
        RateFinder.sweep
            Hyperparameters.book
            lowest
            highest
            count
            clouds
            (Architecture.dense Activation.Tanh [ 2; 2 ])
        |> ignore)
    |> ignore
