namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// A step of training: every random number of it follows from the two.
[<Struct>]
type TrainingStep = {
    /// The run's seed.
    Seed: uint64
    /// The iteration, from 0.
    Iteration: int64
}

/// What a layer computes from.
type LayerPass<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The output of the layer below, or the samples.
    Inputs: Inputs<'T>
    /// The layer's parameters.
    Parameters: LayerParameters<'T>
    /// The layer's running statistics, if it keeps some.
    Running: LayerParameters<'T>
    /// The step of training; nothing where the network is evaluated.
    Step: TrainingStep voption
    /// How many layers below draw random numbers: the number of the layer's own random stream.
    RandomStream: int
    /// Whether the output may take the place of the inputs in memory.
    MayOverwrite: bool
    /// Whether the backward pass has to give a gradient in the inputs. No layer below the first one with
    /// parameters needs it.
    NeedsInputGradient: bool
}

/// The gradient in a matrix of parameters.
[<RequireQualifiedAccess>]
type MatrixGradient<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> =
    /// The gradient itself.
    | Value of Matrix<'T>
    /// The product δ·Xᵀ, which is not multiplied out until it is known what for: a step of gradient descent
    /// needs W − η·δ·Xᵀ alone.
    | Product of upstream: Matrix<'T> * inputs: Inputs<'T>

/// What a layer's backward pass gives.
type LayerGradient<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The gradient in the inputs, of their shape; nothing where it is not needed.
    Inputs: Matrix<'T> voption
    /// The gradient in each matrix, in the order of the parameters.
    Matrices: MatrixGradient<'T> list
    /// The gradient in each vector.
    Vectors: Vector<'T> list
}

/// What a layer's forward pass gives.
type LayerOutput<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// (features, batch).
    Output: Matrix<'T>
    /// Whether the layer above may write over the output: true where the backward pass does not read it.
    MayOverwrite: bool
    /// Arrays that the forward pass made for the backward pass, besides the output.
    Kept: 'T[] list
    /// The running statistics after the pass.
    Running: LayerParameters<'T>
    /// The backward pass: from the gradient in the output, which it may write over.
    Backward: Matrix<'T> -> LayerGradient<'T>
}

/// <summary>A layer of a network: a name and functions.</summary>
/// <remarks><para>A kind of layer is a class of its own in a file of its own. Networks, optimizers, checkpoints,
/// model files and checks of gradients know none of them: they see shapes, names of parameters, a forward pass
/// and the backward pass that belongs to it. A class of your own is a layer like any other.</para>
/// <para>Memory: a layer never changes its parameters or its running statistics. Its output may take the place of
/// its inputs where <c>LayerPass.MayOverwrite</c> says so, and its gradient in the inputs that of the gradient it
/// gets. The network uses the arrays of outputs, of gradients and of <c>Kept</c> again once the backward pass is
/// through with the layer, so a layer refers to none of them after that.</para>
/// <para>Two layers are equal if they have the same name, so a name tells the numbers too:
/// <c>dense 100</c>.</para></remarks>
[<AbstractClass>]
type Layer(name: string) =
    /// The kind and its numbers, as settings and model files write it: <c>dense 100</c>.
    member _.Name = name

    /// <summary>The shape of an output, or what is wrong with the shape of an input.</summary>
    /// <remarks>Unless overridden, that of the input.</remarks>
    abstract OutputShape: input: Shape -> Result<Shape, Fault list>

    default _.OutputShape(input: Shape) : Result<Shape, Fault list> = Ok input

    /// <summary>The names and shapes of the parameters.</summary>
    /// <remarks>Unless overridden, none. A layer with a matrix has a number in the names of files:
    /// <c>W1</c>, <c>W2</c>, …</remarks>
    abstract Parameters: input: Shape -> ParameterShapes

    default _.Parameters(_: Shape) : ParameterShapes = ParameterShapes.none

    /// <summary>The names and shapes of the running statistics: numbers that a step of training updates without
    /// a gradient.</summary>
    /// <remarks>Unless overridden, none.</remarks>
    abstract Running: input: Shape -> ParameterShapes

    default _.Running(_: Shape) : ParameterShapes = ParameterShapes.none

    /// Whether a step of training draws random numbers. Unless overridden, no.
    abstract DrawsRandomNumbers: bool

    default _.DrawsRandomNumbers = false

    /// Whether a step of training sees another function than evaluation does. Unless overridden, no.
    abstract DiffersInTraining: bool

    default _.DiffersInTraining = false

    /// <summary>The parameters before the first step.</summary>
    /// <remarks>Unless overridden, 0.</remarks>
    /// <param name="initialiser">How weights begin.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="number">How many layers below have a matrix: the number of the layer's own random
    /// stream.</param>
    /// <param name="input">The shape of an input.</param>
    abstract Initialise<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> :
        initialiser: Initialiser * seed: uint64 * number: int * input: Shape -> LayerParameters<'T>

    default layer.Initialise<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (_: Initialiser, _: uint64, _: int, input: Shape)
        : LayerParameters<'T> =
        LayerParameters.zeros (layer.Parameters input)

    /// <summary>The running statistics before the first step.</summary>
    /// <remarks>Unless overridden, 0.</remarks>
    abstract InitialiseRunning<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> : input: Shape -> LayerParameters<'T>

    default layer.InitialiseRunning<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (input: Shape)
        : LayerParameters<'T> =
        LayerParameters.zeros (layer.Running input)

    /// <summary>The output of a mini-batch, and the backward pass that belongs to it.</summary>
    abstract Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> : pass: LayerPass<'T> -> LayerOutput<'T>

    /// The name.
    override _.ToString() = name

    override _.Equals(other: obj | null) =
        match other with
        | :? Layer as other -> String.Equals(other.Name, name, StringComparison.Ordinal)
        | _ -> false

    override _.GetHashCode() = StringComparer.Ordinal.GetHashCode name

