namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// A hidden layer: an affine map to some units, then an activation.
type HiddenLayer = {
    /// How many units, 1 or more.
    Width: int
    /// What each unit makes of its sum.
    Activation: Activation
}

/// A stack of dense layers under softmax. The chapter's is 784 inputs, 50 sigmoid units, 10 classes.
type Architecture = private {
    inputs: int
    hidden: HiddenLayer list
    classes: int
} with

    /// Numbers in a sample.
    member architecture.Inputs = architecture.inputs
    /// The hidden layers, from the input's side; none makes softmax regression.
    member architecture.Hidden = architecture.hidden
    /// Classes to tell apart.
    member architecture.Classes = architecture.classes

    /// Inputs, hidden widths and classes: [784; 50; 10].
    member architecture.Sizes = [
        architecture.inputs
        for layer in architecture.hidden do
            layer.Width
        architecture.classes
    ]

    /// How many weights and biases there are.
    member architecture.ParameterCount =
        architecture.Sizes
        |> List.pairwise
        |> List.sumBy (fun (below, above) -> (int64 below + 1L) * int64 above)

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
    /// <param name="inputs">Numbers in a sample, 1 or more.</param>
    /// <param name="hidden">The hidden layers, each 1 to 65,536 wide.</param>
    /// <param name="classes">Classes, 2 or more.</param>
    [<CompiledName("Create")>]
    let create
        (inputs: int)
        (hidden: HiddenLayer list)
        (classes: int)
        : Result<Architecture, Fault list> =
        let widths = hidden |> List.map _.Width
        let isWidth width = width >= 1 && width <= MaximumWidth

        Fault.check
            [
                inputs >= 1, Fault.create "Inputs" "1 or more" $"{inputs}"
                classes >= 2 && classes <= MaximumWidth,
                Fault.create "Classes" $"2 to {MaximumWidth}" $"{classes}"
                for width in widths do
                    isWidth width,
                    Fault.create "Hidden" $"widths of 1 to {MaximumWidth} units" $"{width}"
                for below, above in List.pairwise [ inputs; yield! widths; classes ] do
                    // What is no width has a sentence of its own.
                    not (List.forall isWidth (classes :: widths))
                    || int64 below * int64 above <= int64 Array.MaxLength,
                    Fault.create
                        "Hidden"
                        $"layers of at most {Array.MaxLength} weights"
                        $"one of {below} × {above}"
            ]
            (fun () -> {
                inputs = inputs
                hidden = hidden
                classes = classes
            })

    /// <summary>A stack of dense layers with one activation for all hidden ones.</summary>
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
                    Activation = activation
                })

            match create inputs hidden classes[0] with
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
}

