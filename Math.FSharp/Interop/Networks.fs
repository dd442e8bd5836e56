namespace Pipeline.Learning.Interop

open System
open System.Collections.Generic
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// Architectures from arrays.
[<AbstractClass; Sealed>]
type Architectures =
    /// <summary>Hidden layers of these widths with one activation, or faults.</summary>
    /// <param name="head">The network's head.</param>
    /// <param name="inputs">The number of inputs.</param>
    /// <param name="hidden">Widths, from the input's side.</param>
    /// <param name="normalised">Whether the hidden layers are normalised over the mini-batch.</param>
    /// <param name="activation">The hidden layers' activation.</param>
    /// <param name="dropout">The fraction of hidden units that are dropped in each step.</param>
    /// <param name="outputs">The number of outputs.</param>
    static member Create
        (
            head: Head,
            inputs: int,
            hidden: int seq,
            normalised: bool,
            activation: Activation,
            dropout: float,
            outputs: int
        ) : Result<Architecture, Fault list> =
        let layers = [
            for width in hidden ->
                {
                    Width = width
                    Normalised = normalised
                    Activation = activation
                    Dropout = dropout
                }
        ]

        Architecture.ofHidden head inputs layers outputs

    /// <summary>Layers by their names, as settings write them, or what is wrong with them.</summary>
    /// <param name="head">What the outputs mean.</param>
    /// <param name="shape">The shape of a sample.</param>
    /// <param name="layers"><c>dense 100</c>, <c>batchnorm</c>, <c>relu</c>, …, from the input's side.</param>
    static member Create
        (head: Head, shape: Shape, layers: string seq)
        : Result<Architecture, Fault list> =
        LayerKinds.parse [] (List.ofSeq layers)
        |> Result.bind (Architecture.create head shape)

    /// <summary>The architecture of a layer with others above it, or what is wrong with them.</summary>
    /// <param name="first">The first layer.</param>
    /// <param name="inputs">The number of numbers in a sample.</param>
    /// <param name="above">The architecture of the other layers, given the number of their inputs.</param>
    static member Above
        (first: Layer, inputs: int, above: Func<int, Architecture>)
        : Result<Architecture, Fault list> =
        ArgumentNullException.ThrowIfNull(above, nameof above)
        Architecture.above first inputs (above.Invoke >> Ok)

    /// <summary>Whether one of the layers takes images only.</summary>
    /// <param name="layers">The layers by their names, from the input's side.</param>
    static member TakesImages(layers: string seq) : bool =
        match LayerKinds.parse [] (List.ofSeq layers) with
        | Ok layers -> layers |> List.exists _.TakesImages
        | Error _ -> false

    /// <summary>The number of inputs that layers take, which an embedding among the first tells; null if it is not
    /// told.</summary>
    /// <param name="layers">The layers by their names, from the input's side.</param>
    static member InputsOf(layers: string seq) : Nullable<int> =
        match LayerKinds.parse [] (List.ofSeq layers) with
        | Ok layers -> Layers.inputsOf layers |> ValueOption.toNullable
        | Error _ -> Nullable()

    /// <summary>Inputs, hidden widths and classes: <c>Dense(Activation.Sigmoid, 784, 50, 10)</c>.</summary>
    /// <exception cref="T:System.ArgumentException">There are fewer than two sizes, or one is out of
    /// range.</exception>
    static member Dense(activation: Activation, [<ParamArray>] sizes: int[]) : Architecture =
        Architecture.dense activation (List.ofArray sizes)

