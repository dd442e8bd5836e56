/// The core sees no file, clock, console or hidden randomness, and changes nothing it is given.
module Pipeline.Properties.PurityLaws

open System
open System.Collections.Generic
open System.IO
open System.Reflection
open System.Reflection.Metadata
open System.Reflection.Metadata.Ecma335
open System.Reflection.PortableExecutable
open MathNet.Numerics.LinearAlgebra
open Microsoft.FSharp.Core
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Learning.Interop

let private core = typeof<Fault>.Assembly

/// What the assembly's metadata names outside itself: types, members with the type they are of (empty
/// for a generic one), and how many functions of native libraries.
let private references =
    lazy
        (use file = new PEReader(File.OpenRead core.Location)
         let metadata = file.GetMetadataReader()

         let typeName (handle: TypeReferenceHandle) =
             let reference = metadata.GetTypeReference handle
             let space = metadata.GetString reference.Namespace
             let name = metadata.GetString reference.Name
             if space = "" then name else $"{space}.{name}"

         let types = [ for handle in metadata.TypeReferences -> typeName handle ]

         let members = [
             for handle in metadata.MemberReferences do
                 let reference = metadata.GetMemberReference handle

                 let parent =
                     if reference.Parent.Kind = HandleKind.TypeReference then
                         typeName (TypeReferenceHandle.op_Explicit reference.Parent)
                     else
                         ""

                 parent, metadata.GetString reference.Name
         ]

         types, members, metadata.GetTableRowCount TableIndex.ImplMap)

[<Fact>]
let ``the core names no file, console, clock, process, network or source of chance`` () =
    let types, members, native = references.Value

    let spaces = [
        "System.IO"
        "System.Net"
        "System.Diagnostics"
        "System.Threading.Timer"
        "System.Timers"
        "System.Security.Cryptography"
        "Microsoft.Win32"
        "System.Numerics.Tensors"
        "MathNet.Numerics.Random"
        "MathNet.Numerics.Distributions"
        "MathNet.Numerics.Providers"
    ]

    let names = [
        "System.Console"
        "System.DateTime"
        "System.DateTimeOffset"
        "System.DateOnly"
        "System.TimeOnly"
        "System.TimeZoneInfo"
        "System.TimeProvider"
        "System.Random"
        "System.Guid"
        "System.Environment"
        "System.AppContext"
        "System.AppDomain"
        "System.HashCode"
        "System.Threading.Thread"
        "System.Runtime.InteropServices.NativeLibrary"
    ]

    let debugging = [
        "System.Diagnostics.DebuggableAttribute"
        "System.Diagnostics.DebuggerBrowsableAttribute"
        "System.Diagnostics.DebuggerBrowsableState"
        "System.Diagnostics.DebuggerDisplayAttribute"
        "System.Diagnostics.DebuggerNonUserCodeAttribute"
        "System.Diagnostics.DebuggerTypeProxyAttribute"
        "System.Diagnostics.CodeAnalysis.DynamicDependencyAttribute"
        "System.Diagnostics.CodeAnalysis.MemberNotNullWhenAttribute"
        "System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes"
    ]

    let forbidden =
        types
        |> List.filter (fun name ->
            not (List.contains name debugging)
            && (List.contains name names
                || spaces
                   |> List.exists (fun space -> name = space || name.StartsWith(space + "."))))

    Assert.Empty forbidden
    Exactly.equal 0 native

    // Memory to write results to, and nothing else of the collector's.
    Assert.All(
        members |> List.filter (fun (parent, _) -> parent = "System.GC"),
        (fun (_, name) -> Exactly.equal "AllocateUninitializedArray" name)
    )

    // F#'s own ways to the console: printf and its kin, stdin, stdout; and to the clock's kin.
    let operators = [
        "PrintFormat"
        "PrintFormatLine"
        "PrintFormatToError"
        "PrintFormatLineToError"
        "PrintFormatToTextWriter"
        "PrintFormatLineToTextWriter"
        "ConsoleIn"
        "ConsoleOut"
        "ConsoleError"
        "Exit"
        "get_Now"
        "get_UtcNow"
        "NewGuid"
    ]

    // A lock's Exit ends no process.
    Assert.Empty(
        members
        |> List.filter (fun (parent, name) ->
            parent <> "System.Threading.Monitor" && List.contains name operators)
    )

