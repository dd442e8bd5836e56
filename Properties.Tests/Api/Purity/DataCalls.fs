/// Calls of the public functions of Data that are given something changeable.
module internal Pipeline.Properties.DataCalls

open MathNet.Numerics.LinearAlgebra
open System
open Pipeline.Learning
open Pipeline.Learning.Interop

let calls (given: PurityGiven) : PureCall list =
    let network = given.Network
    let batch = given.Batch
    let data = given.Data
    let one = given.One
    let targets = batch.Targets

    let labelled =
        Dataset.ofColumns
            256
            (Matrix<float>.Build.Dense(1, given.Labels.Length))
            (Targets.Labels given.Labels)

    let classes = List.init 256 string

    [
        "Folds.Stratified",
        fun () -> Folds.stratified 1UL 2 (Array.init given.Labels.Length uint64) given.Labels
        "Folds.Forward", fun () -> Folds.forward 2 given.Numbers
        "ClassWeights.Apply", fun () -> ClassWeights.apply classes ClassWeights.Balanced labelled
        "Dataset.WithWeights",
        fun () -> Dataset.withWeights (Array.create labelled.Count 2.0) labelled
        "Dataset.WithoutWeights", fun () -> Dataset.withoutWeights labelled
        "Dataset.Weights", fun () -> Dataset.weights labelled
        "WeightedClasses.Apply",
        fun () -> WeightedClasses.Apply(ClassWeights.Balanced, classes, labelled)
        "Targets.Count", fun () -> Targets.count targets
        "Targets.OneHot", fun () -> (Targets.oneHot 256 given.Labels: Matrix<float>)
        "Targets.Columns", fun () -> Targets.columns network.Architecture.Outputs targets
        "Pixels.ScaleOf", fun () -> Pixels.scaleOf given.Tensor
        "Pixels.Assumption", fun () -> Pixels.assumption PixelScale.Unit given.Tensor
        "Pixels.Dimensions", fun () -> Pixels.dimensions given.Tensor
        "Pixels.OfTensor", fun () -> Pixels.ofTensor PixelScale.Byte given.Tensor
        "Pixels.Transpose", fun () -> Pixels.transpose given.Images
        "Pixels.Split",
        fun () -> Pixels.split 1UL 0.5 given.Images (Array.zeroCreate given.Images.Count)
        "ClassLabels.OfTensor", fun () -> ClassLabels.ofTensor given.Tensor
        "ClassLabels.Classes", fun () -> ClassLabels.classes 10 given.Tensor
        "ClassCheck.RequireSeveral",
        fun () -> ClassCheck.requireSeveral (List.init 10 string) given.Labels
        "ClassCheck.Untrained",
        fun () -> ClassCheck.untrained (List.init data.Classes string) data data
        "MiniBatch.Create", fun () -> MiniBatch.create batch.Inputs batch.Targets
        "MiniBatch.WithWeights",
        fun () -> MiniBatch.withWeights (Array.create batch.Count 2.0) batch
        "MiniBatch.Convert", fun () -> (MiniBatch.convert batch: MiniBatch<float32>)
        "Dataset.OfColumns",
        fun () -> Dataset.ofColumns data.Classes given.DataInputs given.DataTargets
        "Dataset.OfIdx",
        fun () ->
            let data: Dataset<float> = Dataset.ofIdx 256 given.Images given.Labels |> orFail
            Dataset.take [| 0 |] data
        "Dataset.Take", fun () -> Dataset.take [| 0; data.Count - 1 |] data
        "Augmentation.Apply",
        fun () ->
            Augmentation.apply
                {
                    Augmentation.None with
                        Shift = 1.0
                        Elastic = 2.0
                        Noise = 0.1
                }
                1UL
                0L
                (ImageSize.Grey(one.RowCount, 1))
                one
        "Targets.Smooth", fun () -> Targets.smooth 0.1 network.Architecture.Outputs targets
        "Dataset.Select", fun () -> Dataset.select [| data.Count - 1; 0; 0 |] data
        "Dataset.Split", fun () -> Dataset.split 1UL 0.5 data
        "Dataset.Sample", fun () -> Dataset.sample 1UL 0.5 data
        "DataSplit.Training",
        fun () ->
            let split = DataSplit.create (Nullable()) 0.2 0.5 1UL |> orFail
            DataSplit.training split data
    ]
