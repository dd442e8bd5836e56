/// LearningRateFinder.fs: the sweep is a run, and its suggestion learns.
module Pipeline.Properties.LearningRateFinderLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law(MaxTest = 30)>]
let ``a sweep's rates rise by one factor, from the lowest to the highest``
    (SmallRun(settings, data, architecture))
    =
    let sweep = LearningRateFinder.sweep settings 1e-4 1e-2 9 data architecture
    let rates = sweep.Steps |> List.map _.Rate

    rates
    |> Array.ofList
    |> Approximately.equal 1e-12 (Array.init rates.Length (fun i -> 1e-4 * 10.0 ** (float i / 4.0)))

    if rates.Length < 9 then
        // It ends early only where the running mean has left its lowest.
        let means =
            sweep.Steps
            |> List.scan
                (fun (sum, weight) step -> 0.95 * sum + step.Loss, 0.95 * weight + 1.0)
                (0.0, 0.0)
            |> List.tail
            |> List.map (fun (sum, weight) -> sum / weight)

        Assert.True(List.last means > 4.0 * List.min means)

    match sweep.Suggested with
    | ValueSome rate -> Assert.Contains(rate, rates)
    | ValueNone -> ()

[<Law(MaxTest = 30)>]
let ``its losses are those of a run with such a schedule``
    (SmallRun(settings, data, architecture))
    =
    let sweep = LearningRateFinder.sweep settings 1e-3 1e-2 5 data architecture

    let settings =
        Hyperparameters.create {
            settings.Options with
                Length = RunLength.Iterations 5L
                LearningRate = 1e-3
                Schedule = ScheduleKind.Exponential(4L, 10.0)
                WarmUp = 0L
        }
        |> orFail

    let start: TrainingState<float> = Trainer.start settings architecture

    let losses =
        List.scan (fun state _ -> Trainer.step settings data state) start sweep.Steps
        |> List.tail
        |> List.map _.Loss

    Exactly.bits (Array.ofList losses) (sweep.Steps |> List.map _.Loss |> Array.ofList)

    // Five steps are too few to be smoothed.
    Exactly.bits (Array.ofList losses) (sweep.Steps |> List.map _.Smoothed |> Array.ofList)

[<Law>]
let ``a smoothed loss is the mean of its neighbours, as many on either side`` (losses: float[]) =
    let losses =
        losses |> Array.filter Double.IsFinite |> Array.map (fun x -> x % 100.0)

    let losses = Array.append losses (Array.init 120 float)
    let reach = losses.Length / 40
    let smoothed = LearningRateFinder.smooth losses
    let n = losses.Length

    for i in 0 .. n - 1 do
        let reach = min reach (min i (n - 1 - i))
        let expected = Seq.average losses[i - reach .. i + reach]
        Approximately.equal 1e-12 [| expected |] [| smoothed[i] |]

/// A fall from 1 to 0 around a place, as wide as that.
let private fallAt (place: float) (width: float) (x: float) =
    1.0 / (1.0 + exp ((x - place) / width))

/// The loss of a sweep at x of 0 to 1, as it would be without noise: two falls with a plateau between them, a
/// bump, then the way out.
type private Curve = {
    First: float
    Second: float
    Width: float
    Deep: float
    Bump: float
    Out: float
} with

    member curve.At(x: float) =
        0.3
        + (1.0 - curve.Deep) * fallAt curve.First curve.Width x
        + curve.Deep * fallAt curve.Second curve.Width x
        + 0.15 * exp (-(((x - curve.Bump) / 0.03) ** 2.0))
        + 10.0 * fallAt -curve.Out 0.02 -x