[<Fact>]
let ``the core calls no function whose last bit is a library's choice`` () =
    let _, members, _ = references.Value

    // IEEE 754 rounds these correctly, or they are exact. The rest of Math and of numbers' own
    // functions is the C library's and differs from system to system.
    let exact =
        set [
            "Abs"
            "BigMul"
            "BitDecrement"
            "BitIncrement"
            "Ceiling"
            "Clamp"
            "CopySign"
            "DivRem"
            "Floor"
            "FusedMultiplyAdd"
            "IEEERemainder"
            "Max"
            "Min"
            "Round"
            "ScaleB"
            "Sign"
            "Sqrt"
            "Truncate"
        ]

    let wrong =
        members
        |> List.filter (fun (parent, name) ->
            (parent = "System.Math" || parent = "System.MathF") && not (exact.Contains name))

    Assert.Empty wrong

    // The same by other ways: a number type's own members, generic mathematics, vectors, F#'s operators,
    // Math.NET's pointwise functions. Sums and dot products of whole vectors depend on their width.
    let transcendental = [
        "Acos"
        "Asin"
        "Atan"
        "Cbrt"
        "Cos"
        "Erf"
        "Estimate"
        "Exp"
        "Hypot"
        "Log"
        "PointwiseExp"
        "PointwiseLog"
        "PointwisePow"
        "PointwiseTanh"
        "Pow"
        "Reciprocal"
        "RootN"
        "Sin"
        "Tan"
        "MultiplyAddEstimate"
        "ReciprocalSqrtEstimate"
    ]

    let named =
        members
        |> List.filter (fun (_, name) ->
            transcendental
            |> List.exists (fun word ->
                name = word
                || (name.StartsWith(word, StringComparison.Ordinal)
                    && not (Char.IsLower name[word.Length]))))

    Assert.Empty named

    let widthDependent =
        members
        |> List.filter (fun (parent, name) ->
            parent.StartsWith("System.Runtime.Intrinsics", StringComparison.Ordinal)
            && (name = "Sum" || name = "Dot"))

    Assert.Empty widthDependent

[<Fact>]
let ``the two laws above can see: this very assembly names what they forbid`` () =
    // A clock, a file and a logarithm, as a reader of metadata finds them.
    use file = new PEReader(File.OpenRead(Assembly.GetExecutingAssembly().Location))
    let metadata = file.GetMetadataReader()

    let types =
        set [
            for handle in metadata.TypeReferences ->
                metadata.GetString (metadata.GetTypeReference handle).Name
        ]

    Assert.Empty(set [ "File"; "Random"; "Environment"; "Math" ] - types)

