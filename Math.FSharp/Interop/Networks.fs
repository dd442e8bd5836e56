namespace Pipeline.Learning.Interop

open System
open System.Collections.Generic
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// Architectures from arrays.
[<AbstractClass; Sealed>]
type Architectures =
    /// <summary>Hidden layers of these widths with one activation, or what is wrong.</summary>
    /// <param name="head">What the outputs stand for.</param>
    /// <param name="inputs">Numbers in a sample.</param>
    /// <param name="hidden">Widths, from the input's side.</param>
    /// <param name="normalised">Whether the hidden layers are normalised over the mini-batch.</param>
    /// <param name="activation">The hidden layers' activation.</param>
    /// <param name="outputs">Classes to tell apart, or numbers that come out.</param>
    static member Create
        (
            head: Head,
            inputs: int,
            hidden: int seq,
            normalised: bool,
            activation: Activation,
            outputs: int
        ) : Result<Architecture, Fault list> =
        let layers = [
            for width in hidden ->
                {
                    Width = width
                    Normalised = normalised
                    Activation = activation
                }
        ]

        Architecture.create head inputs layers outputs

    /// <summary>Inputs, hidden widths and classes: <c>Dense(Activation.Sigmoid, 784, 50, 10)</c>.</summary>
    /// <exception cref="T:System.ArgumentException">There are fewer than two sizes, or one is out of
    /// range.</exception>
    static member Dense(activation: Activation, [<ParamArray>] sizes: int[]) : Architecture =
        Architecture.dense activation (List.ofArray sizes)

/// Activation functions, whose module C# would know as ActivationModule.
[<AbstractClass; Sealed>]
type Activations =
    /// <summary>The activation of every element.</summary>
    static member Apply(activation: Activation, z: Matrix<'T>) : Matrix<'T> =
        Activation.apply activation z

    /// <summary>Its derivative at every element.</summary>
    static member Derivative(activation: Activation, z: Matrix<'T>) : Matrix<'T> =
        Activation.derivative activation z

    /// <summary>Softmax of every column.</summary>
    static member Softmax(logits: Matrix<'T>) : Matrix<'T> = Activation.softmax logits

/// Heads.
[<AbstractClass; Sealed>]
type Heads =
    /// <summary>The name of the loss that belongs to the head.</summary>
    static member LossName(head: Head) : string = Head.lossName head

/// Networks with other parameters, for which C# has no <c>with</c>.
[<AbstractClass; Sealed; Extension>]
type NetworkExtensions =
    /// <summary>The network with these parameters.</summary>
    [<Extension>]
    static member With(network: Network<'T>, parameters: Parameters<'T>) : Network<'T> = {
        network with
            Parameters = parameters
    }

/// Parameters and gradients number by number.
[<AbstractClass; Sealed; Extension>]
type ParametersExtensions =
    /// <summary>What a function makes of every number.</summary>
    /// <param name="parameters">The parameters, left as they were.</param>
    /// <param name="change">The function.</param>
    [<Extension>]
    static member Map(parameters: Parameters<'T>, change: Func<'T, 'T>) : Parameters<'T> =
        ArgumentNullException.ThrowIfNull(change, nameof change)

        parameters
        |> Parameters.mapTensors (fun _ values -> values |> Array.map change.Invoke)

    /// <summary>What a function makes of every two partners.</summary>
    /// <param name="parameters">The parameters, left as they were.</param>
    /// <param name="others">Of the same shape: a gradient, say.</param>
    /// <param name="combine">The function.</param>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<Extension>]
    static member Zip
        (parameters: Parameters<'T>, others: Parameters<'T>, combine: Func<'T, 'T, 'T>)
        : Parameters<'T> =
        ArgumentNullException.ThrowIfNull(combine, nameof combine)
        Parameters.requireSameShape (nameof others) parameters others

        Parameters.mapTensors2
            (Array.map2 (fun one other -> combine.Invoke(one, other)))
            parameters
            others

    /// <summary>The length of all numbers as one vector.</summary>
    /// <param name="parameters">The parameters, or a gradient.</param>
    [<Extension>]
    static member Norm(parameters: Parameters<'T>) : float = Transform.norm parameters

/// Models from dictionaries and sequences.
[<AbstractClass; Sealed>]
type Models =
    /// <summary>A network with what it takes to ask it.</summary>
    /// <param name="network">The network.</param>
    /// <param name="preprocessing">What becomes of a sample before it enters.</param>
    /// <param name="classes">The classes' names, one an output; or none.</param>
    /// <param name="notes">Names and texts to keep beside them.</param>
    static member Create
        (
            network: Network<'T>,
            preprocessing: Preprocessing,
            classes: string seq,
            notes: IReadOnlyDictionary<string, string>
        ) : Model<'T> = {
        Network = network
        Preprocessing = preprocessing
        Classes = List.ofSeq classes
        Notes = [ for pair in notes -> pair.Key, pair.Value ]
    }

    /// <summary>What is assumed of a model whose file does not say it.</summary>
    /// <param name="activation">The hidden layers' activation, or null.</param>
    /// <param name="head">The head, or null.</param>
    /// <param name="layers">The names of the layers from the input's side, or none.</param>
    static member Defaults
        (activation: Activation | null, head: Head | null, layers: string seq)
        : ModelDefaults = {
        Activation = ValueOption.ofObj activation
        Head = ValueOption.ofObj head
        Layers = List.ofSeq layers
    }