[<Law>]
let ``the suggested rate is where the loss falls throughout, and nearly as fast as anywhere``
    (Seed seed)
    =
    let draw i =
        RandomNumbers.uniform seed RandomStream.GradientCheck 0L i

    let first = 0.15 + 0.2 * draw 0
    // Two steep falls of nearly one size that a span just holds, with a plateau in its middle; or any two, far
    // apart.
    let isClose = seed % 2UL = 0UL

    let curve = {
        First = first
        Second =
            first
            + (if isClose then
                   0.082 + 0.012 * draw 1
               else
                   0.2 + 0.15 * draw 1)
        Width = 0.003 + (if isClose then 0.002 else 0.02) * draw 2
        Deep = if isClose then 0.45 + 0.1 * draw 3 else draw 3
        Bump = 0.1 + 0.7 * draw 4
        Out = 0.75 + 0.2 * draw 5
    }

    let count = [| 60; 100; 300 |][int (seed % 3UL)]
    let place i = float i / float (count - 1)
    let span = count / 20
    let half = (span + 1) / 2

    // The curve without noise, averaged over a twentieth of the sweep.
    let trend i =
        Seq.average (seq { for k in -(count / 40) .. count / 40 -> curve.At(place (i + k)) })

    let fallWithin reach i = trend (i - reach) - trend (i + reach)

    // A bump beside a fall, or a plateau in its middle, makes the place a doubtful one.
    let fallsThroughout i =
        let whole = fallWithin span i

        trend (i - half) - trend i >= 0.3 * whole
        && trend i - trend (i + half) >= 0.3 * whole
        && trend (i - span) - trend (i - half) >= -0.05 * whole
        && trend (i + half) - trend (i + span) >= -0.05 * whole

    let fastest =
        seq { span .. count - 1 - span }
        |> Seq.filter fallsThroughout
        |> Seq.map (fallWithin span)
        |> Seq.fold max 0.0

    for noise in [ 0.0; 0.01 ] do
        let losses =
            Array.init count (fun i ->
                curve.At(place i)
                + noise * RandomNumbers.normal seed RandomStream.GradientCheck 1L i)

        let steps =
            Array.map2
                (fun i (loss, smoothed) -> {
                    Rate = float i
                    Loss = loss
                    Smoothed = smoothed
                })
                [| 0 .. count - 1 |]
                (Array.zip losses (LearningRateFinder.smooth losses))

        match LearningRateFinder.steepest steps with
        | ValueSome i ->
            let i = int i
            let whole = fallWithin span i

            Assert.True(
                whole > 0.3 * fastest,
                $"at {i} it falls by {whole}, elsewhere by {fastest}"
            )

            Assert.True(fallWithin half i > 0.25 * whole, $"it does not fall at {i}")
        | ValueNone -> failwith "expected a suggestion, as the loss falls"

[<Fact>]
let ``the suggested rate is not on a plateau between two falls`` () =
    ``the suggested rate is where the loss falls throughout, and nearly as fast as anywhere`` (
        Seed 9311218057608873608UL
    )

[<Fact>]
let ``a loss that never falls suggests no rate`` () =
    for loss in [ (fun _ -> 2.3); (fun i -> 2.3 + float i) ] do
        let losses = Array.init 100 loss

        let steps =
            Array.map2
                (fun loss smoothed -> {
                    Rate = 1.0
                    Loss = loss
                    Smoothed = smoothed
                })
                losses
                (LearningRateFinder.smooth losses)

        Exactly.equal ValueNone (LearningRateFinder.steepest steps)

/// Two clouds of points, far apart.
let private clouds: Dataset<float> =
    let labels = Array.init 64 (fun s -> s % 2)

    let value i =
        let s = i / 2

        (if s % 2 = 0 then -1.0 else 1.0)
        + 0.3 * RandomNumbers.normal 5UL RandomStream.GradientCheck 0L i

    Dataset.ofColumns 2 (Array.init 128 value |> Kernels.matrix 2 64) (Targets.Labels labels)

[<Fact>]
let ``the suggested rate learns, ten thousand times less does not`` () =
    let architecture = Architecture.dense Activation.Tanh [ 2; 8; 2 ]

    let settings rate =
        Hyperparameters.create {
            Hyperparameters.Default.Options with
                Length = RunLength.Iterations 100L
                LearningRate = rate
                BatchSize = 16
                Initialiser = Initialiser.XavierNormal
        }
        |> orFail

    let sweep = LearningRateFinder.sweep (settings 0.1) 1e-6 1e3 200 clouds architecture
    let rate = ValueOption.get sweep.Suggested

    let after rate =
        let settings = settings rate
        let start: TrainingState<float> = Trainer.start settings architecture
        let ended = Trainer.advance settings clouds 100L (fun _ _ -> true) start
        (Network.evaluate ended.Network clouds).Loss

    let start: TrainingState<float> = Trainer.start (settings rate) architecture
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
        LearningRateFinder.sweep
            Hyperparameters.Default
            lowest
            highest
            count
            clouds
            (Architecture.dense Activation.Tanh [ 2; 2 ])
        |> ignore)
    |> ignore
