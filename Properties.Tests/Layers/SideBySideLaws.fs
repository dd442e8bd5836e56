/// LaneLayer.fs and LayerChain.fs: a network gives the same bits whether its layers pass samples on side by side or by columns.
module Pipeline.Properties.SideBySideLaws

open System
open System.Numerics
open Xunit
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Laws

/// Layers as a list of names, and residual blocks of them.
type internal Written =
    | Named of string
    | Block of Written list

let rec internal layerOf (written: Written) : Layer =
    match written with
    | Named name -> LayerKinds.parse [] [ name ] |> orFail |> List.exactlyOne
    | Block layers -> Layers.residual (List.map layerOf layers)

/// Networks with every kind of layer over images, at first, in the middle and at last, and of samples of several shapes.
let internal written: (Shape * Written list) list = [
    Shape.Image(2, 6, 5),
    [
        Named "conv2d 4 3 padding 1"
        Named "batchnorm"
        Named "relu"
        Named "maxpool2d 2 stride 1"
        Named "dropout2d 0.3"
        Named "conv2d 7 2 stride 2 groups 1"
        Named "tanh"
        Named "conv2d 6 2 dilation 1"
        Named "batchnorm"
        Named "elu"
        Named "flatten"
        Named "layernorm"
        Named "dropout 0.2"
        Named "dense 3"
    ]
    Shape.Image(1, 5, 5),
    [
        Named "layernorm"
        Named "conv2d 4 2x3 stride 1x2 padding 1 groups 1"
        Named "softplus"
        Block [
            Named "conv2d 4 3 padding 1 groups 2"
            Named "batchnorm"
            Named "gelu"
            Named "dropout 0.25"
            Block [ Named "conv2d 4 1"; Named "sigmoid" ]
            Named "dropout2d 0.25"
        ]
        Named "avgpool2d 2"
        Block [ Named "layernorm"; Named "conv2d 4 1"; Named "identity" ]
        Named "globalavgpool"
        Block [ Named "dense 4"; Named "batchnorm"; Named "silu"; Named "dense 4" ]
        Named "dense 3"
    ]
    // More columns than a register holds, at every stride.
    Shape.Image(2, 7, 37),
    [
        Named "conv2d 8 3x4 stride 2x1 padding 1 groups 2"
        Named "relu"
        Named "maxpool2d 2x3 stride 1x2 padding 1"
        Named "conv2d 5 2 dilation 2"
        Named "avgpool2d 2x3 stride 1x3"
        Named "dense 3"
    ]
    // A stride beyond a register.
    Shape.Vector 60,
    [
        Named "conv1d 4 5 stride 20"
        Named "relu"
        Named "avgpool1d 1 stride 17"
        Named "dense 3"
    ]
    Shape.Vector 12,
    [
        Named "conv1d 3 4 stride 2 padding 1"
        Named "leakyrelu"
        Named "batchnorm"
        Block [ Named "maxpool1d 3 stride 1 padding 1"; Named "avgpool1d 1" ]
        Named "conv1d 6 2 dilation 2 groups 3"
        Named "dense 5"
        Named "batchnorm"
        Named "relu"
        Named "dense 3"
    ]
    Shape.Image(3, 4, 4),
    [
        Block [ Named "batchnorm"; Named "relu"; Named "conv2d 3 3 padding 1" ]
        Named "maxpool2d 2"
        Named "conv2d 3 2"
    ]
]

let internal architectureOf (shape: Shape, layers: Written list) : Architecture =
    Architecture.create Head.Softmax shape (List.map layerOf layers) |> orFail

/// What a chain of layers gives by columns, with the numbers of the running statistics after it and the gradients: those in
/// the inputs, and those in the parameters of each layer that has some.
type private Passed<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    Output: Matrix<'T>
    Running: LayerParameters<'T> list
    Backward: Matrix<'T> -> struct (Matrix<'T> * LayerParameters<'T> list)
}