/// Everything that can be changed among what the functions are given, with its bytes.
type private Given = {
    Network: Network<float>
    Batch: MiniBatch<float>
    Settings: Hyperparameters
    Data: Dataset<float>
    DataInputs: Matrix<float>
    DataTargets: Targets<float>
    State: State<float>
    Memory: OptimizerState<float>
    Images: IdxImages
    Pixels: byte[]
    Labels: int[]
    One: Matrix<float>
    Other: Matrix<float>
    Vector: Vector<float>
    File: byte[]
    Parquet: byte[]
    Numbers: float[]
    Texts: string[]
} with

    member given.Model = Model.ofNetwork given.Network
    member given.Tensors = Model.toTensors given.Model

    member given.Tensor = Tensor.ofNumbers "x" [ given.Numbers.Length ] given.Numbers

    member given.TextLabels = {
        Name = "y"
        Shape = [ given.Texts.Length ]
        Elements = Elements.Texts given.Texts
    }

    member given.Columns = [
        {
            Name = "numbers"
            Cells = Cells.Numbers given.Numbers
        }
        {
            Name = "texts"
            Cells = Cells.Texts given.Texts
        }
    ]

    member given.Table = Table.create given.Columns |> orFail

    member given.Bytes() : byte[][] =
        let ofNumbers (values: float[]) =
            values |> Array.collect BitConverter.GetBytes

        let ofInts (values: int[]) =
            values |> Array.collect BitConverter.GetBytes

        let ofMatrix (m: Matrix<float>) = ofNumbers (m.ToColumnMajorArray())

        let ofTargets targets =
            match targets with
            | Targets.Labels labels -> ofInts labels
            | Targets.Columns columns -> ofMatrix columns

        let ofParameters (parameters: Parameters<float>) = [|
            for layer in parameters.Layers do
                ofMatrix layer.Weights
                ofNumbers (layer.Biases.ToArray())
        |]

        [|
            yield! ofParameters given.Network.Parameters
            ofMatrix given.Batch.Inputs
            ofTargets given.Batch.Targets
            ofMatrix given.DataInputs
            ofTargets given.DataTargets
            yield! ofParameters given.State.Network.Parameters

            for memory in given.State.Optimizer.Memory @ given.Memory.Memory do
                yield! ofParameters memory.Values

            ofInts given.State.Order
            Array.copy given.Pixels
            ofInts given.Labels
            ofMatrix given.One
            ofMatrix given.Other
            ofNumbers (given.Vector.ToArray())
            Array.copy given.File
            Array.copy given.Parquet
            ofNumbers given.Numbers
            Text.Encoding.UTF8.GetBytes(String.concat "," given.Texts)
        |]

