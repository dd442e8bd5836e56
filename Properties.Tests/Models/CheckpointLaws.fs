/// Checkpoint.fs: a run goes on from its bytes as if it had never stopped.
module Pipeline.Properties.CheckpointLaws

open System
open System.IO
open System.Security.Cryptography
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private read settings architecture (bytes: byte[]) : Result<TrainingState<'T>, Fault list> =
    Checkpoint.read settings architecture (ReadOnlyMemory bytes)

/// A run with whatever a state can hold: normalised layers, and a watch on validation that lowers the
/// rate and ends the run, told a loss at the end of every epoch.
let private watched (settings: Hyperparameters) (architecture: Architecture) isNormalised =
    let settings =
        Hyperparameters.create {
            settings.Options with
                Validation = 0.2
                EarlyStopping = ValueSome 4
                Schedule = ScheduleKind.Plateau(1, 0.5)
        }
        |> orFail

    settings, architecture |> normalised isNormalised

/// One step, and at the end of an epoch a look at a validation loss: the iteration's own.
let private next settings (data: Dataset<'T>) (losses: float[]) (state: TrainingState<'T>) =
    let state = Trainer.step settings data state
    let each = int64 (Batch.iterationsPerEpoch data.Count settings.BatchSize)

    if state.Iteration % each = 0L then
        Trainer.observe settings losses[int state.Iteration % losses.Length] state
    else
        state

let private inSingle (data: Dataset<float>) : Dataset<float32> =
    let all: MiniBatch<float32> =
        Dataset.take [| 0 .. data.Count - 1 |] data |> MiniBatch.convert

    Dataset.ofColumns data.Classes all.Inputs all.Targets