/// The first matrices and vectors of some, under their names in a layer, and the others.
let private taken (shapes: ParameterShapes) (all: LayerParameters<'T>) =
    let matrices, otherMatrices =
        all.Matrices |> List.splitAt shapes.MatrixShapes.Length

    let vectors, otherVectors = all.Vectors |> List.splitAt shapes.VectorSizes.Length

    {
        Matrices =
            List.map2 (fun (name, _, _) (_, value) -> name, value) shapes.MatrixShapes matrices
        Vectors = List.map2 (fun (name, _) (_, value) -> name, value) shapes.VectorSizes vectors
    },
    {
        Matrices = otherMatrices
        Vectors = otherVectors
    }

let private joined (all: LayerParameters<'T> list) : LayerParameters<'T> = {
    Matrices = all |> List.collect _.Matrices
    Vectors = all |> List.collect _.Vectors
}

/// Each layer's own forward pass on columns, one after the other, and the layers of a block so too. `parameters` and `running` are
/// those of all layers, one after the other.
let rec private byColumns<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (step: TrainingStep voption)
    (streamOf: int -> PlacedLayer -> int)
    (shape: Shape)
    (layers: Written list)
    (parameters: LayerParameters<'T>)
    (running: LayerParameters<'T>)
    (inputs: Matrix<'T>)
    : Passed<'T> =
    let places = layers |> List.map layerOf |> PlacedLayers.place shape |> orFail

    let passes, (output, _, _) =
        ((inputs, parameters, running), List.zip layers places |> List.indexed)
        ||> List.mapFold (fun (inputs, parameters, running) (i, (written, place)) ->
            let own, parameters = taken place.Parameters parameters
            let ownRunning, running = taken place.Running running
            let stream = streamOf i place

            let passed =
                match written with
                | Named _ ->
                    let output =
                        place.Layer.Forward {
                            Inputs = Inputs.OfNumbers(inputs.Clone())
                            Shape = place.Input
                            Parameters = own
                            Running = ownRunning
                            Step = step
                            RandomStream = stream
                            MayOverwrite = false
                            NeedsInputGradient = true
                        }

                    {
                        Output = output.Output.Clone()
                        Running = [ output.Running ]
                        Backward =
                            fun upstream ->
                                let gradient = output.Backward(upstream.Clone())

                                struct (gradient.Inputs.Value.Clone(),
                                        [ LayerGradient.values own gradient ])
                    }
                | Block inner ->
                    let passed =
                        byColumns
                            step
                            (fun i _ -> (stream + 1) * 1024 + i)
                            place.Input
                            inner
                            own
                            ownRunning
                            inputs

                    {
                        Output = inputs + passed.Output
                        Running = [ joined passed.Running ]
                        Backward =
                            fun upstream ->
                                let struct (below, found) = passed.Backward upstream
                                struct (upstream + below, [ joined found ])
                    }

            passed, (passed.Output, parameters, running))

    {
        Output = output
        Running = passes |> List.collect _.Running
        Backward =
            fun upstream ->
                let found, below =
                    (upstream, List.rev passes)
                    ||> List.mapFold (fun upstream passed ->
                        let struct (below, found) = passed.Backward upstream
                        found, below)

                struct (below, found |> List.rev |> List.concat)
    }

let private arrays (layers: LayerParameters<'T> list) : 'T[] =
    layers
    |> List.collect (fun layer -> [
        for _, matrix in layer.Matrices do
            cells matrix
        for _, vector in layer.Vectors do
            vector.ToArray()
    ])
    |> Array.concat

/// Gradients of one layer's matrices and vectors, as `arrays` has them layer by layer.
let private some (layers: LayerParameters<'T> list) =
    layers
    |> List.filter (fun layer -> not (layer.Matrices.IsEmpty && layer.Vectors.IsEmpty))

/// A network whose gains, shifts and running statistics are not those of the start.
let internal networkOf<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (seed: uint64)
    (architecture: Architecture)
    : Network<'T> =
    let network: Network<'T> = Network.initialise Initialiser.HeNormal seed architecture

    let moved (which: int64) (name: string) (vector: Vector<'T>) : Vector<'T> =
        vector.MapIndexed(fun i x ->
            let by =
                RandomNumbers.normal
                    seed
                    RandomStream.GradientCheck
                    (which * 1000L + int64 name.Length)
                    i

            // Variances stay above 0.
            let by = if name.StartsWith "variance" then abs by else 0.3 * by
            x + 'T.CreateTruncating by)

    {
        network with
            Parameters = {
                Layers =
                    network.Parameters.Layers
                    |> List.mapi (fun i -> LayerParameters.map (fun _ m -> m) (moved (int64 i)))
            }
            Running =
                network.Running
                |> List.mapi (fun i -> LayerParameters.map (fun _ m -> m) (moved (int64 i + 50L)))
    }

let internal batchOf<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (seed: uint64)
    (count: int)
    (architecture: Architecture)
    : MiniBatch<'T> =
    MiniBatch.create
        (Array.init (count * architecture.Inputs) (fun i ->
            'T.CreateTruncating(RandomNumbers.normal seed RandomStream.GradientCheck 7L i))
         |> Kernels.matrix architecture.Inputs count)
        (Targets.Labels(Array.init count (fun s -> s % architecture.Outputs)))

let private holds<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (seed: uint64)
    (count: int)
    (shape: Shape, layers: Written list)
    : unit =
    let architecture = architectureOf (shape, layers)
    let network: Network<'T> = networkOf seed architecture
    let batch: MiniBatch<'T> = batchOf seed count architecture

    for step in [ ValueNone; ValueSome { Seed = seed; Iteration = 3L } ] do
        let passed =
            byColumns
                step
                (fun _ place -> place.RandomStream)
                shape
                layers
                (joined network.Parameters.Layers)
                (joined network.Running)
                batch.Inputs

        let struct (loss, gradient, followed) =
            match step with
            | ValueSome step -> Gradient.backwardInTraining step network batch
            | ValueNone ->
                let struct (loss, gradient) = Gradient.backward network batch
                Exactly.bits (cells passed.Output) (cells (Network.forward network batch.Inputs))
                struct (loss, gradient, network)

        let struct (expected, upstream) =
            Loss.ofSamplesWithGradient architecture.Head batch passed.Output

        Exactly.bits [| expected |] [| loss |]
        let struct (_, found) = passed.Backward upstream
        Exactly.bits (arrays (some found)) (arrays gradient.Layers)

        match step with
        | ValueSome step ->
            Exactly.bits (arrays (some passed.Running)) (arrays followed.Running)

            // Layers that update themselves as soon as they have their gradients.
            let rate = 'T.CreateTruncating 0.1

            let struct (_, next) =
                Gradient.updateLayers (LayerGradient.descend rate) step network batch

            Exactly.bits
                (flat (Optimizer.descend rate gradient network.Parameters))
                (flat next.Parameters)
        | ValueNone -> ()

[<Law(MaxTest = 10)>]
let ``networks over images give the bits of their layers one after the other, in training and evaluation``
    (Seed seed)
    (FsCheck.PositiveInt count)
    =
    for each in written do
        holds<float> seed (2 + count % 39) each
        holds<float32> seed (2 + count % 39) each

[<Law(MaxTest = 5)>]
let ``any number of threads gives the same bits over images`` (Seed seed) =
    let results () = [|
        for each in written do
            let architecture = architectureOf each
            let batch = batchOf seed 40 architecture
            let network: Network<float> = networkOf seed architecture
            let struct (_, gradient) = Gradient.backward network batch
            flat gradient
    |]

    let alone = KernelLaws.withThreads 1 results

    for threads in [ 2; 3 ] do
        Array.iter2 Exactly.bits alone (KernelLaws.withThreads threads results)

[<Law(MaxTest = 3)>]
let ``the gradients of networks over images are the definition's`` (Seed seed) =
    for each in written do
        let architecture = architectureOf each
        let network = networkOf seed architecture
        // A mini-batch that fills one block and begins another.
        let check = GradientCheck.ofNetwork network (batchOf seed 18 architecture)
        Assert.True(check.Passed, $"{architecture}: {check}")

let private holdsOneByOne<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (seed: uint64)
    (each: Shape * Written list)
    : unit =
    let architecture = architectureOf each
    let network: Network<'T> = networkOf seed architecture
    let inputs = (batchOf<'T> seed 20 architecture).Inputs
    // The predictor folds batch normalisation into the layers below.
    let expected = Network.predict (ForwardPass.folded network) inputs
    let predictor = Predictor network
    let one: 'T[] = Array.zeroCreate architecture.Outputs

    for s in 0 .. inputs.ColumnCount - 1 do
        predictor.Predict(ReadOnlySpan((inputs.Column s).ToArray()), Span one)
        Exactly.bits ((expected.Column s).ToArray()) one

[<Law(MaxTest = 10)>]
let ``networks over images predict the same one by one`` (Seed seed) =
    for each in written do
        holdsOneByOne<float> seed each
        holdsOneByOne<float32> seed each

[<Law(MaxTest = 3)>]
let ``what the numbers of an image add to a prediction sums to its difference from a blank image's``
    (Seed seed)
    =
    for shape, layers in written do
        // Layer normalisation of the samples is too steep near a blank one for the integral's points.
        if layers.Head <> Named "layernorm" then
            let architecture = architectureOf (shape, layers)
            let network: Network<float> = networkOf seed architecture
            let image = (batchOf seed 1 architecture).Inputs.Column 0
            let found = Attribution.ofInputs 1 network image

            let output (x: Vector<float>) =
                (Network.predict network (x.ToColumnMatrix()))[1, 0]

            let difference = output image - output (0.0 * image)
            let sum = found.Parts |> List.sumBy snd
            Assert.InRange(sum - difference, -0.01, 0.01)

[<Fact>]
let ``bytes of images are predicted as the numbers that they stand for`` () =
    for each in written do
        let architecture = architectureOf each
        let network: Network<float32> = networkOf 1UL architecture

        let pixels = Array.init architecture.Inputs (fun i -> byte (i * 37 % 256))

        let predictor = Predictor network
        let one: float32[] = Array.zeroCreate architecture.Outputs
        predictor.Predict(ReadOnlySpan pixels, Span one)
        let numbers = pixels |> Array.map (fun pixel -> float32 pixel / 255.0f)
        let other: float32[] = Array.zeroCreate architecture.Outputs
        predictor.Predict(ReadOnlySpan numbers, Span other)
        Exactly.bits other one

[<Fact>]
let ``inputs of another size than a layer's images are refused`` () =
    for each in written do
        let architecture = architectureOf each
        let network: Network<float> = networkOf 1UL architecture

        for rows in [ architecture.Inputs - 1; architecture.Inputs + 1 ] do
            Exactly.refused [ string architecture.Inputs; string rows ] (fun () ->
                Network.predict network (Matrix<float>.Build.Dense(rows, 3)))
