namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// A hidden layer: an affine map to some units, then an activation.
type HiddenLayer = {
    /// How many units, 1 or more.
    Width: int
    /// Whether every unit's sums are normalised over the mini-batch before the activation.
    Normalised: bool
    /// What each unit makes of its sum.
    Activation: Activation
}

/// A stack of dense layers under a head. The chapter's is 784 inputs, 50 sigmoid units, and softmax of 10
/// classes.
type Architecture = private {
    inputs: int
    hidden: HiddenLayer list
    outputs: int
    head: Head
} with

    /// Numbers in a sample.
    member architecture.Inputs = architecture.inputs
    /// The hidden layers, from the input's side; none makes softmax regression.
    member architecture.Hidden = architecture.hidden
    /// Classes to tell apart, or numbers to give.
    member architecture.Outputs = architecture.outputs
    /// What the outputs stand for.
    member architecture.Head = architecture.head

    /// Inputs, hidden widths and outputs: [784; 50; 10].
    member architecture.Sizes = [
        architecture.inputs
        for layer in architecture.hidden do
            layer.Width
        architecture.outputs
    ]

    /// How many parameters there are.
    member architecture.ParameterCount =
        architecture.Sizes
        |> List.pairwise
        |> List.sumBy (fun (below, above) -> (int64 below + 1L) * int64 above)
        |> (+) (
            architecture.hidden
            |> List.sumBy (fun layer -> if layer.Normalised then int64 layer.Width else 0L)
        )

    /// The sizes as people write them: 784-50-10.
    override architecture.ToString() =
        architecture.Sizes |> List.map string |> String.concat "-"

/// Making architectures.
[<RequireQualifiedAccess>]
module Architecture =
    /// The widest layer there may be.
    [<Literal>]
    let MaximumWidth = 65536

    /// <summary>The architecture of these sizes, or what is wrong with them.</summary>
    /// <param name="head">What the outputs stand for.</param>
    /// <param name="inputs">Numbers in a sample, 1 or more.</param>
    /// <param name="hidden">The hidden layers, each 1 to 65,536 wide.</param>
    /// <param name="outputs">Numbers that come out, 1 or more; classes under softmax, 2 or more.</param>
    [<CompiledName("Create")>]
    let create
        (head: Head)
        (inputs: int)
        (hidden: HiddenLayer list)
        (outputs: int)
        : Result<Architecture, Fault list> =
        let fewest = if head = Head.Softmax then 2 else 1
        let widths = hidden |> List.map _.Width
        let isWidth width = width >= 1 && width <= MaximumWidth

        Fault.check
            [
                inputs >= 1, Fault.create "Inputs" "1 or more" $"{inputs}"
                outputs >= fewest && outputs <= MaximumWidth,
                Fault.create "Classes" $"{fewest} to {MaximumWidth}" $"{outputs}"
                for width in widths do
                    isWidth width,
                    Fault.create "Hidden" $"widths of 1 to {MaximumWidth} units" $"{width}"
                for below, above in List.pairwise [ inputs; yield! widths; outputs ] do
                    // What is no width has a sentence of its own.
                    not (List.forall isWidth (outputs :: widths))
                    || int64 below * int64 above <= int64 Array.MaxLength,
                    Fault.create
                        "Hidden"
                        $"layers of at most {Array.MaxLength} weights"
                        $"one of {below} × {above}"
            ]
            (fun () -> {
                inputs = inputs
                hidden = hidden
                outputs = outputs
                head = head
            })

    /// The architecture with no layer normalised.
    let internal plain (architecture: Architecture) : Architecture = {
        architecture with
            hidden =
                architecture.hidden |> List.map (fun layer -> { layer with Normalised = false })
    }

    /// <summary>A stack of dense layers under softmax, with one activation for all hidden
    /// ones.</summary>
    /// <param name="activation">The hidden layers' activation.</param>
    /// <param name="sizes">Inputs, hidden widths, classes: [784; 50; 10] is the chapter's.</param>
    /// <exception cref="T:System.ArgumentException">There are fewer than two sizes, or one is out of
    /// range.</exception>
    [<CompiledName("Dense")>]
    let dense (activation: Activation) (sizes: int list) : Architecture =
        match sizes with
        | inputs :: (_ :: _ as rest) ->
            let widths, classes = List.splitAt (rest.Length - 1) rest

            let hidden =
                widths
                |> List.map (fun width -> {
                    Width = width
                    Normalised = false
                    Activation = activation
                })

            match create Head.Softmax inputs hidden classes[0] with
            | Ok architecture -> architecture
            | Error faults ->
                invalidArg (nameof sizes) (faults |> List.map string |> String.concat " ")
        | _ -> invalidArg (nameof sizes) $"expected two sizes or more, found {sizes.Length}"