/// Activation functions.
[<AbstractClass; Sealed>]
type Activations =
    /// <summary>f(z) of every element.</summary>
    /// <param name="activation">f.</param>
    /// <param name="z">Any matrix.</param>
    /// <returns>A matrix of z's shape.</returns>
    static member Apply(activation: Activation, z: Matrix<'T>) : Matrix<'T> =
        Activation.apply activation z

    /// <summary>f′(z) of every element.</summary>
    /// <param name="activation">f.</param>
    /// <param name="z">Any matrix.</param>
    /// <returns>A matrix of z's shape.</returns>
    static member Derivative(activation: Activation, z: Matrix<'T>) : Matrix<'T> =
        Activation.derivative activation z

    /// <summary>Softmax of every column: yₖ = e^(zₖ) / Σⱼ e^(zⱼ).</summary>
    /// <param name="logits">z: (classes, batch).</param>
    /// <returns>y: (classes, batch); every column sums to 1.</returns>
    static member Softmax(logits: Matrix<'T>) : Matrix<'T> = Softmax.apply logits

/// Heads.
[<AbstractClass; Sealed>]
type Heads =
    /// <summary>The predictions of logits: probabilities under Softmax and Sigmoid, the logits themselves under
    /// Identity.</summary>
    /// <param name="head">The network's head.</param>
    /// <param name="logits">The last layer's outputs: (outputs, batch).</param>
    /// <returns>A matrix of the same shape.</returns>
    static member Apply(head: Head, logits: Matrix<'T>) : Matrix<'T> = Head.apply head logits

    /// <summary>The name of the loss that belongs to the head.</summary>
    static member LossName(head: Head) : string = Head.lossName head

/// A layer with a matrix, and what follows it up to the next one.
type MatrixLayer<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// Its parameters.
    Parameters: LayerParameters<'T>
    /// How many parameters it and the layers in <c>Following</c> have.
    ParameterCount: int64
    /// The names of the layers after it, up to the next one with a matrix; after the last of these, the head.
    Following: string[]
}

/// Networks layer by layer.
[<AbstractClass; Sealed>]
type Networks =
    /// <summary>The layers with a matrix, from the input's side.</summary>
    /// <param name="network">The network.</param>
    static member MatrixLayers(network: Network<'T>) : MatrixLayer<'T>[] =
        let nameOf (layer: Layer) =
            match Activation.parse layer.Name with
            | Ok activation -> string activation
            | Error _ -> layer.Name

        let add (found: MatrixLayer<'T> list) (struct (place: PlacedLayer, parameters, _)) =
            match found with
            | _ when not place.Parameters.MatrixShapes.IsEmpty ->
                {
                    Parameters = parameters
                    ParameterCount = place.Parameters.Count
                    Following = [||]
                }
                :: found
            | last :: below ->
                {
                    last with
                        ParameterCount = last.ParameterCount + place.Parameters.Count
                        Following = Array.append last.Following [| nameOf place.Layer |]
                }
                :: below
            | [] -> []

        match ForwardPass.layers network |> List.fold add [] with
        | [] -> [||]
        | last :: below ->
            let head = invariant $"{network.Architecture.Head} (head)"

            {
                last with
                    Following = Array.append last.Following [| head |]
            }
            :: below
            |> List.rev
            |> Array.ofList

    /// <summary>The size of the filters of the first layer; null if that is not a convolution over images.</summary>
    /// <param name="network">The network.</param>
    static member FilterSize(network: Network<'T>) : Nullable<ImageSize> =
        match network.Architecture.Layers with
        | (:? Convolution as convolution) :: _ when convolution.TakesImages ->
            Nullable {
                Channels = network.Architecture.Shape.Channels / convolution.Groups
                Rows = convolution.Window.Size.Rows
                Columns = convolution.Window.Size.Columns
            }
        | _ -> Nullable()

/// Scaling numbers to predict.
[<AbstractClass; Sealed>]
type TargetScalings =
    /// <summary>Whether the last layer of a network can take a scaling over.</summary>
    static member Applies(architecture: Architecture) : bool = TargetScaling.applies architecture

    /// <summary>The scaling that fits training samples; null where there is nothing to scale.</summary>
    static member Fit(scaling: Scaling, data: Dataset<'T>) : TargetScaling | null =
        (TargetScaling.fit scaling data).OrNull()

    /// <summary>The same samples with scaled targets.</summary>
    /// <exception cref="T:System.ArgumentException">The targets are classes, or not as many numbers a sample as
    /// the scaling has.</exception>
    static member Apply(scaling: TargetScaling, data: Dataset<'T>) : Dataset<'T> =
        TargetScaling.apply scaling data

    /// <summary>The network that predicts in the targets' own unit.</summary>
    /// <exception cref="T:System.ArgumentException">The last layer cannot take the scaling over.</exception>
    static member Restore(scaling: TargetScaling, network: Network<'T>) : Network<'T> =
        TargetScaling.restore scaling network

/// Temperature scaling of a network's probabilities.
[<AbstractClass; Sealed>]
type Temperatures =
    /// <summary>Whether a network can take a temperature over.</summary>
    static member Applies(architecture: Architecture) : bool = Temperature.applies architecture

    /// <summary>The temperature of 0.1 to 10 with the least loss on samples that the network did not learn
    /// from.</summary>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size.</exception>
    static member Fit(network: Network<'T>, data: Dataset<'T>) : float =
        Temperature.fit network data

    /// <summary>The network whose outputs before the head are divided by a temperature.</summary>
    /// <exception cref="T:System.ArgumentException">The last layer is not a dense one, or the temperature is not a
    /// finite number greater than 0.</exception>
    static member Apply(temperature: float, network: Network<'T>) : Network<'T> =
        Temperature.apply temperature network

/// Networks with other parameters, as C# has no <c>with</c> for F# records.
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
    /// <summary>Applies a function to every number.</summary>
    /// <param name="parameters">The parameters, which are not changed.</param>
    /// <param name="change">The function.</param>
    [<Extension>]
    static member Map(parameters: Parameters<'T>, change: Func<'T, 'T>) : Parameters<'T> =
        ArgumentNullException.ThrowIfNull(change, nameof change)

        parameters
        |> Parameters.mapArrays (fun _ values -> values |> Array.map change.Invoke)

    /// <summary>Applies a function to every pair of numbers.</summary>
    /// <param name="parameters">The parameters, which are not changed.</param>
    /// <param name="others">Others of the same shape, for example a gradient.</param>
    /// <param name="combine">The function.</param>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<Extension>]
    static member Zip
        (parameters: Parameters<'T>, others: Parameters<'T>, combine: Func<'T, 'T, 'T>)
        : Parameters<'T> =
        ArgumentNullException.ThrowIfNull(combine, nameof combine)
        Parameters.requireSameShape (nameof others) parameters others

        Parameters.mapArrays2
            (Array.map2 (fun one other -> combine.Invoke(one, other)))
            parameters
            others

    /// <summary>The norm of all numbers as one vector.</summary>
    /// <param name="parameters">The parameters, or a gradient.</param>
    [<Extension>]
    static member Norm(parameters: Parameters<'T>) : float = Parameters.norm parameters

/// Models from dictionaries and sequences.
[<AbstractClass; Sealed>]
type Models =
    /// <summary>A network with its preprocessing, classes and notes.</summary>
    /// <param name="network">The network.</param>
    /// <param name="preprocessing">The preprocessing of samples.</param>
    /// <param name="classes">The classes' names, one for each output; or empty.</param>
    /// <param name="notes">Notes to keep with it, by their names.</param>
    /// <param name="decision">When a class is answered; null for the most probable class.</param>
    /// <param name="conformal">The margins of sets of classes or of intervals; null for none.</param>
    /// <param name="statistics">How inputs and answers were distributed in training; null for unknown.</param>
    static member Create
        (
            network: Network<'T>,
            preprocessing: Preprocessing,
            classes: string seq,
            notes: IReadOnlyDictionary<string, string>,
            [<Optional>] decision: Decision | null,
            [<Optional>] conformal: Conformal | null,
            [<Optional>] statistics: TrainingStatistics | null
        ) : Model<'T> = {
        Network = network
        Preprocessing = preprocessing
        Classes = List.ofSeq classes
        Decision = ValueOption.ofObj decision
        Conformal = ValueOption.ofObj conformal
        Statistics = ValueOption.ofObj statistics
        Notes = [ for pair in notes -> pair.Key, pair.Value ]
    }

    /// <summary>Assumptions about a model whose file does not contain them.</summary>
    /// <param name="activation">The hidden layers' activation, or null.</param>
    /// <param name="head">The head, or null.</param>
    /// <param name="layers">The names of the layers from the input's side, or none.</param>
    /// <param name="architecture">What the layers are, as settings write them, or none.</param>
    /// <param name="shape">The shape of a sample, or null.</param>
    static member Defaults
        (
            activation: Activation | null,
            head: Head | null,
            layers: string seq,
            architecture: string seq,
            shape: Shape | null
        ) : ModelDefaults = {
        Activation = ValueOption.ofObj activation
        Head = ValueOption.ofObj head
        Layers = List.ofSeq layers
        Architecture = List.ofSeq architecture
        Shape = ValueOption.ofObj shape
    }
