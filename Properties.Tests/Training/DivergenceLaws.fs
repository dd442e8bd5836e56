/// Divergence.fs, DivergenceFinding.fs: when a run has diverged, and which network it keeps.
module Pipeline.Properties.DivergenceLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law>]
let ``health: not finite after a loss that is none, too high after an epoch ten times the first loss``
    (SmallRun(settings, data, architecture))
    =
    let start: TrainingState<float> = Trainer.start settings architecture
    let each = int64 (Batch.iterationsPerEpoch data.Count settings.BatchSize)

    let health iteration loss sum =
        Divergence.health settings data {
            start with
                Iteration = iteration
                Loss = loss
                FirstLoss = 2.0
                EpochLoss = sum
        }

    for loss in [ nan; infinity; -infinity ] do
        for iteration in [ 1L; each; each + 1L ] do
            Exactly.equal RunHealth.NotFinite (health iteration loss 1.0)

        Exactly.equal RunHealth.NotFiniteAfterStep (Divergence.healthAfter loss)

    let tenfold = 20.0 * float each
    Exactly.equal RunHealth.TooHigh (health each 1.0 (tenfold * 1.001))
    Exactly.equal RunHealth.TooHigh (health (3L * each) 1.0 (tenfold * 1.001))
    Exactly.equal RunHealth.Healthy (health each 1.0 (tenfold * 0.999))
    Exactly.equal RunHealth.Healthy (health 0L nan (tenfold * 1.001))
    Exactly.equal RunHealth.Healthy (Divergence.healthAfter tenfold)

    // Inside an epoch the mean is not known yet.
    if each > 1L then
        Exactly.equal RunHealth.Healthy (health (each + 1L) 1.0 (tenfold * 1.001))

/// Six samples, and a run on them whose rate decides whether it diverges.
let private data =
    let inputs: Matrix<float32> =
        Matrix<float32>.Build.Dense(2, 6, [| 1f; 2f; -3f; 1f; 0f; 5f; 4f; -4f; 2f; 2f; -1f; 1f |])

    Dataset.ofColumns 2 inputs (Targets.Labels [| 0; 1; 0; 1; 1; 0 |])

let private settingsOf rate =
    Hyperparameters.create {
        Hyperparameters.Default.Options with
            Length = RunLength.Iterations 60L
            BatchSize = 2
            LearningRate = rate
            Initialiser = Initialiser.Fixed 0.1
            Sampling = Sampling.Epoch
    }
    |> orFail

let private epochLength = 3L

/// The states of that run, the start first.
let private statesOf rate : TrainingState<float32> list =
    let settings = settingsOf rate

    let start = Trainer.start settings (Architecture.dense Activation.Relu [ 2; 4; 2 ])

    List.scan (fun state _ -> Trainer.step settings data state) start [ 1..60 ]

[<Fact>]
let ``a rate far too high is told`` () =
    let healths rate =
        statesOf rate |> List.map (Divergence.health (settingsOf rate) data)

    Assert.Contains(RunHealth.TooHigh, healths 1000.0)
    Assert.Contains(RunHealth.NotFinite, healths 1e30)
    Assert.All(healths 0.01, (fun health -> Exactly.equal RunHealth.Healthy health))

let private spanOf (NonNegativeInt start) (PositiveInt passed) (PositiveInt epochLength) =
    let epochLength = int64 epochLength
    let reached = int64 start + int64 passed

    {
        Start = int64 start
        Reached = reached
        EpochLength = epochLength
    }

/// A span at whose end the health can be that: an epoch is judged at its end.
let private judged (span: RunSpan) health =
    match health with
    | RunHealth.TooHigh -> {
        span with
            Reached = span.Reached * span.EpochLength
      }
    | _ -> span

[<Law>]
let ``a sound run continues, and only a sound one`` start passed epochLength health =
    let span = judged (spanOf start passed epochLength) health

    Exactly.equal
        (health = RunHealth.Healthy)
        (Divergence.decide span health = DivergenceDecision.Continue)

[<Law>]
let ``what a diverged run keeps lies among the iterations that it has passed``
    start
    passed
    epochLength
    health
    =
    let span = judged (spanOf start passed epochLength) health

    match Divergence.decide span health with
    | DivergenceDecision.Keep iteration ->
        Assert.True(span.Start <= iteration && iteration < span.Reached)
    | DivergenceDecision.ResumeEarlier -> Assert.True(span.Start > 0L)
    | DivergenceDecision.Continue -> ()

[<Law>]
let ``wherever a run was resumed it keeps what the whole run keeps, or is resumed earlier``
    start
    passed
    epochLength
    health
    =
    let span = judged (spanOf start passed epochLength) health
    let whole = Divergence.decide { span with Start = 0L } health

    match Divergence.decide span health, whole with
    | DivergenceDecision.ResumeEarlier, DivergenceDecision.Keep kept ->
        Assert.True(kept < span.Start)
    | decision, _ -> Exactly.equal whole decision

[<Law>]
let ``of an epoch whose loss is too high the network is kept from which it started``
    (PositiveInt epochs)
    (PositiveInt epochLength)
    =
    let each = int64 epochLength

    let span = {
        Start = 0L
        Reached = int64 epochs * each
        EpochLength = each
    }

    Exactly.equal
        (DivergenceDecision.Keep(int64 (epochs - 1) * each))
        (Divergence.decide span RunHealth.TooHigh)

[<Fact>]
let ``the network that is kept is the last whose loss is finite`` () =
    let states = statesOf 1e30
    let health = Divergence.health (settingsOf 1e30) data
    let ended = states |> List.find (fun state -> health state = RunHealth.NotFinite)

    let span = {
        Start = 0L
        Reached = ended.Iteration
        EpochLength = epochLength
    }

    match Divergence.decide span RunHealth.NotFinite with
    | DivergenceDecision.Keep kept ->
        // A step's loss is that of the network before it.
        Assert.True(Double.IsFinite states[int kept + 1].Loss)
        Assert.False(Double.IsFinite states[int kept + 2].Loss)
    | decision -> failwith $"{decision}"

[<Fact>]
let ``the finding says where the run diverged, why, what is kept and what helps`` () =
    let finding = {
        Health = RunHealth.NotFinite
        Reached = 5L
        Kept = 3L
        LearningRate = 1000.0
    }

    Assert.Equal(
        "The run diverged at iteration 5: the loss is no longer a finite number. The model of iteration 3, the last one whose loss was finite, is kept. Lower the learning rate, now 1000.",
        string finding
    )

    Assert.Equal(
        "The run diverged at iteration 6: the mean loss of an epoch is above ten times the first loss. The model of iteration 3, where that epoch started, is kept. Lower the learning rate, now 0.5.",
        string {
            finding with
                Health = RunHealth.TooHigh
                Reached = 6L
                LearningRate = 0.5
        }
    )