/// Every public function that is given something changeable, by its name in the assembly.
let private calls (given: Given) : (string * (unit -> obj | null)) list =
    let network, batch, data, state =
        given.Network, given.Batch, given.Data, given.State

    let one, other, v = given.One, given.Other, given.Vector
    let layer = network.Parameters.Layers.Head
    let parameters = network.Parameters
    let targets = batch.Targets
    let loss (moved: Network<float>) = Network.loss moved batch
    let logits () = Network.forward network batch.Inputs
    let square (x: Vector<float>) = x * x
    let double (x: Vector<float>) = x + x
    let bytes = ReadOnlyMemory given.File
    let upstream = one.Append other
    let adam: Optimizer<float> = Optimizer.adam 0.9 0.999 1e-8
    let memory = given.Memory

    let dropout = {
        Share = 0.4
        Seed = 7UL
        Iteration = 3L
    }

    let heads = [ Head.Softmax; Head.Sigmoid; Head.Identity ]
    let sure result : obj | null = box (orFail result)

    let choice = {
        SmallTables.plainChoice with
            Label = ValueSome "numbers"
            Categorical = [ "texts" ]
            Missing = Missing.Median
            Scaling = Scaling.Standard
    }

    [
        "Kernels.Affine", fun () -> box (Kernels.affine layer.Weights layer.Biases batch.Inputs)
        "Kernels.WeightGradient", fun () -> Kernels.weightGradient one other
        "Kernels.InputGradient", fun () -> Kernels.inputGradient one upstream
        "Kernels.BiasGradient", fun () -> Kernels.biasGradient one
        "Kernels.SubtractScaled", fun () -> Kernels.subtractScaled 0.1 one other
        "Kernels.SubtractScaledVector", fun () -> Kernels.subtractScaledVector 0.1 v v
        "Activation.Sigmoid", fun () -> Activation.sigmoid one
        "Activation.Tanh", fun () -> Activation.tanh one
        "Activation.Relu", fun () -> Activation.relu one
        "Activation.Exp", fun () -> Activation.exp one
        "Activation.Apply", fun () -> [ for f in Activation.all -> Activation.apply f one ]
        "Activation.Backward",
        fun () -> [ for f in Activation.all -> Activation.backward f one other ]
        "Activation.Derivative",
        fun () -> [ for f in Activation.all -> Activation.derivative f one ]
        "Activation.Softmax", fun () -> Activation.softmax one
        "Activations.Apply", fun () -> Activations.Apply(Activation.Tanh, one)
        "Activations.Derivative", fun () -> Activations.Derivative(Activation.Tanh, one)
        "Activations.Softmax", fun () -> Activations.Softmax one
        "NetworkExtensions.With", fun () -> NetworkExtensions.With(network, parameters)
        "Activation.SoftmaxBackward", fun () -> Activation.softmaxBackward one other
        "Targets.Count", fun () -> Targets.count targets
        "Targets.OneHot", fun () -> (Targets.oneHot 256 given.Labels: Matrix<float>)
        "Targets.Columns", fun () -> Targets.columns network.Architecture.Outputs targets
        "Loss.SumSquaredError", fun () -> Loss.sumSquaredError v (one.Column 0)
        "Loss.CrossEntropyError", fun () -> Loss.crossEntropyError v ((one.Column 0).PointwiseAbs())
        "Loss.OfBatch", fun () -> Loss.ofBatch Loss.sumSquaredError targets (logits ())
        "Loss.CrossEntropyWithGradient",
        fun () -> Loss.crossEntropyWithGradient (Targets.Columns one) other
        "Loss.CrossEntropy", fun () -> Loss.crossEntropy (Targets.Columns one) other
        "Loss.OfHead",
        fun () -> [ for head in heads -> Loss.ofHead head (Targets.Columns one) other ]
        "Loss.OfHeadWithGradient",
        fun () -> [
            for head in heads -> Loss.ofHeadWithGradient head (Targets.Columns one) other
        ]
        "Loss.SquaredErrorWithGradient",
        fun () -> Loss.squaredErrorWithGradient (Targets.Columns one) other
        "Loss.BinaryCrossEntropyWithGradient",
        fun () -> Loss.binaryCrossEntropyWithGradient (Targets.Columns one) other
        "Head.Apply", fun () -> [ for head in heads -> Head.apply head one ]
        "Metrics.Right",
        fun () -> [ for head in heads -> Metrics.right head (Targets.Columns one) other ]
        "Metrics.RootMeanSquaredError",
        fun () -> Metrics.rootMeanSquaredError (Targets.Columns one) other
        "Metrics.Determination", fun () -> Metrics.determination (Targets.Columns one) other
        "Idx.ParseImages", fun () -> Idx.parseImages bytes
        "Idx.ClaimedLength", fun () -> Idx.claimedLength bytes
        "Idx.ParseLabels", fun () -> Idx.parseLabels 10 bytes
        "Idx.ParseImageNumbers",
        fun () -> Idx.parseImageNumbers (ReadOnlyMemory(Idx.writeImages given.Images)) |> sure
        "Idx.ParseLabelNumbers",
        fun () -> Idx.parseLabelNumbers (ReadOnlyMemory(Idx.writeLabels given.Labels)) |> sure
        "Pixels.Size", fun () -> Pixels.size given.Tensor
        "Pixels.ScaleOf", fun () -> Pixels.scaleOf given.Tensor
        "Pixels.Assumption", fun () -> Pixels.assumption PixelScale.Unit given.Tensor
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
        "TextLabels.Classes", fun () -> TextLabels.classes given.TextLabels
        "TextLabels.Places", fun () -> TextLabels.places [ "a"; "b" ] given.TextLabels
        "Tensor.ShapeText", fun () -> Tensor.shapeTextOf given.Tensor
        "Idx.WriteImages", fun () -> Idx.writeImages given.Images
        "Idx.WriteLabels", fun () -> Idx.writeLabels given.Labels
        "MiniBatch.Create", fun () -> MiniBatch.create batch.Inputs batch.Targets
        "MiniBatch.Convert", fun () -> (MiniBatch.convert batch: MiniBatch<float32>)
        "Dataset.OfColumns",
        fun () -> Dataset.ofColumns data.Classes given.DataInputs given.DataTargets
        "Dataset.OfIdx",
        fun () ->
            let data: Dataset<float> = Dataset.ofIdx 256 given.Images given.Labels |> orFail
            Dataset.take [| 0 |] data
        "Dataset.Take", fun () -> Dataset.take [| 0; data.Count - 1 |] data
        "Dataset.Parts", fun () -> List.ofSeq (Dataset.parts 2 data)
        "Augmentation.Apply",
        fun () ->
            Augmentation.apply
                {
                    Augmentation.none with
                        Shift = 1.0
                        Elastic = 2.0
                        Noise = 0.1
                }
                1UL
                0L
                one.RowCount
                1
                one
        "Batch.Slice", fun () -> Batch.slice given.Labels 2 1L
        "Parameters.Map2",
        fun () ->
            Parameters.map2
                (Kernels.subtractScaled 0.1)
                (Kernels.subtractScaledVector 0.1)
                parameters
                parameters
        "Parameters.Count", fun () -> Parameters.count parameters
        "Parameters.ToVector",
        fun () ->
            // What comes out is the caller's own, even to write to.
            let vector = Parameters.toVector parameters
            vector.Clear()
            vector
        "Parameters.Convert",
        fun () ->
            let copy: Parameters<float> = Parameters.convert parameters
            copy.Layers.Head.Weights.Clear()
            copy
        "Parameters.ToBytes", fun () -> Parameters.toBytes parameters
        "Network.Convert", fun () -> (Network.convert network: Network<float32>)
        "Network.Forward", logits >> box
        "Network.Predict", fun () -> Network.predict network batch.Inputs
        "Network.Probabilities", fun () -> Network.probabilities state.Network data
        "Network.Classify", fun () -> Network.classify one
        "Network.Loss", fun () -> loss network
        "Network.Accuracy", fun () -> Network.accuracy network batch
        "Network.Evaluate", fun () -> Network.evaluate state.Network data
        "Gradient.Backward", fun () -> Gradient.backward network batch
        "Gradient.BackwardInTraining", fun () -> Gradient.backwardInTraining dropout network batch
        "Network.LossInTraining", fun () -> Network.lossInTraining dropout network batch
        "Gradient.Descend", fun () -> Gradient.descend 0.1 network batch
        "Gradient.Numerical",
        fun () ->
            // Even where the function writes to the vector that it is handed.
            Gradient.numerical
                1e-4
                (fun x ->
                    let value = square x
                    x.Clear()
                    value)
                v
        "Gradient.NumericalOfLoss", fun () -> Gradient.numericalOfLoss 1e-4 network batch
        "Gradient.NumericalOf", fun () -> Gradient.numericalOf 1e-4 loss network
        "GradientCheck.OfFunction", fun () -> GradientCheck.ofFunction loss parameters network
        "GradientCheck.OfMatrix", fun () -> GradientCheck.ofMatrix (fun m -> m[0, 0]) other one
        "ParametersExtensions.Map", fun () -> ParametersExtensions.Map(parameters, abs)
        "ParametersExtensions.Zip",
        fun () -> ParametersExtensions.Zip(parameters, parameters, (fun a b -> a + b))
        "ParametersExtensions.Norm", fun () -> ParametersExtensions.Norm parameters
        "Gradients.Check", fun () -> Gradients.Check(network, batch)
        "GradientCheck.OfNetwork", fun () -> GradientCheck.ofNetwork network batch
        "Optimizer.Descend", fun () -> Optimizer.descend 0.1 parameters parameters
        "Optimizers.Start", fun () -> Optimizers.Start(adam, parameters)
        "Optimizers.Step", fun () -> Optimizers.Step(adam, 0.1, parameters, memory, parameters)
        "Optimizer.Descent", fun () -> Optimizer.descent 0.1 3 double v
        "Transform.Norm", fun () -> Transform.norm parameters
        "Transform.Averaged", fun () -> Transform.averaged memory
        "Trainer.Rate", fun () -> Trainer.rate given.Settings data state.Watch 3L
        "Trainer.StartFrom", fun () -> Trainer.startFrom given.Settings state
        "Trainer.Observe", fun () -> Trainer.observe given.Settings 0.5 state
        "Trainer.HasStalled", fun () -> Trainer.hasStalled given.Settings state
        "Trainer.Outcome", fun () -> Trainer.outcome given.Settings state
        "Targets.Smooth", fun () -> Targets.smooth 0.1 network.Architecture.Outputs targets
        "Dataset.Select", fun () -> Dataset.select [| data.Count - 1; 0; 0 |] data
        "Dataset.Split", fun () -> Dataset.split 1UL 0.5 data
        "Trainer.Model", fun () -> Trainer.model state
        "Trainer.Advance", fun () -> Trainer.advance given.Settings data 5L (fun _ _ -> true) state
        "Trainer.AdvanceKeeping",
        fun () ->
            Trainer.advanceKeeping
                given.Settings
                data
                5L
                (fun _ _ -> true)
                (fun state -> state.Iteration = 3L)
                state
        "Runs.Advance", fun () -> Runs.Advance(given.Settings, data, 5L, (fun _ _ -> true), state)
        "Trainer.Step", fun () -> Trainer.step given.Settings data state
        "Divergence.Health", fun () -> Divergence.health given.Settings data state
        "DataSplit.Training",
        fun () ->
            let split = DataSplit.create (Nullable()) 0.2 0.5 1UL |> orFail
            DataSplit.training split data
        "DataSplits.Training",
        fun () ->
            let split = DataSplit.create (Nullable()) 0.2 0.0 1UL |> orFail
            DataSplits.Training(split, data, (fun _ -> InvalidOperationException()))
        "LearningRateFinder.Sweep",
        fun () -> LearningRateFinder.sweep given.Settings 0.01 0.1 3 data state.Network.Architecture
        "OverfitCheck.OverFit",
        fun () -> OverfitCheck.overFit given.Settings 1 2 data state.Network.Architecture
        "Diagnosis.OfUnits", fun () -> Diagnosis.ofUnits network batch
        "Diagnosis.OfNumbers", fun () -> Diagnosis.ofNumbers 1L network batch
        "Diagnosis.LossOfGuessing",
        fun () -> Diagnosis.lossOfGuessing Head.Softmax network.Architecture.Outputs targets
        "Diagnosis.OfAnswers", fun () -> Diagnosis.ofAnswers [] state.Network data
        "Diagnosis.OfRun",
        fun () ->
            let probe = Dataset.take [| 0 |] data
            Diagnosis.ofRun [] [] state.Network probe data
        "Evaluation.OfSums",
        fun () ->
            Evaluation.ofSums
                Evaluation.usual
                Head.Sigmoid
                [| 0 |]
                (one.SubMatrix(0, one.RowCount, 0, 1))
        "Evaluation.Create", fun () -> Evaluation.create Evaluation.usual state.Network data
        "Model.OfNetwork", fun () -> Model.ofNetwork network
        "Model.ToTensors", fun () -> Model.toTensors given.Model
        "Model.OfTensors",
        fun () ->
            (Model.ofTensors Model.noAssumption given.Tensors: Result<Model<float>, _>)
            |> sure
        "Model.ClassName", fun () -> Model.className given.Model 0
        "Tensor.TypeName", fun () -> Tensor.typeName given.Tensor
        "Tensor.Count", fun () -> Tensor.count given.Tensor
        "Tensor.ToBytes", fun () -> Array.sort (Tensor.toBytes given.Tensor)
        "Npz.ToArrays", fun () -> Npz.toArrays given.Tensors
        "Onnx.OfModel", fun () -> Onnx.ofModel given.Model
        "Tensor.ToDoubles", fun () -> Array.sort (Tensor.toDoubles given.Tensor)
        "Npy.ClaimedLength", fun () -> Npy.claimedLength bytes
        "Npy.Parse", fun () -> Npy.parse "x" (ReadOnlyMemory(Npy.write given.Tensor)) |> sure
        "Npy.Write", fun () -> Npy.write given.Tensor
        "Parquet.Parse",
        fun () -> Parquet.parse 10_000L (fun _ _ _ -> false) (ReadOnlyMemory given.Parquet)
        "Table.OfTensor", fun () -> Table.ofTensor given.Tensor
        "Table.Find", fun () -> Table.find "texts" given.Table
        "Table.Take", fun () -> Table.take [| 2; 0 |] given.Table
        "Table.AtLines", fun () -> Table.atLines [| 1 .. given.Table.Rows |] given.Table
        "Table.ByPlace", fun () -> Table.byPlace given.Table
        "TableEncoding.Fit", fun () -> TableEncoding.fit choice given.Table |> sure
        "TableEncoding.Label", fun () -> TableEncoding.label choice given.Table |> sure
        "TableEncoding.Encode",
        fun () ->
            (TableEncoding.encode (TableEncoding.fit choice given.Table |> orFail) given.Table
            : Result<Matrix<float>, _>)
            |> sure
        "Histogram.Create", fun () -> Histogram.create 3 given.Numbers
        "Leakage.Find", fun () -> Leakage.find 1 bytes bytes
        "TableData.Samples",
        fun () ->
            let encoding = TableEncoding.fit choice given.Table |> orFail
            let column = given.Columns.Head

            (TableData.samples encoding [ "1"; "3" ] column (Table.take [| 0; 2 |] given.Table)
            : Result<Dataset<float>, _>)
        "TableData.Prepare",
        fun () ->
            let test = TestRows.Separate(given.Table, "test")

            (TableData.prepare choice Head.Softmax ValueNone test "train" given.Table
            : Result<TableData<float>, _>)
        "Preprocessing.EncodingOf",
        fun () -> Preprocessing.encodingOf Preprocessing.Numbers CellFormat.anyRules 2 given.Table
        "TableEncoding.Inputs", fun () -> TableEncoding.inputs choice given.Table
        "Dataset.Sample", fun () -> Dataset.sample 1UL 0.5 data
        "Tables.OfTensor", fun () -> Tables.OfTensor given.Tensor
        "Tables.AtLines", fun () -> Tables.AtLines([| 1 .. given.Table.Rows |], given.Table)
        "Tables.ByPlace", fun () -> Tables.ByPlace given.Table
        "Tables.Inputs", fun () -> Tables.Inputs(choice, given.Table)
        "Tables.EncodingOf",
        fun () -> Tables.EncodingOf(Preprocessing.Numbers, null, 2, given.Table)
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
        "Evaluations.Create", fun () -> Evaluations.Create(Evaluation.usual, state.Network, data)
        "Evaluations.Histogram", fun () -> Evaluations.Histogram(3, given.Numbers)
        "TableEncoding.Classes",
        fun () -> TableEncoding.classes CellFormat.usual given.Columns.Head given.Table
        "TableEncoding.Labels",
        fun () ->
            TableEncoding.labels CellFormat.usual [ "a"; "b" ] given.Columns.Tail.Head given.Table
        "TableEncoding.Targets",
        fun () ->
            (TableEncoding.targets CellFormat.usual given.Columns.Head given.Table
            : Result<Matrix<float>, _>)
        "Safetensors.Write", fun () -> Safetensors.write given.Model
        "Safetensors.Format", fun () -> Safetensors.format given.Tensors
        "Safetensors.Parse", fun () -> Safetensors.parse bytes
        "Safetensors.Read", fun () -> (Safetensors.read bytes: Result<Model<float>, _>)
        "Checkpoint.Size", fun () -> Checkpoint.size state
        "Checkpoint.Write", fun () -> Checkpoint.write state
        "Checkpoint.Read",
        fun () ->
            let bytes = ReadOnlyMemory(Checkpoint.write state)

            let read: State<float> =
                Checkpoint.read given.Settings state.Network.Architecture bytes |> orFail

            read.Network.Parameters.Layers.Head.Weights.Clear()
            Checkpoint.write read
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
    ]

