namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// How well a network does on a data set.
[<Struct>]
type Score = {
    /// Mean loss, 0 or greater: of softmax, cross entropy in nats.
    Loss: float
    /// Fraction of samples that are predicted correctly, 0 to 1. A sample of independent yes-or-no answers
    /// counts with the fraction of its answers that are correct. NaN for numbers to predict.
    Accuracy: float
}

/// <summary>Networks: their first parameters, their predictions, and how good these are.</summary>
/// <remarks>Source: Deep Learning from Scratch, ch. 4, the two-layer network, for any number of
/// layers.</remarks>
[<RequireQualifiedAccess>]
module Network =
    /// <summary>A network before its first step.</summary>
    /// <param name="initialiser">How the weights begin: the book's is
    /// <c>Initialiser.Fixed 0.01</c>. Biases begin at 0.</param>
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
            Layers = [
                for place in architecture.Places do
                    if not place.Parameters.IsEmpty then
                        place.Layer.Initialise(
                            initialiser,
                            seed,
                            place.MatrixLayersBelow,
                            place.Input
                        )
            ]
        }
        Running = [
            for place in architecture.Places do
                if not place.Running.IsEmpty then
                    place.Layer.InitialiseRunning place.Input
        ]
    }

    /// <summary>The network in the other precision, each number rounded to the nearest.</summary>
    [<CompiledName("Convert")>]
    let convert
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Network<'U> when 'U :> IBinaryFloatingPointIeee754<'U> = {
        Architecture = network.Architecture
        Parameters = Parameters.convert network.Parameters
        Running = (Parameters.convert { Layers = network.Running }).Layers
    }

    let private outputOf (network: Network<'T>) (inputs: Inputs<'T>) : Matrix<'T> =
        (LayerChain.evaluate (ForwardPass.layers network) inputs).Numbers

    /// <summary>What the last layer gives, before the head: logits, or the numbers
    /// themselves.</summary>
    /// <param name="network">The network.</param>
    /// <param name="inputs">X: (inputs, batch), a sample a column.</param>
    /// <returns>(outputs, batch).</returns>
    /// <exception cref="T:System.ArgumentException">The inputs do not have the network's
    /// size.</exception>
    /// <remarks>Layers one after the other, as they are. <c>probabilities</c>, <c>evaluate</c> and
    /// <c>Predictor</c> let a dense layer or a convolution take over the batch normalisation above it, so that their last
    /// digits differ; <c>Trainer.currentNetwork</c> is a network in which that is done.</remarks>
    [<CompiledName("Forward")>]
    let forward (network: Network<'T>) (inputs: Matrix<'T>) : Matrix<'T> =
        outputOf network (Inputs.Columns inputs)

    /// How inputs enter a network. Loops over bytes leave zeros out, which gives the bits of the loop over
    /// numbers where 0·w is 0: a first layer with a weight that is not finite takes them as numbers.
    let internal enters (network: Network<'T>) : Inputs<'T> -> Inputs<'T> =
        let areFinite =
            match network.Parameters.Layers with
            | first :: _ ->
                first.Matrices
                |> List.forall (fun (_, matrix) -> Kernels.areFinite (Kernels.values matrix))
            | [] -> true

        if areFinite then
            id
        else
            fun inputs -> Inputs.Columns inputs.Numbers

    /// The same for a mini-batch.
    let private logits (network: Network<'T>) (batch: MiniBatch<'T>) : Matrix<'T> =
        batch.FirstInputs |> enters network |> outputOf network

    /// <summary>The network's predictions: the probability of each class, or the output of its other
    /// heads.</summary>
    /// <param name="network">The network.</param>
    /// <param name="inputs">X: (inputs, batch).</param>
    /// <returns>(outputs, batch); under softmax every column sums to 1.</returns>
    /// <exception cref="T:System.ArgumentException">The inputs do not have the network's
    /// size.</exception>
    [<CompiledName("Predict")>]
    let predict (network: Network<'T>) (inputs: Matrix<'T>) : Matrix<'T> =
        forward network inputs |> Head.apply network.Architecture.Head

    /// The samples of a part of a data set, for whose targets there is one loss.
    let private partSize = 128

    /// The numbers that stay in a processor's cache.
    let private cached = 1 <<< 18

    /// What `f` gives for each part of a data set: for its number, its samples and the last layer's outputs. Several
    /// threads share the parts. `take` gives the samples at some indices. Of wide layers so few samples at a time are
    /// computed that their numbers stay in the cache.
    let private mapParts
        (take: int[] -> MiniBatch<'T>)
        (network: Network<'T>)
        (data: Dataset<'T>)
        (f: int -> MiniBatch<'T> -> Matrix<'T> -> 'R)
        : 'R[] =
        let network = ForwardPass.folded network
        let enter = enters network
        let layers = ForwardPass.layers network
        let lanes = SampleLanes.Count
        let block = max lanes (cached / network.Architecture.Widest / lanes * lanes)

        // Of the samples, only targets and weights are needed afterwards.
        let logitsOf (batch: MiniBatch<'T>) =
            let logits = (batch.FirstInputs |> enter |> LayerChain.evaluate layers).Numbers

            if not (MiniBatch.refersTo (Kernels.values logits) batch) then
                MiniBatch.release batch

            logits

        let results = Array.zeroCreate (Dataset.partCount partSize data)
        let scope = ArrayReuse<'T>.Scopes()

        ThreadTeam.run
            (int64 data.Count * network.Architecture.ParameterCount)
            results.Length
            (fun i ->
                let indices = Dataset.part partSize i data

                results[i] <-
                    scope (fun () ->
                        let part = take indices

                        let logits =
                            if block < indices.Length then
                                indices
                                |> Array.chunkBySize block
                                |> Array.map (take >> logitsOf)
                                |> Kernels.joinColumns network.Architecture.Outputs
                            else
                                logitsOf part

                        f i part logits))

        results

    /// The last layer's outputs for every sample of a data set, converted part by part.
    let private ofAll
        (convert: Matrix<'T> -> Matrix<'T>)
        (network: Network<'T>)
        (data: Dataset<'T>)
        : Matrix<'T> =
        NumberRange.require (nameof data) NumberRange.oneOrMore data.Count

        let mapParts f =
            mapParts (fun indices -> Dataset.take indices data) network data f

        if data.Count <= partSize then
            mapParts (fun _ _ logits -> convert logits) |> Array.exactlyOne
        else
            let outputs = network.Architecture.Outputs
            let all = Kernels.newArray outputs data.Count

            mapParts (fun i part logits ->
                let found = Kernels.values (convert logits)
                Array.blit found 0 all (i * partSize * outputs) (part.Count * outputs))
            |> ignore<unit[]>

            Kernels.matrix outputs data.Count all

    /// What the last layer gives for every sample of a data set: (outputs, samples).
    let internal sumsOfAll (network: Network<'T>) (data: Dataset<'T>) : Matrix<'T> =
        ofAll id network data

    /// <summary>The network's predictions for every sample of a data set.</summary>
    /// <param name="network">The network.</param>
    /// <param name="data">The samples.</param>
    /// <returns>(outputs, samples); under softmax probabilities, every column of which sums to
    /// 1.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size, or there are no
    /// samples.</exception>
    [<CompiledName("Probabilities")>]
    let probabilities (network: Network<'T>) (data: Dataset<'T>) : Matrix<'T> =
        ofAll (Head.apply network.Architecture.Head) network data

    /// <summary>The row of each column's greatest element; the first of equals.</summary>
    /// <exception cref="T:System.ArgumentException">An element is not a number, so none is the greatest.</exception>
    [<CompiledName("Classify")>]
    let classify (scores: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : int[] =
        match Kernels.values scores |> Array.tryFindIndex 'T.IsNaN with
        | Some place ->
            invalidArg
                (nameof scores)
                (invariant
                    $"expected numbers, found one that is not a number in row {place % scores.RowCount}, column {place / scores.RowCount}")
        | None -> Targets.argMax scores

    /// <summary>The mean loss of a mini-batch, of the kind that fits the head.</summary>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Loss")>]
    let loss (network: Network<'T>) (batch: MiniBatch<'T>) : 'T =
        logits network batch |> Loss.ofSamples network.Architecture.Head batch

    /// <summary>The mean loss of a mini-batch as a step of training sees it: dropout leaves units out, and
    /// normalised layers take the mini-batch's own moments. The function whose gradient
    /// <c>Gradient.backwardInTraining</c> gives.</summary>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    let internal lossInTraining
        (step: TrainingStep)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : 'T =
        let traced = ForwardPass.trace (ValueSome step) network batch.FirstInputs

        (List.head traced).Output.Output.Numbers
        |> Loss.ofSamples network.Architecture.Head batch

    /// <summary>The fraction of a mini-batch that the network predicts correctly, 0 to 1, counted like
    /// <c>Score.Accuracy</c>.</summary>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Accuracy")>]
    let accuracy (network: Network<'T>) (batch: MiniBatch<'T>) : float =
        let correct =
            logits network batch |> Metrics.correct network.Architecture.Head batch.Targets

        correct / float batch.Count

    /// Loss and accuracy over a data set, the samples at some indices given by `take`.
    let internal evaluateTaken
        (take: int[] -> MiniBatch<'T>)
        (network: Network<'T>)
        (data: Dataset<'T>)
        : Score =
        let head = network.Architecture.Head

        let parts =
            mapParts take network data (fun _ part logits ->
                let mean = Loss.ofSamples head part logits

                struct (Double.CreateTruncating mean * float part.Count,
                        Metrics.correct head part.Targets logits))

        let sum select =
            Array.fold (fun sum part -> sum + select part) 0.0 parts

        {
            Loss = sum (fun (struct (loss, _)) -> loss) / float data.Count
            Accuracy = sum (fun (struct (_, correct)) -> correct) / float data.Count
        }

    /// <summary>Loss and accuracy over a whole data set, a part at a time.</summary>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    [<CompiledName("Evaluate")>]
    let evaluate (network: Network<'T>) (data: Dataset<'T>) : Score =
        evaluateTaken (fun indices -> Dataset.take indices data) network data

    /// Whether the last layer can take over a scaling of its outputs.
    let internal endsAffine (architecture: Architecture) : bool =
        match List.tryLast architecture.Places with
        | Some {
                   Layer = Affine _
                   Output = Shape.Vector _
               } -> true
        | _ -> false

    /// The network whose outputs before the head are y·scale + shift, one of each an output: its last layer takes them
    /// over. Throws an ArgumentException if that is not a dense one.
    let internal scaleOutputs
        (scales: float[])
        (shifts: float[])
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Network<'T> =
        match List.tryLast network.Architecture.Layers, List.rev network.Parameters.Layers with
        | Some(Affine affine), last :: below when endsAffine network.Architecture ->
            let struct (_, scaled) =
                affine.Absorb(
                    Array.map 'T.CreateTruncating scales,
                    Array.map 'T.CreateTruncating shifts,
                    last
                )

            {
                network with
                    Parameters = { Layers = List.rev (scaled :: below) }
            }
        | _ ->
            invalidArg
                (nameof network)
                (invariant $"expected a dense layer as the last one, found {network.Architecture}")
