/// Runs and models of layers over images and of residual blocks: resumed, written and read.
module Pipeline.Properties.ImageModelLaws

open System
open System.Numerics
open Xunit
open FsCheck
open FsCheck.FSharp
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SideBySideLaws

let private settings =
    Hyperparameters.create {
        Hyperparameters.Default.Options with
            Length = RunLength.Iterations 12L
            BatchSize = 7
            Initialiser = Initialiser.HeNormal
            LearningRate = 0.01
            Sampling = Sampling.Epoch
            Optimizer = OptimizerSpec.create (OptimizerSpec.named "Adam") |> orFail
    }
    |> orFail

let private holdsResume<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (seed: uint64)
    (split: int)
    (each: Shape * Written list)
    : unit =
    let architecture = architectureOf each

    let data: Dataset<'T> =
        let batch = batchOf seed 24 architecture
        Dataset.ofColumns architecture.Outputs batch.Inputs batch.Targets

    let start: TrainingState<'T> = Trainer.start settings architecture

    let advance steps =
        Trainer.advance settings data (int64 steps) (fun _ _ -> true)

    let bytes = Checkpoint.write (advance split start)

    let resumed: TrainingState<'T> =
        Checkpoint.read settings architecture (ReadOnlyMemory bytes) |> orFail

    Exactly.bits bytes (Checkpoint.write resumed)
    let whole = Checkpoint.write (advance 12 start)
    Exactly.bits whole (Checkpoint.write (advance (12 - split) resumed))

    // One step after the other, too.
    List.fold (fun state _ -> Trainer.step settings data state) start [ 1..12 ]
    |> Checkpoint.write
    |> Exactly.bits whole

[<Law(MaxTest = 5)>]
let ``a run over images, written anywhere, is resumed with the same bits``
    (Seed seed)
    (PositiveInt split)
    =
    for each in written do
        holdsResume<float> seed (split % 12) each
        holdsResume<float32> seed (split % 12) each

[<Law(MaxTest = 5)>]
let ``a model over images is written and read with the bits of its answers, in every format``
    (Seed seed)
    =
    for each in written do
        let architecture = architectureOf each
        let network: Network<float32> = networkOf seed architecture
        let model = Model.ofNetwork network
        let inputs = (batchOf<float32> seed 5 architecture).Inputs
        let expected = Network.predict (ForwardPass.folded network) inputs

        Approximately.equal
            1e-4
            (cells (Network.predict network inputs) |> Array.map float)
            (cells expected |> Array.map float)

        let back: Model<float32> list = [
            Safetensors.read (ReadOnlyMemory(Safetensors.write model)) |> orFail
            Npz.ofArrays (Npz.toArrays (Model.toTensors model))
            |> Result.bind (Model.ofTensors ModelDefaults.None)
            |> orFail
        ]

        for back in back do
            Exactly.bits (cells expected) (cells (Network.predict back.Network inputs))

            Exactly.equal
                (Safetensors.write model |> Array.length)
                (Safetensors.write back |> Array.length)

/// Layers that keep the shape of images, and blocks of them.
let private layers: Gen<Written list> =
    let rec layer depth =
        let named =
            Gen.elements [
                Named "conv2d 2 3 padding 1"
                Named "conv2d 2 1 groups 2"
                Named "batchnorm"
                Named "layernorm"
                Named "relu"
                Named "dropout2d 0.25"
            ]

        if depth = 0 then
            named
        else
            Gen.frequency [ 2, named; 1, many (depth - 1) |> Gen.map Block ]

    and many depth = gen {
        let! count = Gen.choose (1, 12)
        return! Gen.listOfLength count (layer depth)
    }

    many 3

[<Law(MaxTest = 30)>]
let ``every tensor of a network has a name of its own, in blocks within blocks too`` () =
    Prop.forAll (Arb.fromGen layers) (fun layers ->
        let architecture = architectureOf (Shape.Image(2, 3, 3), layers)

        let network: Network<float32> =
            Network.initialise Initialiser.HeNormal 1UL architecture

        let names =
            ParameterTensors.ofParameters "" network.Parameters
            @ ParameterTensors.ofRunning "" network
            |> List.map _.Name

        Exactly.equal names (List.distinct names))