/// The states after each step of a run of that many; the order of the epoch follows from the seed.
let private states settings data losses count (start: TrainingState<'T>) =
    List.scan (fun state _ -> next settings data losses state) start [ 1 .. int count ]

let private holdsResume settings (data: Dataset<'T>) architecture losses (split: int) =
    let total = Hyperparameters.iterations data.Count settings
    let start: TrainingState<'T> = Trainer.start settings architecture
    let whole = states settings data losses total start
    let split = split % whole.Length
    let bytes = Checkpoint.write whole[split]
    let resumed: TrainingState<'T> = read settings architecture bytes |> orFail
    Exactly.bits bytes (Checkpoint.write resumed)

    // 1000 bytes a tensor are more than its name takes: 8 tensors and best ones, and as many in each memory.
    let most = 2_000L + 17_000L * int64 (2 + resumed.Optimizer.Memory.Length)
    Assert.InRange(Checkpoint.size resumed, int64 bytes.Length, int64 bytes.Length + most)

    let continued = states settings data losses (total - int64 split) resumed

    for expected, actual in List.zip (List.skip split whole) continued do
        // A checkpoint is all of a state, so equal bytes are equal states.
        Exactly.bits (Checkpoint.write expected) (Checkpoint.write actual)

[<Law>]
let ``a run written anywhere, read and continued is the run undivided, in both precisions``
    (SmallRun(settings, data, architecture))
    (FsCheck.NonNegativeInt split)
    =
    holdsResume settings data architecture [| 1.0 |] split
    holdsResume settings (inSingle data) architecture [| 1.0 |] split

[<Law>]
let ``so is one that watches validation, with normalised layers``
    (SmallRun(settings, data, architecture))
    (FsCheck.NonNegativeInt split)
    (normalised: bool)
    (losses: FsCheck.NonEmptyArray<FsCheck.NormalFloat>)
    =
    let settings, architecture = watched settings architecture normalised
    let losses = losses.Get |> Array.map (fun loss -> abs loss.Get)
    holdsResume settings data architecture losses split
    holdsResume settings (inSingle data) architecture losses split

/// The bytes of a run's last state.
let private written settings (data: Dataset<float>) architecture =
    Trainer.start settings architecture
    |> states settings data [| 1.0; 2.0 |] (Hyperparameters.iterations data.Count settings)
    |> List.last
    |> Checkpoint.write

[<Law>]
let ``any cut of the bytes gives a fault``
    (SmallRun(settings, data, architecture))
    (place: FsCheck.NonNegativeInt)
    =
    let settings, architecture = watched settings architecture true
    let bytes = written settings data architecture

    for length in [ place.Get % bytes.Length; place.Get * 31 % bytes.Length; bytes.Length - 1 ] do
        let result: Result<TrainingState<float>, _> =
            read settings architecture bytes[.. length - 1]

        Assert.True(result.IsError, $"the first {length} of {bytes.Length} bytes")

[<Law>]
let ``one byte changed gives a state or a fault and never an exception``
    (SmallRun(settings, data, architecture))
    (place: FsCheck.NonNegativeInt)
    (value: byte)
    =
    let bytes = written settings data architecture

    for place in [ place.Get % bytes.Length; place.Get * 31 % bytes.Length; place.Get % 8 ] do
        for value in [ value; byte '"'; byte '9'; byte '-'; 0xFFuy; 0uy ] do
            let changed = Array.copy bytes
            changed[place] <- value

            match (read settings architecture changed: Result<TrainingState<float>, _>) with
            | Ok _ -> ()
            | Error faults -> Assert.NotEmpty faults

[<Law>]
let ``the checkpoint of another precision, network or optimizer gives a fault that says so``
    (SmallRun(settings, data, architecture))
    =
    let bytes = written settings data architecture
    let single: Result<TrainingState<float32>, _> = read settings architecture bytes
    single |> Exactly.faulted [ "W1"; "single precision"; "double precision" ]

    let wider =
        Architecture.dense Activation.Relu (architecture.Inputs + 1 :: architecture.Sizes.Tail)

    let other: Result<TrainingState<float>, _> = read settings wider bytes
    other |> Exactly.faulted [ "W1"; "the shape" ]

    let lacking name =
        let settings =
            Hyperparameters.create {
                settings.Options with
                    Optimizer = OptimizerSpec.create (OptimizerSpec.named name) |> orFail
            }
            |> orFail

        let plain =
            Hyperparameters.create {
                settings.Options with
                    Optimizer = OptimizerSpec.gradientDescent
            }
            |> orFail

        let found: Result<TrainingState<float>, _> =
            written plain data architecture |> read settings architecture

        found

    lacking "Adam" |> Exactly.faulted [ "mean.W1"; "squares.b1"; "is missing" ]
    lacking "Momentum" |> Exactly.faulted [ "velocity.W1" ]

let private tiny =
    Hyperparameters.create {
        Hyperparameters.Default.Options with
            Optimizer =
                OptimizerSpec.create {
                    OptimizerSpec.named "Adam" with
                        AverageDecay = Nullable 0.9
                }
                |> orFail
            Validation = 0.2
            EarlyStopping = ValueSome 3
            Schedule = ScheduleKind.Plateau(1, 0.5)
            Sampling = Sampling.Epoch
            BatchSize = 2
            Initialiser = Initialiser.Fixed 0.5
    }
    |> orFail

let private tinyArchitecture =
    Architecture.ofHidden
        Head.Softmax
        2
        [
            {
                Width = 3
                Normalised = true
                Activation = Activation.Tanh
                Dropout = 0.25
            }
        ]
        2
    |> orFail

let private tinyData: Dataset<float32> =
    Dataset.ofColumns
        2
        (MathNet.Numerics.LinearAlgebra.Matrix<float32>.Build.Dense(
            2,
            5,
            [| 1f; 2f; -3f; 1f; 0f; 5f; 4f; -4f; 2f; 2f |]
        ))
        (Targets.Labels [| 0; 1; 0; 1; 1 |])

/// Validation losses of the tiny run: lower at first, then not.
let private tinyLosses = [| 3.0; 2.0; 1.0; 1.5; 1.5; 0.9; 2.0 |]

let private tinyStates count (start: TrainingState<float32>) =
    states tiny tinyData tinyLosses count start |> List.last

let private fixture version =
    Path.Combine(AppContext.BaseDirectory, "Fixtures", $"checkpoint-{version}.safetensors")
    |> File.ReadAllBytes

/// The parameters of the tiny run after 31 of its steps.
let private tinyHash =
    "a9d03f42414ad3fc9917fc609a988aabe0013de8ac03dfc48fec07941a20c0fb"

[<Theory>]
[<InlineData(1)>]
[<InlineData(2)>]
let ``a checkpoint of every version goes on where it stopped`` (version: int) =
    let state: TrainingState<float32> =
        read tiny tinyArchitecture (fixture version) |> orFail

    Exactly.equal 17L state.Iteration
    Assert.True state.Validation.Best.IsSome

    // Version 1 had no running mean of the running statistics; what the run learns does not depend on it.
    if version > 1 then
        Exactly.bits
            (Checkpoint.write (tinyStates 31 (Trainer.start tiny tinyArchitecture)))
            (Checkpoint.write (tinyStates 14 state))

    Exactly.equal
        tinyHash
        (SHA256.HashData(Parameters.toBytes (tinyStates 14 state).Network.Parameters)
         |> Convert.ToHexStringLower)

[<Fact>]
let ``what is wrong with the numbers of a checkpoint is told`` () =
    let bytes = Checkpoint.write (tinyStates 17 (Trainer.start tiny tinyArchitecture))

    let text = Text.Encoding.Latin1.GetString bytes

    for before, after, says in
        [
            "\"checkpoint\":\"2\"", "\"checkpoint\":\"3\"", [ "version 2 or below"; "'3'" ]
            "\"checkpoint\":\"2\"", "\"checkpoint\":\"0\"", [ "version 2 or below"; "'0'" ]
            "\"checkpoint\":\"2\"", "\"chockpoint\":\"2\"", [ "is missing in the metadata" ]
            "\"iteration\":\"17\"", "\"iteration\":\"-7\"", [ "iteration"; "0 or more"; "'-7'" ]
            "\"iteration\":\"17\"", "\"iteration\":\"x7\"", [ "iteration"; "'x7'" ]
            "\"iteration\":\"17\"", "\"iteratiom\":\"17\"", [ "iteration"; "''" ]
            "\"steps\":\"17\"", "\"steps\":\"1.\"", [ "steps"; "'1.'" ]
            "\"first_loss\":\"", "\"first_loss\":\"_", []
            "average.W1", "averaqe.W1", [ "average.W1"; "is missing" ]
            "average.mean1", "average.mean7", [ "average.mean1"; "is missing" ]
            "variance1", "variance9", [ "variance1" ]
            "best.b2", "best.b7", [ "best.b2" ]
            "\"g1\"", "\"h1\"", [ "g1" ]
        ] do
        Assert.Contains(before, text)

        let changed =
            if after.Length = before.Length then
                text.Replace(before, after)
            else
                // A letter more takes the place of one behind it.
                let place = text.IndexOf before
                text[.. place - 1] + after + text[place + after.Length ..]

        let result: Result<TrainingState<float32>, _> =
            read tiny tinyArchitecture (Text.Encoding.Latin1.GetBytes changed)

        result |> Exactly.faulted says

[<Law>]
let ``kept are the newest few and the newest from before the epoch, and nothing from later``
    (iterations: FsCheck.NonNegativeInt list)
    (FsCheck.PositiveInt count)
    (FsCheck.NonNegativeInt iteration)
    (FsCheck.NonNegativeInt back)
    =
    let iterations = iterations |> List.map (_.Get >> int64)
    let iteration = int64 iteration
    let epochStart = max 0L (iteration - int64 back)
    let iterations = iteration :: iterations
    let kept = Checkpoint.iterationsToKeep count iteration epochStart iterations

    let past =
        iterations |> List.filter (fun each -> each <= iteration) |> List.distinct

    Exactly.equal iteration kept.Head
    Exactly.equal kept (List.distinct kept |> List.sortDescending)
    Assert.InRange(kept.Length, 1, count + 1)
    Assert.All(kept, (fun each -> Assert.Contains(each, past)))

    let before = past |> List.filter (fun each -> each <= epochStart)

    if not before.IsEmpty then
        Assert.Contains(List.max before, kept)

    for each in past do
        let newer =
            iteration :: past |> List.distinct |> List.filter (fun other -> other > each)

        if newer.Length < count then
            Assert.Contains(each, kept)
