namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// How well a network did after an epoch: on the samples it learns from, and on others.
[<Struct>]
type EpochLosses = {
    /// The epoch.
    Epoch: int64
    /// Mean loss over the training samples.
    Training: float
    /// Mean loss over samples never learned from.
    HeldOut: float
}

/// Findings about a run from its figures and its network.
[<RequireQualifiedAccess>]
module Diagnosis =
    /// So many last epochs are looked at for a trend.
    let private window = 5

    /// A loss that falls by less an epoch has all but settled; one that rises by less has not risen.
    let private notable = 0.01

    /// How much the other loss has to rise from its lowest before it counts as over-fitting.
    let private overfit = 0.05

    /// The mean change of the training loss in an epoch, relative to it, where some epochs may lie
    /// between the two.
    let private changeAnEpoch (before: EpochLosses, after: EpochLosses) : float =
        (after.Training / before.Training - 1.0) / float (after.Epoch - before.Epoch)

    /// So many times the loss of guessing is more than chance. Where all samples have one answer there is
    /// nothing to learn.
    let private aboveGuessing = 1.1

    /// The weighted mean over the samples of f k x for every output k, x its target.
    let private meansOf
        (outputs: int)
        (f: int -> float -> float)
        (weights: float[])
        (targets: Targets<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : float[] =
        let total = Array.fold (+) 0.0 weights
        let sums: float[] = Array.zeroCreate outputs

        match targets with
        | Targets.Labels labels ->
            Array.iter2 (fun label weight -> sums[label] <- sums[label] + weight) labels weights

            sums
            |> Array.mapi (fun k sum -> (sum * f k 1.0 + (total - sum) * f k 0.0) / total)
        | Targets.Columns columns ->
            let values = Kernels.values columns

            for i in 0 .. values.Length - 1 do
                let k = i % outputs
                sums[k] <- sums[k] + weights[i / outputs] * f k (Double.CreateTruncating values[i])

            sums |> Array.map (fun sum -> sum / total)

    /// <summary>The loss, each sample counted once, of one answer for every sample: of the best one for the samples
    /// with their weights, which a network that sees nothing of its inputs comes to. With m the means of the targets,
    /// and a their weighted means: −Σ m·ln a under Softmax, −Σ m·ln a + (1 − m)·ln(1 − a) under Sigmoid, half the
    /// summed mean of (x − a)² under Identity.</summary>
    /// <param name="head">The network's head.</param>
    /// <param name="outputs">How many outputs there are.</param>
    /// <param name="data">The samples learned from.</param>
    let internal lossOfGuessing
        (head: Head)
        (outputs: int)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : float =
        let each = Array.create data.Count 1.0
        let answers = meansOf outputs (fun _ x -> x) (Dataset.weights data) data.Targets
        let means = meansOf outputs (fun _ x -> x) each data.Targets

        // m·ln 0 is 0 where m is 0.
        let part m answer =
            if m > 0.0 then -m * ScalarMath.Log answer else 0.0

        match head with
        | Head.Softmax -> Array.fold2 (fun loss m answer -> loss + part m answer) 0.0 means answers
        | Head.Sigmoid ->
            Array.fold2
                (fun loss m answer -> loss + part m answer + part (1.0 - m) (1.0 - answer))
                0.0
                means
                answers
        | Head.Identity ->
            0.5
            * Array.sum (
                meansOf outputs (fun k x -> (x - answers[k]) * (x - answers[k])) each data.Targets
            )

    /// <summary>What the losses after each epoch say.</summary>
    /// <param name="guessing">The training loss of guessing, as <c>lossOfGuessing</c> has it.</param>
    /// <param name="epochs">In order, the untrained network's first. Epochs may be left out.</param>
    let internal ofLosses (guessing: float) (epochs: EpochLosses seq) : Finding list =
        let epochs = List.ofSeq epochs

        if epochs.Length < 3 then
            []
        else
            let steps = epochs |> List.pairwise |> List.rev |> List.truncate window

            let rises =
                steps
                |> List.filter (fun (before, after) ->
                    after.Training / before.Training - 1.0 > notable)
                |> List.length

            let changes = steps |> List.map changeAnEpoch
            let lowest = epochs |> List.minBy _.HeldOut
            let last = List.last epochs
            let isFalling = List.max changes < -notable

            let isOverFitting =
                last.HeldOut > lowest.HeldOut * (1.0 + overfit)
                && last.Training < lowest.Training

            if guessing > 0.0 && not isFalling && last.Training > aboveGuessing * guessing then
                [ Finding.WorseThanGuessing(last.Training, guessing) ]
            else
                [
                    if rises * 5 >= steps.Length * 2 then
                        Finding.Oscillating(rises, steps.Length)
                    // A longer run is no advice where the other loss rises meanwhile.
                    elif isFalling && last.HeldOut <= lowest.HeldOut * (1.0 + notable) then
                        Finding.StillFalling -(List.average changes)
                    if isOverFitting then
                        Finding.OverFitting(lowest.Epoch, lowest.HeldOut, last.HeldOut)
                ]

    /// A unit whose slope is below this fraction of the activation's greatest is stuck.
    let private slight = 0.01

    /// So many units of a layer, one of this number, are worth a word.
    let private many = 10

    /// Numbers to predict beyond this size make gradients that saturate units at usual rates.
    let private large = 10.0

    /// How many rows of slopes are below a limit in every column.
    let private countStuck
        (limit: float)
        (slopes: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : int =
        let values = Kernels.values slopes
        let rows = slopes.RowCount

        seq { 0 .. rows - 1 }
        |> Seq.filter (fun row ->
            seq { row..rows .. values.Length - 1 }
            |> Seq.forall (fun i -> Double.CreateTruncating(values[i]) < limit))
        |> Seq.length

    /// <summary>The hidden layers in which a tenth of the units or more are stuck: for every sample the slope of the
    /// activation is below a hundredth of its greatest.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">The samples; some hundreds tell enough.</param>
    /// <exception cref="T:System.ArgumentException">Inputs do not have the network's
    /// size.</exception>
    let internal ofUnits (network: Network<'T>) (batch: MiniBatch<'T>) : Finding list =
        let size =
            match network.Architecture.Head, batch.Targets with
            | Head.Identity, Targets.Columns columns ->
                let values = Kernels.values columns
                sqrt (Kernels.sumOfSquares values / float values.Length)
            | _ -> 0.0

        [
            for layer in ForwardPass.trace ValueNone network batch.FirstInputs |> List.rev do
                match layer.Place.Layer with
                | Saturates(ValueSome saturation) ->
                    let output = layer.Output.Numbers

                    let slopes =
                        Matrix<'T>.Build.Dense(output.RowCount, output.ColumnCount, 'T.One)
                        |> Inputs.Columns
                        |> layer.Output.Backward

                    let stuck =
                        slopes.Inputs.Value.Numbers
                        |> countStuck (slight * saturation.GreatestSlope)

                    let number, units = layer.Place.Number, output.RowCount

                    if stuck * many >= units then
                        if size > large then
                            Finding.LargeTargets(number, stuck, units, size)
                        else
                            Finding.StuckUnits(number, saturation.Stuck, stuck, units)
                | _ -> ()
        ]

    /// A class of which fewer training samples than this fraction are classified correctly is missed.
    let private hardlyAny = 0.1

    /// <summary>The classes of which less than a tenth of the training samples are classified correctly.</summary>
    /// <param name="names">The classes' names; none where numbers from 0 are their names.</param>
    /// <param name="network">The network.</param>
    /// <param name="data">The training samples.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size.</exception>
    let internal ofAnswers
        (names: string seq)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (data: Dataset<'T>)
        : Finding list =
        match data.Targets with
        | Targets.Labels labels when network.Architecture.Outputs > 1 ->
            let classes = network.Architecture.Outputs
            let names = Array.ofSeq names
            let found: int[] = Array.zeroCreate classes
            let samples: int[] = Array.zeroCreate classes
            let answers = Network.sumsOfAll network data |> Targets.argMax

            for label, answer in Array.zip labels answers do
                samples[label] <- samples[label] + 1

                if answer = label then
                    found[label] <- found[label] + 1

            match
                [ 0 .. classes - 1 ]
                |> List.filter (fun k -> float found[k] < hardlyAny * float samples[k])
            with
            | [] -> []
            | missed -> [
                Finding.MissedClasses(
                    missed |> List.map (fun k -> if k < names.Length then names[k] else string k),
                    missed |> List.sumBy (fun k -> found[k]),
                    missed |> List.sumBy (fun k -> samples[k])
                )
              ]
        | _ -> []

    /// <summary>The findings about a finished run from its figures, its network and its predictions. Of findings
    /// with the same cause, only the one that names it.</summary>
    /// <param name="names">The classes' names; none where numbers from 0 are their names.</param>
    /// <param name="epochs">The losses after each epoch, the untrained network's first.</param>
    /// <param name="network">The network at the end.</param>
    /// <param name="probe">Some hundreds of the training samples.</param>
    /// <param name="data">The training samples, with the weights that the run learned them with.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size.</exception>
    [<CompiledName("OfRun")>]
    let ofRun
        (names: string seq)
        (epochs: EpochLosses seq)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (probe: MiniBatch<'T>)
        (data: Dataset<'T>)
        : Finding list =
        let architecture = network.Architecture

        let guessing = lossOfGuessing architecture.Head architecture.Outputs data

        let units = ofUnits network probe

        let areTargetsLarge =
            units
            |> List.exists (fun finding ->
                match finding with
                | Finding.LargeTargets _ -> true
                | _ -> false)

        let isLayerStuck =
            units
            |> List.exists (fun finding ->
                match finding with
                | Finding.StuckUnits(_, _, stuck, all) -> stuck = all
                | _ -> false)

        let losses = if areTargetsLarge then [] else ofLosses guessing epochs

        let isWorse =
            losses
            |> List.exists (fun finding ->
                match finding with
                | Finding.WorseThanGuessing _ -> true
                | _ -> false)

        [
            yield! losses
            yield! units
            // A network that has learned nothing misses classes too.
            if not (isWorse || isLayerStuck) then
                yield! ofAnswers names network data
        ]

    /// <summary>The first layer with numbers that are not finite, if any: among its parameters, or in
    /// what it gives.</summary>
    /// <param name="iteration">The iteration that the network is of.</param>
    /// <param name="network">The network.</param>
    /// <param name="batch">The samples to try it with.</param>
    /// <exception cref="T:System.ArgumentException">Inputs do not have the network's
    /// size.</exception>
    [<CompiledName("OfNumbers")>]
    let ofNumbers
        (iteration: int64)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (batch: MiniBatch<'T>)
        : Finding list =
        let isFinite (values: 'T[]) = values |> Array.forall 'T.IsFinite

        ForwardPass.trace ValueNone network batch.FirstInputs
        |> List.rev
        |> List.tryFind (fun layer ->
            not (
                LayerParameters.arrays layer.Parameters |> List.forall isFinite
                && isFinite (Kernels.values layer.Output.Numbers)
            ))
        |> Option.map (fun layer -> Finding.NotFinite(max 1 layer.Place.Number, iteration))
        |> Option.toList