/// The parameters of a dense layer, or the gradient in them.
type Layer<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// W: (outputs, inputs). In memory the book's (inputs, outputs) row by row.
    Weights: Matrix<'T>
    /// b: outputs.
    Biases: Vector<'T>
    /// γ: outputs, where the layer is normalised.
    Gain: Vector<'T> voption
}

/// All parameters of a network, or the gradient in them: a layer each, from the input's side.
type Parameters<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// From the input's side.
    Layers: Layer<'T> list
}

/// Whole-network arithmetic and the way to and from flat arrays.
[<RequireQualifiedAccess>]
module Parameters =
    /// <summary>Two parameter records made one, partner by partner.</summary>
    /// <param name="weights">What to make of two partner matrices.</param>
    /// <param name="biases">What to make of two partner vectors.</param>
    /// <param name="first">One record.</param>
    /// <param name="second">The other, with as many layers.</param>
    /// <exception cref="T:System.ArgumentException">The numbers of layers differ.</exception>
    [<CompiledName("Map2")>]
    let map2
        (weights: Matrix<'T> -> Matrix<'T> -> Matrix<'U>)
        (biases: Vector<'T> -> Vector<'T> -> Vector<'U>)
        (first: Parameters<'T>)
        (second: Parameters<'T>)
        : Parameters<'U> = {
        Layers =
            List.map2
                (fun one other -> {
                    Weights = weights one.Weights other.Weights
                    Biases = biases one.Biases other.Biases
                    Gain =
                        match one.Gain, other.Gain with
                        | ValueSome gain, ValueSome partner -> ValueSome(biases gain partner)
                        | _ -> ValueNone
                })
                first.Layers
                second.Layers
    }

    /// Every tensor's elements in their order in memory: of W1, b1, W2, b2, …; after b1 of g1, where the
    /// layer has a gain.
    let internal arrays (parameters: Parameters<'T>) : 'T[] list = [
        for layer in parameters.Layers do
            Kernels.values layer.Weights
            Kernels.elements layer.Biases

            match layer.Gain with
            | ValueSome gain -> Kernels.elements gain
            | ValueNone -> ()
    ]

    /// The same with the tensors' names.
    let internal tensors (parameters: Parameters<'T>) : (string * 'T[]) list =
        let names =
            parameters.Layers
            |> List.mapi (fun i layer -> [
                $"W{i + 1}"
                $"b{i + 1}"
                if layer.Gain.IsSome then
                    $"g{i + 1}"
            ])
            |> List.concat

        List.zip names (arrays parameters)

    /// Parameters of these elements, shaped like others.
    let internal ofTensors (shape: Parameters<'T>) (tensors: 'U[] list) : Parameters<'U> =
        let rec take (layers: Layer<'T> list) tensors =
            match layers, tensors with
            | layer :: rest, weights :: biases :: others ->
                let struct (gain, others) =
                    match layer.Gain, others with
                    | ValueSome _, gain :: others -> struct (ValueSome(Kernels.vector gain), others)
                    | _ -> struct (ValueNone, others)

                {
                    Weights =
                        weights |> Kernels.matrix layer.Weights.RowCount layer.Weights.ColumnCount
                    Biases = Kernels.vector biases
                    Gain = gain
                }
                :: take rest others
            | _ -> []

        { Layers = take shape.Layers tensors }

    /// The parameters with other elements: `replace` takes each tensor's name and elements.
    let internal mapTensors
        (replace: string -> 'T[] -> 'U[])
        (parameters: Parameters<'T>)
        : Parameters<'U> =
        tensors parameters
        |> List.map (fun (name, values) -> replace name values)
        |> ofTensors parameters

    /// Zeros of the parameters' shape.
    let internal zeros (parameters: Parameters<'T>) : Parameters<'T> =
        arrays parameters
        |> List.map (fun values -> Array.zeroCreate values.Length)
        |> ofTensors parameters

    /// What `combine` makes of every two partner tensors.
    let internal mapTensors2
        (combine: 'T[] -> 'T[] -> 'T[])
        (first: Parameters<'T>)
        (second: Parameters<'T>)
        : Parameters<'T> =
        List.map2 combine (arrays first) (arrays second) |> ofTensors first

    /// A caller's slip where two records differ in shape.
    let internal requireSameShape
        (name: string)
        (one: Parameters<'T>)
        (other: Parameters<'T>)
        : unit =
        if one.Layers.Length <> other.Layers.Length then
            invalidArg
                name
                $"expected as many layers in both, found {one.Layers.Length} and {other.Layers.Length}"

        List.iter2
            (fun one other ->
                Kernels.requireSameShape name one.Weights other.Weights

                if one.Biases.Count <> other.Biases.Count then
                    invalidArg
                        name
                        $"expected two vectors of one length, found {one.Biases.Count} and {other.Biases.Count}"

                if one.Gain.IsSome <> other.Gain.IsSome then
                    invalidArg name "expected a gain in both or in neither, found one")
            one.Layers
            other.Layers

    /// <summary>How many numbers there are in all.</summary>
    [<CompiledName("Count")>]
    let count (parameters: Parameters<'T>) : int64 =
        arrays parameters |> List.sumBy (fun values -> int64 values.Length)

    /// <summary>All parameters in one vector: W1 column by column, b1, W2, b2, …</summary>
    [<CompiledName("ToVector")>]
    let toVector (parameters: Parameters<'T>) : Vector<'T> =
        arrays parameters |> Array.concat |> Kernels.vector

    /// <summary>The parameters in the other precision, each number rounded to the nearest.</summary>
    [<CompiledName("Convert")>]
    let convert
        (parameters: Parameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Parameters<'U> when 'U :> IBinaryFloatingPointIeee754<'U> =
        mapTensors
            (fun _ values ->
                match box values with
                | :? ('U[]) as same -> Array.copy same
                | _ -> values |> Array.map (fun x -> 'U.CreateTruncating x))
            parameters

    /// <summary>The bytes of all parameters, little-endian, in <c>toVector</c>'s order: what a hash of a
    /// run is taken of.</summary>
    [<CompiledName("ToBytes")>]
    let toBytes (parameters: Parameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : byte[] =
        arrays parameters |> List.map LittleEndian.bytes |> Array.concat

/// An architecture with parameters.
type Network<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The layers' sizes and activations.
    Architecture: Architecture
    /// Their weights, biases and gains.
    Parameters: Parameters<'T>
    /// The running moments of the layers that are normalised, from the input's side.
    Running: Moments<'T> list
}

/// What a hidden layer's forward pass leaves for the way back.
type internal Passed<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// What came in.
    Input: LayerInputs<'T>
    /// The sums standardised, where the layer is normalised.
    Standardised: Standardised<'T> voption
    /// What the activation kept.
    Kept: Matrix<'T>
    /// What its outputs were multiplied by.
    Mask: 'T[] voption
}

/// How well a network does on a data set.
[<Struct>]
type Score = {
    /// Mean loss, 0 or greater: of softmax, cross entropy in nats.
    Loss: float
    /// Share of samples that the network is right about, 0 to 1, as <c>Metrics.right</c> counts.
    Accuracy: float
}

/// <summary>Networks: their first parameters, what they say, how well they do.</summary>
/// <remarks>Source: Deep Learning from Scratch, ch. 4, the two-layer network, for any number of
/// layers.</remarks>
[<RequireQualifiedAccess>]
module Network =
    /// <summary>A network at its start: biases are 0, gains 1.</summary>
    /// <param name="initialiser">How the weights begin: the book's is
    /// <c>Initialiser.Fixed 0.01</c>.</param>
    /// <param name="seed">The run's seed. Both precisions start from the same numbers,
    /// rounded.</param>
    /// <param name="architecture">The layers.</param>
    [<CompiledName("Initialise")>]
    let initialise
        (initialiser: Initialiser)
        (seed: uint64)
        (architecture: Architecture)
        : Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T> = {
        Architecture = architecture
        Parameters = {
            Layers =
                architecture.Sizes
                |> List.pairwise
                |> List.mapi (fun layer (inputs, outputs) -> {
                    Gain =
                        match List.tryItem layer architecture.Hidden with
                        | Some { Normalised = true } ->
                            ValueSome(Kernels.vector (Array.create outputs 'T.One))
                        | _ -> ValueNone
                    Weights =
                        initialiser
                        |> Initialiser.weights seed layer outputs inputs
                        |> Kernels.matrix outputs inputs
                    Biases = Kernels.vector (Array.zeroCreate outputs)
                })
        }
        Running = [
            for layer in architecture.Hidden do
                if layer.Normalised then
                    Normalisation.start layer.Width
        ]
    }

    /// <summary>The network in the other precision, each parameter rounded to the nearest.</summary>
    [<CompiledName("Convert")>]
    let convert
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Network<'U> when 'U :> IBinaryFloatingPointIeee754<'U> = {
        Architecture = network.Architecture
        Parameters = Parameters.convert network.Parameters
        Running =
            network.Running
            |> List.map (fun moments ->
                let convert vector =
                    Kernels.elements vector
                    |> Array.map (fun (x: 'T) -> 'U.CreateTruncating x)
                    |> Kernels.vector

                {
                    Mean = convert moments.Mean
                    Variance = convert moments.Variance
                })
    }

    /// The same network without normalised layers: weights and biases do what their gains and running
    /// moments did.
    let internal folded (network: Network<'T>) : Network<'T> =
        if network.Running.IsEmpty then
            network
        else
            let rec fold layers running =
                match layers, running with
                | { Gain = ValueSome gain } as layer :: rest, moments :: others ->
                    let struct (weights, biases) =
                        Normalisation.fold moments gain layer.Weights layer.Biases

                    {
                        Weights = weights
                        Biases = biases
                        Gain = ValueNone
                    }
                    :: fold rest others
                | layer :: rest, _ -> layer :: fold rest running
                | [], _ -> []

            {
                Architecture = Architecture.plain network.Architecture
                Parameters = {
                    Layers = fold network.Parameters.Layers network.Running
                }
                Running = []
            }

    let private noBiases (layer: Layer<'T>) : Vector<'T> =
        Kernels.vector (Array.zeroCreate layer.Biases.Count)

    /// A normalised layer's sums standardised: by the mini-batch's own moments in training, else by the
    /// running ones.
    let private standardise inTraining (running: Moments<'T>) (sums: Matrix<'T>) =
        let moments = if inTraining then Normalisation.moments sums else running
        let standardised = Normalisation.standardise inTraining moments sums
        Spare.Give(Kernels.values sums)
        standardised

    /// The last layer's sums, and what the way back needs of the hidden layers, the last one first. With
    /// a dropout, as a step of training sees it.
    let internal trace
        (dropout: Dropout voption)
        (network: Network<'T>)
        (inputs: LayerInputs<'T>)
        : struct (Matrix<'T> * Passed<'T> list * LayerInputs<'T>) =
        let rec run i layers (hidden: HiddenLayer list) running x passed =
            match layers, hidden with
            | layer :: rest, { Activation = activation } :: above ->
                let struct (sums, standardised, running) =
                    match layer.Gain, running with
                    | ValueSome gain, moments :: others ->
                        let standardised =
                            LayerInputs.affine layer.Weights (noBiases layer) x
                            |> standardise dropout.IsSome moments

                        struct (Normalisation.apply gain layer.Biases standardised,
                                ValueSome standardised,
                                others)
                    | _ ->
                        struct (LayerInputs.affine layer.Weights layer.Biases x, ValueNone, running)

                let struct (output, kept) = Activation.pass activation sums

                let struct (output, mask) =
                    match dropout with
                    | ValueSome dropout when dropout.Share > 0.0 ->
                        let mask = Dropout.mask i (output.RowCount * output.ColumnCount) dropout
                        struct (Dropout.apply mask output, ValueSome mask)
                    | _ -> struct (output, ValueNone)

                run
                    (i + 1)
                    rest
                    above
                    running
                    (LayerInputs.Columns output)
                    ({
                        Input = x
                        Standardised = standardised
                        Kept = kept
                        Mask = mask
                     }
                     :: passed)
            | [ last ], [] -> struct (LayerInputs.affine last.Weights last.Biases x, passed, x)
            | _ ->
                invalidArg
                    (nameof network)
                    $"expected parameters of {network.Architecture.Hidden.Length + 1} layers, found {network.Parameters.Layers.Length}"

        run 0 network.Parameters.Layers network.Architecture.Hidden network.Running inputs []

    let private sumsOf
        (dropout: Dropout voption)
        (network: Network<'T>)
        (inputs: LayerInputs<'T>)
        : Matrix<'T> =
        let struct (sums, _, _) = trace dropout network inputs
        sums

    /// The network whose running moments have followed those of a mini-batch.
    let internal follow
        (count: int)
        (passed: Passed<'T> list)
        (network: Network<'T>)
        : Network<'T> =
        if network.Running.IsEmpty then
            network
        else
            let own = [
                for passed in List.rev passed do
                    match passed.Standardised with
                    | ValueSome standardised -> standardised.Moments
                    | ValueNone -> ()
            ]

            {
                network with
                    Running = List.map2 (Normalisation.follow count) own network.Running
            }

    /// The same from the mini-batch itself.
    let internal followed
        (dropout: Dropout)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : Network<'T> =
        if network.Running.IsEmpty then
            network
        else
            let struct (_, passed, _) =
                batch.FirstInputs |> Inputs.enter |> trace (ValueSome dropout) network

            follow batch.Count passed network

    /// <summary>What the last layer gives, before the head: logits, or the numbers
    /// themselves.</summary>
    /// <param name="network">The network.</param>
    /// <param name="inputs">X: (inputs, batch), a sample a column.</param>
    /// <returns>(outputs, batch).</returns>
    /// <exception cref="T:System.ArgumentException">The inputs do not have the network's
    /// size.</exception>
    [<CompiledName("Forward")>]
    let forward (network: Network<'T>) (inputs: Matrix<'T>) : Matrix<'T> =
        sumsOf ValueNone network (LayerInputs.Columns inputs)

    /// The same for a mini-batch.
    let private sums (network: Network<'T>) (batch: MiniBatch<'T>) : Matrix<'T> =
        batch.FirstInputs |> Inputs.enter |> sumsOf ValueNone network

    /// <summary>What the network says: the probability of every class, or what else its head makes of
    /// the sums.</summary>
    /// <param name="network">The network.</param>
    /// <param name="inputs">X: (inputs, batch).</param>
    /// <returns>(outputs, batch); under softmax every column sums to 1.</returns>
    /// <exception cref="T:System.ArgumentException">The inputs do not have the network's
    /// size.</exception>
    [<CompiledName("Predict")>]
    let predict (network: Network<'T>) (inputs: Matrix<'T>) : Matrix<'T> =
        forward network inputs |> Head.apply network.Architecture.Head

    /// So many samples at a time fit the caches.
    let private partSize = 128

    /// What `act` makes of each part of a data set; several threads share the parts.
    let private overParts
        (network: Network<'T>)
        (data: Dataset<'T>)
        (act: int -> MiniBatch<'T> -> Matrix<'T> -> unit)
        : unit =
        let network = folded network

        Work.share
            (int64 data.Count * network.Architecture.ParameterCount)
            (Dataset.partCount partSize data)
            (fun i ->
                let part = Dataset.part partSize i data
                act i part (sums network part))

    /// What `convert` makes of the last layer's sums of every sample of a data set.
    let private ofAll
        (convert: Matrix<'T> -> Matrix<'T>)
        (network: Network<'T>)
        (data: Dataset<'T>)
        : Matrix<'T> =
        let outputs = network.Architecture.Outputs
        let all = Kernels.newArray outputs data.Count

        overParts network data (fun i part sums ->
            let found = Kernels.values (convert sums)
            Array.blit found 0 all (i * partSize * outputs) (part.Count * outputs))

        Kernels.matrix outputs data.Count all

    /// What the last layer gives for every sample of a data set: (outputs, samples).
    let internal sumsOfAll (network: Network<'T>) (data: Dataset<'T>) : Matrix<'T> =
        ofAll id network data

    /// <summary>What the network says of every sample of a data set.</summary>
    /// <param name="network">The network.</param>
    /// <param name="data">The samples.</param>
    /// <returns>(outputs, samples); under softmax probabilities, every column of which sums to
    /// 1.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    [<CompiledName("Probabilities")>]
    let probabilities (network: Network<'T>) (data: Dataset<'T>) : Matrix<'T> =
        ofAll (Head.apply network.Architecture.Head) network data

    /// <summary>The row of each column's greatest element; the first of equals.</summary>
    [<CompiledName("Classify")>]
    let classify (scores: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : int[] =
        Targets.mostProbable scores

    /// <summary>The mean loss of a mini-batch, of the kind that fits the head.</summary>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Loss")>]
    let loss (network: Network<'T>) (batch: MiniBatch<'T>) : 'T =
        sums network batch |> Loss.ofHead network.Architecture.Head batch.Targets

    /// <summary>The mean loss of a mini-batch as a step of training sees it: some hidden units are left
    /// out, and normalised layers take the mini-batch's own moments. The function whose slope
    /// <c>Gradient.backwardInTraining</c> gives.</summary>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("LossInTraining")>]
    let lossInTraining (dropout: Dropout) (network: Network<'T>) (batch: MiniBatch<'T>) : 'T =
        batch.FirstInputs
        |> Inputs.enter
        |> sumsOf (ValueSome dropout) network
        |> Loss.ofHead network.Architecture.Head batch.Targets

    /// <summary>The share of a mini-batch that the network is right about, 0 to 1, as
    /// <c>Metrics.right</c> counts.</summary>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Accuracy")>]
    let accuracy (network: Network<'T>) (batch: MiniBatch<'T>) : float =
        let right =
            sums network batch |> Metrics.right network.Architecture.Head batch.Targets

        right / float batch.Count

    /// <summary>Loss and accuracy over a whole data set, a part at a time.</summary>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    [<CompiledName("Evaluate")>]
    let evaluate (network: Network<'T>) (data: Dataset<'T>) : Score =
        let parts = Dataset.partCount partSize data
        let losses: float[] = Array.zeroCreate parts
        let right: float[] = Array.zeroCreate parts
        let head = network.Architecture.Head

        overParts network data (fun i part sums ->
            let mean = Loss.ofHead head part.Targets sums
            losses[i] <- Double.CreateTruncating mean * float part.Count
            right[i] <- Metrics.right head part.Targets sums)

        {
            Loss = Array.fold (+) 0.0 losses / float data.Count
            Accuracy = Array.fold (+) 0.0 right / float data.Count
        }
