namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

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
    /// The shape of an input.
    Shape: Shape
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

    default _.Parameters(_: Shape) : ParameterShapes = ParameterShapes.None

    /// <summary>The names and shapes of the running statistics: numbers that a step of training updates without
    /// a gradient.</summary>
    /// <remarks>Unless overridden, none.</remarks>
    abstract Running: input: Shape -> ParameterShapes

    default _.Running(_: Shape) : ParameterShapes = ParameterShapes.None

    /// Whether a sample must be an image, channels of rows and columns. Unless overridden, no.
    abstract TakesImages: bool

    default _.TakesImages = false

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

[<RequireQualifiedAccess>]
module internal LayerPass =
    /// An exception where the inputs do not have the size of the pass's shape, or are of no sample.
    let requireSize (pass: LayerPass<'T>) : unit =
        let struct (features, samples) = pass.Inputs.Size

        if features <> pass.Shape.Size || samples = 0 then
            invalidArg
                (nameof pass)
                (invariant
                    $"expected inputs ({pass.Shape.Size}, batch) of the shape {pass.Shape}, found ({features}, {samples})")

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