/// All parameters of a network, or the gradient in them: a layer each, from the input's side.
type Parameters<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = { Layers: Layer<'T> list }

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
                })
                first.Layers
                second.Layers
    }

    /// Every tensor's elements in their order in memory: W1, b1, W2, b2, …
    let internal tensors (parameters: Parameters<'T>) : (string * 'T[]) list =
        parameters.Layers
        |> List.mapi (fun i layer -> [
            $"W{i + 1}", Kernels.values layer.Weights
            $"b{i + 1}", Kernels.elements layer.Biases
        ])
        |> List.concat

    /// Parameters of these elements, shaped like others.
    let internal ofTensors (shape: Parameters<'T>) (tensors: 'U[] list) : Parameters<'U> = {
        Layers =
            List.map2
                (fun layer values ->
                    match values with
                    | [ weights; biases ] -> {
                        Weights =
                            weights
                            |> Kernels.matrix layer.Weights.RowCount layer.Weights.ColumnCount
                        Biases = Kernels.vector biases
                      }
                    | _ -> invalidArg (nameof tensors) "expected two a layer")
                shape.Layers
                (List.chunkBySize 2 tensors)
    }

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
        parameters |> mapTensors (fun _ values -> Array.zeroCreate values.Length)

    /// What `combine` makes of every two partner tensors.
    let internal mapTensors2
        (combine: 'T[] -> 'T[] -> 'T[])
        (first: Parameters<'T>)
        (second: Parameters<'T>)
        : Parameters<'T> =
        List.map2 (fun (_, x) (_, y) -> combine x y) (tensors first) (tensors second)
        |> ofTensors first

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
                        $"expected two vectors of one length, found {one.Biases.Count} and {other.Biases.Count}")
            one.Layers
            other.Layers

    /// <summary>How many numbers there are in all.</summary>
    [<CompiledName("Count")>]
    let count (parameters: Parameters<'T>) : int64 =
        tensors parameters |> List.sumBy (fun (_, values) -> int64 values.Length)

    /// <summary>All parameters in one vector: W1 column by column, b1, W2, b2, …</summary>
    [<CompiledName("ToVector")>]
    let toVector (parameters: Parameters<'T>) : Vector<'T> =
        tensors parameters |> List.map snd |> Array.concat |> Kernels.vector

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
        [|
            for _, values in tensors parameters do
                LittleEndian.bytes values
        |]
        |> Array.concat

/// An architecture with parameters.
type Network<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The layers' sizes and activations.
    Architecture: Architecture
    /// Their weights and biases.
    Parameters: Parameters<'T>
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
    /// What the activation kept.
    Kept: Matrix<'T>
    /// What its outputs were multiplied by.
    Mask: 'T[] voption
}

/// How well a network does on a data set.
[<Struct>]
type Score = {
    /// Mean cross entropy in nats, 0 or greater.
    Loss: float
    /// Share of samples whose greatest logit is their target's, 0 to 1.
    Accuracy: float
}

/// <summary>Networks: their first parameters, what they say, how well they do.</summary>
/// <remarks>Source: Deep Learning from Scratch, ch. 4, the two-layer network, for any number of
/// layers.</remarks>
[<RequireQualifiedAccess>]
module Network =
    /// <summary>A network at its start: biases are 0.</summary>
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
                    Weights =
                        initialiser
                        |> Initialiser.weights seed layer outputs inputs
                        |> Kernels.matrix outputs inputs
                    Biases = Kernels.vector (Array.zeroCreate outputs)
                })
        }
    }

    /// <summary>The network in the other precision, each parameter rounded to the nearest.</summary>
    [<CompiledName("Convert")>]
    let convert (network: Network<'T>) : Network<'U> = {
        Architecture = network.Architecture
        Parameters = Parameters.convert network.Parameters
    }

    /// The logits, and what the way back needs of the hidden layers, the last one first.
    let internal trace
        (dropout: Dropout voption)
        (network: Network<'T>)
        (inputs: LayerInputs<'T>)
        : struct (Matrix<'T> * Passed<'T> list * LayerInputs<'T>) =
        let affine layer x =
            LayerInputs.affine layer.Weights layer.Biases x

        let rec run i layers (hidden: HiddenLayer list) x passed =
            match layers, hidden with
            | layer :: rest, { Activation = activation } :: above ->
                let struct (output, kept) = affine layer x |> Activation.pass activation

                let struct (output, mask) =
                    match dropout with
                    | ValueNone -> struct (output, ValueNone)
                    | ValueSome dropout ->
                        let mask = Dropout.mask i (output.RowCount * output.ColumnCount) dropout

                        struct (Dropout.apply mask output, ValueSome mask)

                run
                    (i + 1)
                    rest
                    above
                    (LayerInputs.Columns output)
                    ({ Input = x; Kept = kept; Mask = mask } :: passed)
            | [ last ], [] -> struct (affine last x, passed, x)
            | _ ->
                invalidArg
                    (nameof network)
                    $"expected parameters of {network.Architecture.Hidden.Length + 1} layers, found {network.Parameters.Layers.Length}"

        run 0 network.Parameters.Layers network.Architecture.Hidden inputs []

    let private logitsOf
        (dropout: Dropout voption)
        (network: Network<'T>)
        (inputs: LayerInputs<'T>)
        : Matrix<'T> =
        let struct (logits, _, _) = trace dropout network inputs
        logits

    /// <summary>What the last layer gives, before softmax.</summary>
    /// <param name="network">The network.</param>
    /// <param name="inputs">X: (inputs, batch), a sample a column.</param>
    /// <returns>Logits: (classes, batch).</returns>
    /// <exception cref="T:System.ArgumentException">The inputs do not have the network's
    /// size.</exception>
    [<CompiledName("Forward")>]
    let forward (network: Network<'T>) (inputs: Matrix<'T>) : Matrix<'T> =
        logitsOf ValueNone network (LayerInputs.Columns inputs)

    /// The same for a mini-batch.
    let private logits (network: Network<'T>) (batch: MiniBatch<'T>) : Matrix<'T> =
        batch.FirstInputs |> Inputs.enter (logitsOf ValueNone network)

    /// <summary>The probability of every class.</summary>
    /// <param name="network">The network.</param>
    /// <param name="inputs">X: (inputs, batch).</param>
    /// <returns>(classes, batch); every column sums to 1.</returns>
    /// <exception cref="T:System.ArgumentException">The inputs do not have the network's
    /// size.</exception>
    [<CompiledName("Predict")>]
    let predict (network: Network<'T>) (inputs: Matrix<'T>) : Matrix<'T> =
        forward network inputs |> Activation.softmax

    /// So many samples at a time fit the caches.
    let private partSize = 128

    /// What `act` makes of each part of a data set; several threads share the parts.
    let private overParts
        (network: Network<'T>)
        (data: Dataset<'T>)
        (act: int -> MiniBatch<'T> -> Matrix<'T> -> unit)
        : unit =
        Work.share
            (int64 data.Count * network.Architecture.ParameterCount)
            (Dataset.partCount partSize data)
            (fun i ->
                let part = Dataset.part partSize i data
                act i part (logits network part))

    /// <summary>The probability of every class for every sample of a data set.</summary>
    /// <param name="network">The network.</param>
    /// <param name="data">The samples.</param>
    /// <returns>(classes, samples); every column sums to 1.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    [<CompiledName("Probabilities")>]
    let probabilities (network: Network<'T>) (data: Dataset<'T>) : Matrix<'T> =
        let classes = network.Architecture.Classes
        let all = Kernels.newArray classes data.Count

        overParts network data (fun i part logits ->
            let found = Kernels.values (Activation.softmax logits)
            Array.blit found 0 all (i * partSize * classes) (part.Count * classes))

        Kernels.matrix classes data.Count all

    /// <summary>The row of each column's greatest element; the first of equals.</summary>
    [<CompiledName("Classify")>]
    let classify (scores: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : int[] =
        Targets.mostProbable scores

    /// How many of the columns have their greatest element where their target has it.
    let private correct (targets: Targets<'T>) (logits: Matrix<'T>) : int =
        let expected =
            match targets with
            | Targets.Labels labels -> labels
            | Targets.Distributions columns -> classify columns

        Array.fold2 (fun n a b -> if a = b then n + 1 else n) 0 expected (classify logits)

    /// <summary>The mean cross entropy of a mini-batch.</summary>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Loss")>]
    let loss (network: Network<'T>) (batch: MiniBatch<'T>) : 'T =
        logits network batch |> Loss.crossEntropy batch.Targets

    /// <summary>The mean cross entropy of a mini-batch without the hidden units that a step of training
    /// leaves out: the function whose slope <c>Gradient.backwardWithDropout</c> gives.</summary>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("LossWithDropout")>]
    let lossWithDropout (dropout: Dropout) (network: Network<'T>) (batch: MiniBatch<'T>) : 'T =
        batch.FirstInputs
        |> Inputs.enter (logitsOf (ValueSome dropout) network)
        |> Loss.crossEntropy batch.Targets

    /// <summary>The share of a mini-batch that the network classifies as its targets do, 0 to 1.</summary>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Accuracy")>]
    let accuracy (network: Network<'T>) (batch: MiniBatch<'T>) : float =
        let right = logits network batch |> correct batch.Targets
        float right / float batch.Count

    /// <summary>Loss and accuracy over a whole data set, a part at a time.</summary>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    [<CompiledName("Evaluate")>]
    let evaluate (network: Network<'T>) (data: Dataset<'T>) : Score =
        let parts = Dataset.partCount partSize data
        let losses: float[] = Array.zeroCreate parts
        let right: int[] = Array.zeroCreate parts

        overParts network data (fun i part logits ->
            let mean = Loss.crossEntropy part.Targets logits
            losses[i] <- Double.CreateTruncating mean * float part.Count
            right[i] <- correct part.Targets logits)

        {
            Loss = Array.fold (+) 0.0 losses / float data.Count
            Accuracy = float (Array.sum right) / float data.Count
        }
