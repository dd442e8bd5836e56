/// Calls of the public functions of Models that are given something changeable.
module internal Pipeline.Properties.ModelsCalls

open System
open Pipeline.Learning
open Pipeline.Learning.Formats

let calls (given: PurityGiven) : PureCall list =
    let network = given.Network
    let state = given.State
    let bytes = ReadOnlyMemory given.File

    [
        "Model.OfNetwork", fun () -> Model.ofNetwork network
        "Model.ToTensors", fun () -> Model.toTensors given.Model
        "Model.OfTensorsWithLayers",
        fun () ->
            (Model.ofTensorsWithLayers [] ModelDefaults.None given.Tensors: Result<Model<float>, _>)
            |> sure
        "Model.OfTensors",
        fun () ->
            (Model.ofTensors ModelDefaults.None given.Tensors: Result<Model<float>, _>)
            |> sure
        "Model.WithStatistics",
        fun () ->
            let inputs = Drift.ofSamples Preprocessing.Numbers given.Data
            Model.withStatistics inputs given.Data (Model.ofNetwork state.Network)
        "Drift.OfTable",
        fun () ->
            Drift.ofTable
                {
                    Numbers = [
                        {
                            Name = "numbers"
                            Fill = 0.0
                            Centre = 0.0
                            Scale = 1.0
                        }
                    ]
                    Categories = []
                    Format = CellFormat.Default
                }
                given.Table
        "Drift.OfSamples", fun () -> Drift.ofSamples Preprocessing.Numbers given.Data
        "Drift.Compare",
        fun () ->
            let statistics = {
                Inputs = Drift.ofSamples Preprocessing.Numbers given.Data
                Answers = []
            }

            let counter = DriftCounter(statistics, Preprocessing.Numbers, null)

            Drift.compare DriftOptions.Default statistics (Array.init counter.Count int64)
        "Model.ClassName", fun () -> Model.className given.Model 0
        "Npz.ToArrays", fun () -> Npz.toArrays given.Tensors
        "Onnx.OfModel", fun () -> Onnx.ofModel given.Model
        "Safetensors.Write", fun () -> Safetensors.write given.Model
        "Safetensors.Format", fun () -> Safetensors.format given.Tensors
        "Safetensors.Parse", fun () -> Safetensors.parse bytes
        "Safetensors.Read", fun () -> (Safetensors.read bytes: Result<Model<float>, _>)
        "Checkpoint.Size", fun () -> Checkpoint.size state
        "Checkpoint.Write", fun () -> Checkpoint.write state
        "Checkpoint.Read",
        fun () ->
            let bytes = ReadOnlyMemory(Checkpoint.write state)

            let read: TrainingState<float> =
                Checkpoint.read given.Settings state.Network.Architecture bytes |> orFail

            read.Network.Parameters.Layers.Head.Weights.Clear()
            Checkpoint.write read
    ]