[<Law>]
let ``no function changes what it is given``
    (Trainable(network, batch))
    (SmallRun(settings, _, architecture))
    (SameShape(one, other))
    (Images images)
    (Cells inputs)
    =
    let pixels = images.Pixels.ToArray()

    let targets =
        Targets.Labels(Array.init inputs.ColumnCount (fun s -> s % architecture.Outputs))

    let architecture =
        Architecture.dense Activation.Relu (inputs.RowCount :: architecture.Sizes.Tail)

    let data = Dataset.ofColumns architecture.Outputs inputs targets

    let given = {
        Network = network
        Batch = batch
        Settings = settings
        Data = data
        DataInputs = inputs
        DataTargets = targets
        State = Trainer.step settings data (Trainer.start settings architecture)
        Memory = {
            Steps = 3L
            Memory = [
                for name in [ "mean"; "squares" ] ->
                    {
                        Name = name
                        Values =
                            (Network.initialise (Initialiser.Fixed 0.5) 1UL network.Architecture)
                                .Parameters
                    }
            ]
        }
        Images = {
            images with
                Pixels = ReadOnlyMemory pixels
        }
        Pixels = pixels
        Labels = Array.init images.Count id
        One = one
        Other = other
        Vector = one.Column 0
        File = Safetensors.write (Model.ofNetwork network)
        Parquet =
            Path.Combine(AppContext.BaseDirectory, "Fixtures", "arrow-pages-1.parquet")
            |> File.ReadAllBytes
        Numbers = [| 3.0; nan; 1.0 |]
        Texts = [| "b"; ""; "a" |]
    }

    let before = given.Bytes()

    for name, call in calls given do
        call () |> ignore

        for i, (was, is) in given.Bytes() |> Array.zip before |> Array.indexed do
            if was <> is then
                failwith $"{name} changed what it was given, place {i} of Given.Bytes"