/// Results of a layer's forward pass.
[<RequireQualifiedAccess>]
module LayerOutput =
    /// <summary>The output of a layer that keeps no running statistics.</summary>
    /// <param name="output">(features, batch).</param>
    /// <param name="backward">From the gradient in the output.</param>
    [<CompiledName("Create")>]
    let create (output: Matrix<'T>) (backward: Matrix<'T> -> LayerGradient<'T>) : LayerOutput<'T> = {
        Output = output
        MayOverwrite = false
        Kept = []
        Running = LayerParameters.none
        Backward = backward
    }

/// Results of a layer's backward pass.
[<RequireQualifiedAccess>]
module LayerGradient =
    /// <summary>The gradient of a layer without parameters.</summary>
    /// <param name="inputs">The gradient in its inputs.</param>
    [<CompiledName("OfInputs")>]
    let ofInputs (inputs: Matrix<'T>) : LayerGradient<'T> = {
        Inputs = ValueSome inputs
        Matrices = []
        Vectors = []
    }

    /// An exception where gradients and parameters differ in number or shape.
    let private fit
        (parameters: LayerParameters<'T>)
        (gradient: LayerGradient<'T>)
        : (string * Matrix<'T> * MatrixGradient<'T>) list * (string * Vector<'T> * Vector<'T>) list =
        if
            gradient.Matrices.Length <> parameters.Matrices.Length
            || gradient.Vectors.Length <> parameters.Vectors.Length
        then
            invalidArg
                (nameof gradient)
                $"expected gradients in %d{parameters.Matrices.Length} matrices and %d{parameters.Vectors.Length} vectors, found %d{gradient.Matrices.Length} and %d{gradient.Vectors.Length}"

        List.map2
            (fun (name, matrix: Matrix<'T>) gradient ->
                match gradient with
                | MatrixGradient.Value value ->
                    Kernels.requireSameShape (nameof gradient) matrix value
                | MatrixGradient.Product(upstream, _) ->
                    if upstream.RowCount <> matrix.RowCount then
                        invalidArg
                            (nameof gradient)
                            $"expected a gradient in {name} {Kernels.shape matrix}, found the product of {Kernels.shape upstream} and the inputs"

                name, matrix, gradient)
            parameters.Matrices
            gradient.Matrices,
        List.map2
            (fun (name, vector: Vector<'T>) (gradient: Vector<'T>) ->
                if gradient.Count <> vector.Count then
                    invalidArg
                        (nameof gradient)
                        $"expected %d{vector.Count} numbers in the gradient in {name}, found %d{gradient.Count}"

                name, vector, gradient)
            parameters.Vectors
            gradient.Vectors

    /// <summary>The gradient in each parameter, its products multiplied out.</summary>
    /// <param name="parameters">The layer's parameters.</param>
    /// <param name="gradient">Of the backward pass.</param>
    /// <exception cref="T:System.ArgumentException">Gradients and parameters differ in number or
    /// shape.</exception>
    [<CompiledName("Values")>]
    let values
        (parameters: LayerParameters<'T>)
        (gradient: LayerGradient<'T>)
        : LayerParameters<'T> =
        let matrices, vectors = fit parameters gradient

        {
            Matrices =
                matrices
                |> List.map (fun (name, matrix, gradient) ->
                    match gradient with
                    | MatrixGradient.Value value -> name, value
                    | MatrixGradient.Product(upstream, inputs) ->
                        let value = Inputs.weightGradient upstream inputs
                        Kernels.requireSameShape (nameof gradient) matrix value
                        name, value)
            Vectors = vectors |> List.map (fun (name, _, gradient) -> name, gradient)
        }

    /// <summary>The parameters after a step of gradient descent, θ − ηg, with the same bits as by
    /// <c>values</c>, and without those where that is quicker.</summary>
    /// <param name="rate">Learning rate η.</param>
    /// <param name="parameters">The layer's parameters θ, left as they were.</param>
    /// <param name="gradient">Of the backward pass.</param>
    /// <exception cref="T:System.ArgumentException">Gradients and parameters differ in number or
    /// shape.</exception>
    [<CompiledName("Descend")>]
    let descend
        (rate: 'T :> IBinaryFloatingPointIeee754<'T>)
        (parameters: LayerParameters<'T>)
        (gradient: LayerGradient<'T>)
        : LayerParameters<'T> =
        let matrices, vectors = fit parameters gradient

        {
            Matrices =
                matrices
                |> List.map (fun (name, matrix, gradient) ->
                    match gradient with
                    | MatrixGradient.Value value -> name, Kernels.subtractScaled rate value matrix
                    | MatrixGradient.Product(upstream, inputs) ->
                        name, Inputs.descend rate matrix upstream inputs)
            Vectors =
                vectors
                |> List.map (fun (name, vector, gradient) ->
                    name, Kernels.subtractScaledVector rate gradient vector)
        }

    /// The arrays that the gradient refers to, apart from the gradient in the inputs.
    let internal arrays (gradient: LayerGradient<'T>) : 'T[] list = [
        for matrix in gradient.Matrices do
            match matrix with
            | MatrixGradient.Value value -> Kernels.values value
            | MatrixGradient.Product _ -> ()
        for vector in gradient.Vectors do
            Kernels.elements vector
    ]

/// A layer that is γ·x + β for each feature once it is trained: batch normalisation.
type internal IScaleAndShift =
    /// γ and β of every feature.
    abstract ScaleAndShift<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> :
        parameters: LayerParameters<'T> * running: LayerParameters<'T> -> struct ('T[] * 'T[])

/// A layer W·x + b: it needs no biases where the layer above shifts its output, and can take over what a trained
/// layer above does to each feature.
type internal IAffine =
    /// The same layer without biases.
    abstract WithoutBiases: Layer

    /// The layer that gives γ·output + β.
    abstract Absorb<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> :
        scale: 'T[] * shift: 'T[] * parameters: LayerParameters<'T> ->
            struct (Layer * LayerParameters<'T>)

/// A layer that changes nothing where the network is evaluated: dropout.
type internal IOnlyInTraining = interface end

/// Units whose slope is 0 or nearly so for much of their inputs.
type internal ISaturates =
    /// The greatest slope of a unit; nothing where no unit saturates.
    abstract GreatestSlope: float voption
    /// What a saturated unit does: "saturated: their slope is near 0".
    abstract Saturated: string

/// Something to do with the loop of an elementwise function.
type internal IMapUser<'T, 'R> =
    abstract Use<'Op when 'Op :> IMap<'T>> : op: 'Op -> 'R

/// A layer that is one function of each number.
type internal IElementwise =
    abstract Use<'T, 'R when 'T :> INumber<'T>> : user: IMapUser<'T, 'R> -> 'R

/// A layer that an ONNX graph can have.
type IOnnxLayer =
    /// <summary>Adds the layer's operations to a graph.</summary>
    /// <param name="draft">The graph.</param>
    /// <param name="parameters">The names of the layer's parameters in the graph, matrices first, then of its
    /// running statistics. A matrix is there as the book has it, (inputs, outputs).</param>
    /// <param name="input">The name of the layer's input, (batch, features).</param>
    /// <returns>The name of its output.</returns>
    abstract ToOnnx: draft: OnnxDraft * parameters: string list * input: string -> string

/// What layers can do besides.
[<AutoOpen>]
module internal LayerPatterns =
    [<return: Struct>]
    let (|Affine|_|) (layer: Layer) : IAffine voption =
        match box layer with
        | :? IAffine as affine -> ValueSome affine
        | _ -> ValueNone

    [<return: Struct>]
    let (|ScaleAndShift|_|) (layer: Layer) : IScaleAndShift voption =
        match box layer with
        | :? IScaleAndShift as layer -> ValueSome layer
        | _ -> ValueNone

    [<return: Struct>]
    let (|OnlyInTraining|_|) (layer: Layer) : unit voption =
        match box layer with
        | :? IOnlyInTraining -> ValueSome()
        | _ -> ValueNone

    [<return: Struct>]
    let (|Saturates|_|) (layer: Layer) : ISaturates voption =
        match box layer with
        | :? ISaturates as layer -> ValueSome layer
        | _ -> ValueNone

    [<return: Struct>]
    let (|Elementwise|_|) (layer: Layer) : IElementwise voption =
        match box layer with
        | :? IElementwise as layer -> ValueSome layer
        | _ -> ValueNone

    [<return: Struct>]
    let (|Exported|_|) (layer: Layer) : IOnnxLayer voption =
        match box layer with
        | :? IOnnxLayer as layer -> ValueSome layer
        | _ -> ValueNone
