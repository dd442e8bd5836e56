namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

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
    /// Share of samples that the network is right about, 0 to 1, as <c>Metrics.correct</c> counts.
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
        ArrayReuse.Return(Kernels.values sums)
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
                    $"expected parameters of %d{network.Architecture.Hidden.Length + 1} layers, found %d{network.Parameters.Layers.Length}"

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

    /// How inputs enter a network. Loops over bytes leave zeros out, which gives the bits of the loop over
    /// numbers where 0·w is 0: a first layer with a weight that is not finite takes them as numbers.
    let private enters (network: Network<'T>) : Inputs<'T> -> LayerInputs<'T> =
        if Kernels.areFinite (Kernels.values network.Parameters.Layers.Head.Weights) then
            Inputs.enter
        else
            Inputs.columns >> LayerInputs.Columns

    /// The same for a mini-batch.
    let private sums (network: Network<'T>) (batch: MiniBatch<'T>) : Matrix<'T> =
        batch.FirstInputs |> enters network |> sumsOf ValueNone network

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
        let enter = enters network

        ThreadTeam.run
            (int64 data.Count * network.Architecture.ParameterCount)
            (Dataset.partCount partSize data)
            (fun i ->
                let part = Dataset.part partSize i data
                act i part (part.FirstInputs |> enter |> sumsOf ValueNone network))

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
        Targets.argMax scores

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
    /// <c>Metrics.correct</c> counts.</summary>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Accuracy")>]
    let accuracy (network: Network<'T>) (batch: MiniBatch<'T>) : float =
        let right =
            sums network batch |> Metrics.correct network.Architecture.Head batch.Targets

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
            right[i] <- Metrics.correct head part.Targets sums)

        {
            Loss = Array.fold (+) 0.0 losses / float data.Count
            Accuracy = Array.fold (+) 0.0 right / float data.Count
        }
