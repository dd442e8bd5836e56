/// Calls of the public functions of Interop that are given something changeable.
module internal Pipeline.Properties.InteropCalls

open System
open System.Collections.Generic
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Interop

let calls (given: PurityGiven) : PureCall list =
    let network = given.Network
    let batch = given.Batch
    let data = given.Data
    let state = given.State
    let one = given.One
    let v = given.Vector
    let parameters = network.Parameters
    let targets = batch.Targets
    let loss (moved: Network<float>) = Network.loss moved batch
    let logits () = Network.forward network batch.Inputs
    let square (x: Vector<float>) = x * x
    let double (x: Vector<float>) = x + x
    let adam: Optimizer<float> = Optimizer.adam 0.9 0.999 1e-8
    let memory = given.Memory

    [
        "Activations.Apply", fun () -> Activations.Apply(Activation.Tanh, one)
        "Activations.Derivative", fun () -> Activations.Derivative(Activation.Tanh, one)
        "Heads.Apply", fun () -> Heads.Apply(Head.Softmax, one)
        "Augmentations.Apply",
        fun () ->
            Augmentations.Apply(
                { Augmentation.None with Mirror = 1.0 },
                1UL,
                0L,
                ImageSize.Grey(one.RowCount, 1),
                one
            )
        "Activations.Softmax", fun () -> Activations.Softmax one
        "Networks.MatrixLayers", fun () -> Networks.MatrixLayers network
        "Networks.FilterSize", fun () -> Networks.FilterSize network
        "NetworkExtensions.With", fun () -> NetworkExtensions.With(network, parameters)
        "ParametersExtensions.Map", fun () -> ParametersExtensions.Map(parameters, abs)
        "ParametersExtensions.Zip",
        fun () -> ParametersExtensions.Zip(parameters, parameters, (fun a b -> a + b))
        "ParametersExtensions.Norm", fun () -> ParametersExtensions.Norm parameters
        "Gradients.Check", fun () -> Gradients.Check(network, batch)
        "Optimizers.Start", fun () -> Optimizers.Start(adam, parameters)
        "Optimizers.Step", fun () -> Optimizers.Step(adam, 0.1, parameters, memory, parameters)
        "Runs.Advance", fun () -> Runs.Advance(given.Settings, data, 5L, (fun _ _ -> true), state)
        "Losses.OfBatch",
        fun () ->
            Losses.OfBatch(Func<_, _, _>(fun t y -> Loss.sumSquaredError t y), targets, logits ())
        "Tables.OfParquet",
        fun () ->
            Tables.OfParquet(
                10_000L,
                Func<_, _, _, _>(fun _ _ _ -> false),
                ReadOnlyMemory given.Parquet
            )
        "Gradients.Numerical", fun () -> Gradients.Numerical(1e-4, Func<_, _> square, v)
        "Gradients.NumericalOf", fun () -> Gradients.NumericalOf(1e-4, Func<_, _> loss, network)
        "Optimizers.Descent", fun () -> Optimizers.Descent(0.1, 3, Func<_, _> double, v)
        "Models.Create", fun () -> Models.Create(network, Preprocessing.Numbers, [], Dictionary())

        "DataSplits.Training",
        fun () ->
            let split = DataSplit.create (Nullable()) 0.2 0.0 1UL |> orFail
            DataSplits.Training(split, data, (fun _ -> InvalidOperationException()))
        "Tables.OfTensor", fun () -> Tables.OfTensor given.Tensor
        "Tables.WithLineNumbers",
        fun () -> Tables.WithLineNumbers([| 1 .. given.Table.Rows |], given.Table)
        "Tables.Samples",
        fun () ->
            let encoding = TableEncoding.fit choice given.Table |> orFail
            (Tables.Samples(encoding, 2, given.Table): Result<Dataset<float>, _>) |> sure
        "Tables.WithNames", fun () -> Tables.WithNames([ "Numbers" ], given.Table)
        "Tables.WithIndexNames", fun () -> Tables.WithIndexNames given.Table
        "Tables.Inputs", fun () -> Tables.Inputs(choice, given.Table)
        "Tables.EncodingOf",
        fun () -> Tables.EncodingOf(Preprocessing.Numbers, null, 2, given.Table)
        "Tables.Without", fun () -> Tables.Without([ "Numbers" ], given.Table)
        "Tables.TextsOf", fun () -> Tables.TextsOf(given.Table.Columns.Head)
        "Tables.Find", fun () -> Tables.Find("Numbers", given.Table)
        "Tables.Fit", fun () -> Tables.Fit(choice, given.Table)
        "Tables.Summarise", fun () -> Tables.Summarise(choice, Head.Identity, given.Table)
        "Tables.Divide",
        fun () -> Tables.Divide(choice, Head.Identity, FoldRule.Stratified, 1UL, 2, given.Table)
        "Tables.Encode",
        fun () ->
            (Tables.Encode(TableEncoding.fit choice given.Table |> orFail, given.Table)
            : Result<Matrix<float>, _>)
        "Tables.Prepare",
        fun () ->
            let test = TestRows.Separate(given.Table, "test")

            (Tables.Prepare(choice, Head.Softmax, test, "train", given.Table)
            : Result<TableData<float>, _>)
        "Tensors.ShapeText", fun () -> Tensors.ShapeText given.Tensor
        "Tensors.ToBytes", fun () -> Array.sort (Tensors.ToBytes given.Tensor)
        "Tensors.ToDoubles", fun () -> Array.sort (Tensors.ToDoubles given.Tensor)
        "Evaluations.Importance",
        fun () ->
            let column: NumberColumn = {
                Name = "x"
                Fill = 0.0
                Centre = 0.0
                Scale = 1.0
            }

            let encoding: TableEncoding = {
                Numbers = [ column ]
                Categories = []
                Format = CellFormat.Default
            }

            Evaluations.Importance(1UL, 2, encoding, state.Network, data)
        "Evaluations.Attribution",
        fun () ->
            let encoding: TableEncoding = {
                Numbers = []
                Categories = []
                Format = CellFormat.Default
            }

            let inputs = (Dataset.take [| 0 |] data).Inputs.Column 0
            Evaluations.Attribution(0, encoding, state.Network, inputs)
        "Evaluations.FeatureMaps",
        fun () ->
            let inputs = (Dataset.take [| 0 |] data).Inputs.Column 0
            Evaluations.FeatureMaps(2, state.Network, inputs)
        "Evaluations.Multiplications", fun () -> Evaluations.Multiplications state.Network
        "Decisions.Fit",
        fun () ->
            match data.Targets with
            | Targets.Labels labels ->
                Decisions.Fit(DecisionGoal.Cost 2.0, labels[0], state.Network, data)
            | Targets.Columns _ -> null
        "ConformalPredictions.Fit", fun () -> ConformalPredictions.Fit(0.5, state.Network, data)
        "ConformalPredictions.Classes",
        fun () -> ConformalPredictions.Classes({ Coverage = 0.5; Margins = [ 0.5 ] }, given.Numbers)
        "Decisions.Answer", fun () -> Decisions.Answer(null, given.Numbers)
        "Evaluations.Create",
        fun () -> Evaluations.Create(EvaluationOptions.Default, state.Network, data)
        "Evaluations.Histogram", fun () -> Evaluations.Histogram(3, given.Numbers)
    ]