/// Whether a value of the type can be changed, or holds something that can.
let rec private changeable (t: Type) =
    t.IsArray
    || (t.IsGenericType
        && List.contains (t.GetGenericTypeDefinition().Name) [
            "Matrix`1"
            "Vector`1"
            "ReadOnlyMemory`1"
            "Targets`1"
            "MiniBatch`1"
            "Dataset`1"
            "Layer`1"
            "Parameters`1"
            "Network`1"
            "State`1"
            "Watch`1"
            "OptimizerState`1"
            "Model`1"
        ])
    || List.contains t [
        typeof<IdxImages>
        typeof<Tensor>
        typeof<TensorFile>
        typeof<Column>
        typeof<Table>
    ]

[<Fact>]
let ``the law above calls every public function that is given something changeable`` () =
    let isModule (t: Type) =
        t.Namespace = "Pipeline.Learning.Interop"
        || (match t.GetCustomAttribute<CompilationMappingAttribute>() with
            | null -> false
            | mapping -> mapping.SourceConstructFlags = SourceConstructFlags.Module)

    // Sizes in an array can be changed too, but nothing tempts Architectures.Dense to.
    let excepted = set [ "Architectures.Dense" ]

    let functions =
        set [
            for t in core.GetExportedTypes() do
                if isModule t then
                    for f in t.GetMethods(BindingFlags.Static ||| BindingFlags.Public) do
                        if
                            f.GetParameters() |> Array.exists (fun p -> changeable p.ParameterType)
                        then
                            let name = t.Name

                            let name =
                                if name.EndsWith "Module" then
                                    name[.. name.Length - 7]
                                else
                                    name

                            $"{name}.{f.Name}"
        ]

    let architecture = Architecture.dense Activation.Relu [ 1; 2 ]

    let data =
        Dataset.ofColumns 2 (Matrix<float>.Build.Dense(1, 1)) (Targets.Labels [| 0 |])

    let given = {
        Network = Network.initialise (Initialiser.Fixed 0.1) 1UL architecture
        Batch = Dataset.take [| 0 |] data
        Settings = Hyperparameters.book
        Data = data
        DataInputs = Matrix<float>.Build.Dense(1, 1)
        DataTargets = data.Targets
        State = Trainer.start Hyperparameters.book architecture
        Memory = { Steps = 0L; Memory = [] }
        Images = {
            Count = 1
            Rows = 1
            Columns = 1
            Pixels = ReadOnlyMemory [| 0uy |]
        }
        Pixels = [| 0uy |]
        Labels = [| 0 |]
        One = Matrix<float>.Build.Dense(1, 1)
        Other = Matrix<float>.Build.Dense(1, 1)
        Vector = Vector<float>.Build.Dense 1
        File = [||]
        Parquet = [||]
        Numbers = [| 1.0 |]
        Texts = [| "a" |]
    }

    let called = calls given |> List.map fst |> set
    Assert.Empty(functions - called - excepted)
    Assert.Empty(called - functions)
