/// Layer.fs, Dense.fs, Layers.fs: what holds for every kind of layer, and layers of one's own.
module Pipeline.Properties.LayerLaws

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

/// One learned factor for each feature.
type private Scale() =
    inherit Layer("scale")

    override _.Parameters(input) = {
        MatrixShapes = []
        VectorSizes = [ "s", input.Size ]
    }

    override _.Initialise<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (_, _, _, input)
        : LayerParameters<'T> = {
        Matrices = []
        Vectors = [ "s", Vector<'T>.Build.Dense(input.Size, 'T.One) ]
    }

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let x, s = pass.Inputs.Numbers, pass.Parameters.Vector "s"

        LayerOutput.create (x.MapIndexed(fun i _ x -> 'T.op_Multiply (s[i], x))) (fun upstream -> {
            Inputs = ValueSome(upstream.MapIndexed(fun i _ g -> 'T.op_Multiply (s[i], g)))
            Matrices = []
            Vectors = [ upstream.PointwiseMultiply(x).RowSums() ]
        })

    interface IOnnxLayer with
        member _.ToOnnx(draft, parameters, _, input) =
            draft.Add("Mul", [ input; parameters[0] ])

/// x + f(x) for a layer f that keeps the shape.
type private Skip(inner: Layer) =
    inherit Layer($"skip {inner.Name}")
    override _.Parameters(input) = inner.Parameters input

    override _.Initialise(initialiser, seed, number, input) =
        inner.Initialise(initialiser, seed, number, input)

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let f =
            inner.Forward {
                pass with
                    MayOverwrite = false
                    NeedsInputGradient = true
            }

        LayerOutput.create (pass.Inputs.Numbers + f.Output) (fun upstream ->
            let through = f.Backward(upstream.Clone())

            {
                through with
                    Inputs = ValueSome(upstream + through.Inputs.Value)
            })

/// Wx of as many outputs as inputs.
type private Square() =
    inherit Layer("square")

    override _.Parameters(input) = {
        MatrixShapes = [ "W", input.Size, input.Size ]
        VectorSizes = []
    }

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let w, x = pass.Parameters.Weights, pass.Inputs.Numbers
        let zero = Vector<'T>.Build.Dense w.RowCount

        LayerOutput.create (Kernels.affine w zero x) (fun upstream -> {
            Inputs = ValueSome(Kernels.inputGradient w upstream)
            Matrices = [ MatrixGradient.Product(upstream, pass.Inputs) ]
            Vectors = []
        })

let private mish =
    Layers.elementwise "mish" (fun z -> z * Math.Tanh(Math.Log(1.0 + Math.Exp z))) (fun z ->
        let t = Math.Tanh(Math.Log(1.0 + Math.Exp z))
        t + z * (1.0 - t * t) / (1.0 + Math.Exp -z))

let private own: Layer list = [ Scale(); Skip(Square()); Square(); mish ]

let private known = [
    Layers.dense 3
    Layers.batchNormalisation
    Layers.dropout 0.3
    EmbeddingLaws.AnyEmbedding()
    for activation in Activation.all do
        Layers.activation activation
]

/// Every kind of layer over images, by its name, and shapes of samples that fill no register evenly.
let private overImages = [
    "conv2d 3 2", Shape.Image(1, 3, 4)
    "conv2d 7 2x3 stride 2x1 padding 1x2", Shape.Image(2, 3, 3)
    "conv2d 4 2 dilation 2 groups 2", Shape.Image(4, 3, 4)
    "conv2d 12 1 groups 2", Shape.Image(2, 2, 1)
    "conv1d 3 3 stride 2 padding 1", Shape.Vector 7
    "conv1d 2 2 dilation 3", Shape.Image(3, 1, 5)
    "maxpool2d 2", Shape.Image(2, 4, 5)
    "maxpool2d 3x2 stride 1x2 padding 1", Shape.Image(1, 4, 4)
    "maxpool1d 3 stride 1 dilation 2", Shape.Vector 7
    "avgpool2d 2x3 padding 1", Shape.Image(2, 3, 4)
    "avgpool1d 2", Shape.Image(2, 1, 5)
    "globalavgpool", Shape.Image(3, 2, 3)
    "flatten", Shape.Image(2, 2, 2)
    "batchnorm", Shape.Image(3, 2, 2)
    "layernorm", Shape.Image(2, 2, 2)
    "layernorm", Shape.Vector 5
    "dropout2d 0.3", Shape.Image(5, 2, 2)
    "residual [conv2d 2 3 padding 1, batchnorm, relu, dropout 0.2, conv2d 2 1]",
    Shape.Image(2, 3, 3)
    "residual [dense 4, tanh, residual [dense 4]]", Shape.Vector 4
]

let private parsed (name: string) : Layer =
    List.exactlyOne (LayerKinds.parse [] [ name ] |> orFail)

[<Law(MaxTest = 10)>]
let ``every kind of layer over images keeps the laws of a layer`` () =
    overImages
    |> List.collect (fun (name, shape) -> LayerLaw.All(parsed name, shape))
    |> Law.Together

[<Fact>]
let ``a layer's name is parsed as the layer`` () =
    for name, _ in overImages do
        Exactly.equal name (parsed name).Name

[<Fact>]
let ``layers in blocks of any depth start with weights of their own`` () =
    for depth in 1..6 do
        let block =
            [ 1..depth ]
            |> List.fold (fun layer _ -> $"residual [{layer}, {layer}]") "dense 3"
            |> parsed

        let network: Network<float> =
            Architecture.create Head.Softmax (Shape.Vector 3) [ block; block; parsed "dense 3" ]
            |> orFail
            |> Network.initialise Initialiser.XavierNormal 1UL

        let weights = [
            for matrix in Parameters.matrices network.Parameters |> flat |> Array.chunkBySize 9 ->
                List.ofArray matrix
        ]

        Assert.True(weights.Length > (1 <<< depth))
        Exactly.equal weights.Length (List.distinct weights).Length

[<Law>]
let ``every kind of layer keeps the laws of a layer`` () =
    known |> List.collect (fun layer -> LayerLaw.All layer) |> Law.Together

[<Law>]
let ``layers of one's own keep the laws of a layer`` () =
    own |> List.collect (fun layer -> LayerLaw.All layer) |> Law.Together

let private architecture =
    [
        Layers.dense 6
        Scale()
        mish
        Skip(Square())
        Layers.dropout 0.25
        Layers.batchNormalisation
        Layers.activation Activation.Tanh
        Layers.dense 3
    ]
    |> Architecture.create Head.Softmax (Shape.Vector 4)
    |> orFail

let private data: Dataset<float> =
    let value = RandomNumbers.normal 3UL RandomStream.GradientCheck 0L
    let labels = Array.init 60 (fun s -> s % 3)

    Dataset.ofColumns
        3
        (Array.init 240 (fun i -> value i + float labels[i / 4]) |> Kernels.matrix 4 60)
        (Targets.Labels labels)

let private settings =
    Hyperparameters.create {
        Hyperparameters.Default.Options with
            Length = RunLength.Iterations 40L
            BatchSize = 16
            Initialiser = Initialiser.XavierNormal
            Optimizer = OptimizerSpec.create (OptimizerSpec.named "Adam") |> orFail
    }
    |> orFail

let private trained =
    lazy (Trainer.advance settings data 40L (fun _ _ -> true) (Trainer.start settings architecture))

[<Fact>]
let ``layers of one's own are checked, learn, and give the same step by step`` () =
    let state: TrainingState<float> = trained.Value
    let batch = Dataset.take [| 0..9 |] data
    let check = GradientCheck.ofNetwork state.Network batch
    Assert.True(check.Passed, string check)

    Exactly.equal
        [ "W1"; "b1"; "s1"; "W2"; "b2"; "g2"; "W3"; "b3" ]
        (check.Tensors |> List.map _.Name)

    let start = Trainer.start settings architecture
    let stepped = List.fold (fun s _ -> Trainer.step settings data s) start [ 1..40 ]
    Exactly.bits (flat stepped.Network.Parameters) (flat state.Network.Parameters)

    Assert.True(
        (Network.evaluate state.Network data).Loss < (Network.evaluate start.Network data).Loss
    )

[<Fact>]
let ``a run with layers of one's own is resumed with the same bits`` () =
    let half =
        Trainer.advance settings data 20L (fun _ _ -> true) (Trainer.start settings architecture)

    let resumed: TrainingState<float> =
        Checkpoint.read settings architecture (ReadOnlyMemory(Checkpoint.write half))
        |> orFail

    let whole = Trainer.advance settings data 20L (fun _ _ -> true) resumed
    Exactly.bits (flat trained.Value.Network.Parameters) (flat whole.Network.Parameters)

[<Fact>]
let ``a model with layers of one's own is read with the same layers, and not without them`` () =
    let model = Model.ofNetwork (Trainer.currentNetwork trained.Value)
    let file = Model.toTensors model
    let names = file.Metadata |> List.map fst
    Assert.Contains("layers", names)
    Assert.DoesNotContain("activations", names)

    let read: Model<float> =
        Model.ofTensorsWithLayers own ModelDefaults.None file |> orFail

    Exactly.equal model.Network.Architecture read.Network.Architecture
    let inputs = (Dataset.take [| 0..59 |] data).Inputs
    let expected = Network.predict model.Network inputs
    Exactly.bits (cells expected) (cells (Network.predict read.Network inputs))

    // One by one, too.
    let predictor = Predictor read.Network
    let one: float[] = Array.zeroCreate 3

    for s in 0..59 do
        predictor.Predict(ReadOnlySpan((inputs.Column s).ToArray()), Span one)
        Exactly.bits ((expected.Column s).ToArray()) one

    (Model.ofTensors ModelDefaults.None file: Result<Model<float>, _>)
    |> Exactly.faulted [ "Layers:1"; "scale" ]

    (Model.ofTensorsWithLayers own ModelDefaults.None {
        file with
            Tensors = file.Tensors.Tail
    }
    : Result<Model<float>, _>)
    |> Exactly.faulted [ "W1" ]

    (Model.ofTensorsWithLayers own ModelDefaults.None {
        file with
            Tensors = { file.Tensors.Head with Name = "W9" } :: file.Tensors
    }
    : Result<Model<float>, _>)
    |> Exactly.faulted [ "W9" ]

[<Fact>]
let ``a graph has the layers that say how, and names the one that does not`` () =
    let network layers : Model<float> =
        Architecture.create Head.Softmax (Shape.Vector 4) layers
        |> orFail
        |> Network.initialise Initialiser.XavierNormal 1UL
        |> Model.ofNetwork

    let graph =
        Onnx.ofModel (
            network [ Layers.dense 5; Scale(); Layers.activation Activation.Relu; Layers.dense 2 ]
        )

    Exactly.equal [ "Gemm"; "Mul"; "Relu"; "Gemm"; "Softmax" ] (graph.Nodes |> List.map _.Operator)
    Exactly.equal [ "Gemm_1"; "s1" ] graph.Nodes[1].Inputs

    Exactly.refused [ "IOnnxLayer"; "mish" ] (fun () ->
        Onnx.ofModel (network [ Layers.dense 5; mish; Layers.dense 2 ]))

[<Fact>]
let ``layers are parsed by name, in any case of letters, and each fault has its position`` () =
    let names = [ "Dense 100"; "BATCHNORM"; "relu"; " dropout  0.2 "; "dense 10" ]

    Exactly.equal
        [
            Layers.dense 100
            Layers.batchNormalisation
            Layers.activation Activation.Relu
            Layers.dropout 0.2
            Layers.dense 10
        ]
        (LayerKinds.parse [] names |> orFail)

    LayerKinds.parse [] [ "dense"; "dense 5"; "dense x"; "relu 3"; "dropout"; "scale" ]
    |> Exactly.faulted [
        "Layers:0: expected one of dense OUTPUTS"
        "'dense'"
        "Layers:2"
        "Layers:3"
        "Layers:4"
        "Layers:5"
    ]

    Exactly.equal [ Scale() :> Layer ] (LayerKinds.parse own [ "scale" ] |> orFail)

    for layers, words in
        [
            [], [ "Layers"; "one layer or more" ]
            [ Layers.dense 0 ], [ "Layers:0"; "1 to 65536" ]
            [ Layers.dense 3; Layers.dropout 1.0; Layers.dense 2 ], [ "Layers:1"; "less than 1" ]
            [ Layers.dense 3; Layers.dense 1 ], [ "Layers:1"; "2 outputs or more" ]
        ] do
        Architecture.create Head.Softmax (Shape.Vector 4) layers
        |> Exactly.faulted words

    for layers, shape, words in
        [
            [ "conv2d 3 5" ], Shape.Image(1, 4, 8), [ "Layers:0"; "5x5 or more"; "4x8" ]
            [ "conv2d 3 5" ], Shape.Vector 784, [ "Layers:0"; "images"; "vectors of 784" ]
            [ "conv1d 3 5" ], Shape.Image(1, 2, 8), [ "Layers:0"; "one row"; "1x2x8" ]
            [ "flatten"; "maxpool2d 2" ], Shape.Image(1, 4, 4), [ "Layers:1"; "vectors of 16" ]
            [ "conv2d 4 1 groups 3" ],
            Shape.Image(3, 4, 4),
            [ "Layers:0"; "divide"; "3 for 3 and 4" ]
            [ "conv2d 4 1 stride 0" ], Shape.Image(3, 4, 4), [ "Layers:0"; "stride"; "0" ]
            [ "maxpool2d 2 padding 2" ],
            Shape.Image(3, 4, 4),
            [ "Layers:0"; "half the window"; "2" ]
            [ "maxpool2d 2 padding 1 dilation 2" ],
            Shape.Image(1, 1, 4),
            [ "Layers:0"; "a number of the image at every place"; "2" ]
            [ "relu"; "residual [dense 3]" ],
            Shape.Vector 4,
            [ "Layers:1"; "keep the shape 4"; "3" ]
            [ "residual [relu, dense 0]" ], Shape.Vector 4, [ "Layers:0"; "Layers:1"; "outputs" ]
        ] do
        LayerKinds.parse [] (layers @ [ "dense 2" ])
        |> Result.bind (Architecture.create Head.Softmax shape)
        |> Exactly.faulted words

[<Fact>]
let ``a stack written out is the stack in short, with the same bits`` () =
    let short =
        Architecture.ofHidden
            Head.Softmax
            4
            [
                {
                    Width = 5
                    Normalised = true
                    Activation = Activation.Relu
                    Dropout = 0.5
                }
            ]
            3
        |> orFail

    let long =
        LayerKinds.parse [] [ "dense 5"; "batchnorm"; "relu"; "dropout 0.5"; "dense 3" ]
        |> Result.bind (Architecture.create Head.Softmax (Shape.Vector 4))
        |> orFail

    Exactly.equal short long

    let run a =
        Trainer.advance settings data 10L (fun _ _ -> true) (Trainer.start settings a)

    Exactly.bits (flat (run short).Network.Parameters) (flat (run long).Network.Parameters)

[<Fact>]
let ``a gradient of another shape than its parameter is refused`` () =
    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.1) 1UL (Architecture.dense Activation.Tanh [ 2; 2 ])

    let layer = network.Parameters.Layers.Head

    let gradient rows : LayerGradient<float> = {
        Inputs = ValueNone
        Matrices = [ MatrixGradient.Value(Matrix<float>.Build.Dense(rows, 2)) ]
        Vectors = [ Vector<float>.Build.Dense 2 ]
    }

    LayerGradient.values layer (gradient 2) |> ignore
    Exactly.refused [ "(2, 2)"; "(3, 2)" ] (fun () -> LayerGradient.values layer (gradient 3))
    Exactly.refused [ "(2, 2)"; "(3, 2)" ] (fun () -> LayerGradient.descend 0.1 layer (gradient 3))

    Exactly.refused [ "1 matrices and 1 vectors" ] (fun () ->
        LayerGradient.values layer { gradient 2 with Vectors = [] })

/// Passes its inputs on, and no gradient back.
type private Mute() =
    inherit Layer("mute")

    override _.Forward(pass) =
        LayerOutput.create pass.Inputs.Numbers (fun _ -> {
            Inputs = ValueNone
            Matrices = []
            Vectors = []
        })

[<Fact>]
let ``a layer that gives no gradient where the layers below need one is named`` () =
    let network: Network<float> =
        [ Layers.dense 3; Mute(); Layers.dense 3 ]
        |> Architecture.create Head.Softmax (Shape.Vector 4)
        |> orFail
        |> Network.initialise Initialiser.XavierNormal 1UL

    let failure =
        Assert.Throws<InvalidOperationException>(fun () ->
            Gradient.backward network (Dataset.take [| 0..3 |] data) |> ignore)

    Assert.Contains("mute: expected a gradient", failure.Message)
