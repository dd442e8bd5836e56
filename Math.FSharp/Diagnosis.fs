namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// Something about a run that a person might want to change.
[<RequireQualifiedAccess>]
type Finding =
    /// The training loss still fell by that share an epoch when the run ended.
    | StillFalling of share: float
    /// The training loss rose in so many of the last epochs.
    | Oscillating of rises: int * epochs: int
    /// The loss on samples never learned from was lowest, at some epoch, and rose from there while the
    /// training loss fell.
    | OverFitting of epoch: int64 * lowest: float * last: float
    /// Units of a hidden layer, counted from 1, that hardly any sample moves.
    | StuckUnits of layer: int * activation: Activation * stuck: int * units: int
    /// The first layer, counted from 1, with a number that is not finite, after some iterations.
    | NotFinite of layer: int * iteration: int64

    /// The finding, and what helps against it, in a sentence.
    override finding.ToString() =
        match finding with
        | StillFalling share ->
            FormattableString.Invariant
                $"The training loss was still falling by {100.0 * share:F0} %% an epoch: a longer run or a higher learning rate would learn more."
        | Oscillating(rises, epochs) ->
            $"The training loss rose in {rises} of the last {epochs} epochs: the learning rate is high; lower it, or let a schedule lower it towards the end."
        | OverFitting(epoch, lowest, last) ->
            FormattableString.Invariant
                $"Over-fitting: the loss on samples never learned from was lowest at epoch {epoch}, {lowest:F4}, and rose to {last:F4} while the training loss fell. Early stopping, dropout, weight decay or more varied samples narrow the gap."
        | StuckUnits(layer, activation, stuck, units) ->
            let what =
                match activation with
                | Activation.Relu -> "dead: they give 0"
                | _ -> "saturated: their slope is near 0"

            $"Hidden layer {layer}: {stuck} of its {units} units are {what} for every sample looked at. A lower learning rate or other initial weights keep them learning."
        | NotFinite(layer, iteration) ->
            $"The first numbers that are not finite came up in layer {layer}, after iteration {iteration}."

/// How well a network did after an epoch: on the samples it learns from, and on others.
[<Struct>]
type EpochLosses = {
    /// The epoch.
    Epoch: int64
    /// Mean loss over the training samples.
    Training: float
    /// Mean loss over samples never learned from.
    Others: float
}

/// What a run's figures and its network say about it.
[<RequireQualifiedAccess>]
module Diagnosis =
    /// So many last epochs are looked at for a trend.
    let private window = 5

    /// A loss that falls by less an epoch has all but settled; one that rises by less has not risen.
    let private notable = 0.01

    /// How much the other loss has to rise from its lowest before it counts as over-fitting.
    let private overfit = 0.05

    /// The mean change of the training loss in an epoch, as a share of it, where some epochs may lie
    /// between the two.
    let private changeAnEpoch (before: EpochLosses, after: EpochLosses) : float =
        (after.Training / before.Training - 1.0) / float (after.Epoch - before.Epoch)

    /// <summary>What the losses after each epoch say.</summary>
    /// <param name="epochs">In order, the untrained network's first. Epochs may be left out.</param>
    [<CompiledName("OfLosses")>]
    let ofLosses (epochs: EpochLosses seq) : Finding list =
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
            let lowest = epochs |> List.minBy _.Others
            let last = List.last epochs

            [
                if rises * 5 >= steps.Length * 2 then
                    Finding.Oscillating(rises, steps.Length)
                elif List.max changes < -notable then
                    Finding.StillFalling -(List.average changes)
                if
                    last.Others > lowest.Others * (1.0 + overfit) && last.Training < lowest.Training
                then
                    Finding.OverFitting(lowest.Epoch, lowest.Others, last.Others)
            ]

    /// A unit whose slope is below this share of the activation's greatest is stuck.
    let private slight = 0.01

    /// So many units of a layer, one of this number, are worth a word.
    let private many = 10

    /// The greatest slope of activations that have flat ends; others' units are never stuck.
    let private greatestSlope (activation: Activation) : float voption =
        match activation with
        | Activation.Sigmoid -> ValueSome 0.25
        | Activation.Tanh
        | Activation.Relu -> ValueSome 1.0
        | _ -> ValueNone

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

    /// <summary>The hidden layers of whose units a tenth or more hardly any sample moves: every slope of the activation is below
    /// a hundredth of its greatest.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">The samples; some hundreds tell enough.</param>
    /// <exception cref="T:System.ArgumentException">Inputs do not have the network's
    /// size.</exception>
    [<CompiledName("OfUnits")>]
    let ofUnits (network: Network<'T>) (batch: MiniBatch<'T>) : Finding list =
        let struct (_, passed, _) =
            batch.FirstInputs |> Inputs.enter |> Network.trace ValueNone network

        List.zip network.Architecture.Hidden (List.rev passed)
        |> List.mapi (fun i (hidden, passed) -> [
            match greatestSlope hidden.Activation with
            | ValueSome greatest ->
                let kept = passed.Kept
                let ones = Matrix<'T>.Build.Dense(kept.RowCount, kept.ColumnCount, 'T.One)
                let slopes = Activation.back hidden.Activation kept ones

                let stuck = countStuck (slight * greatest) slopes

                if stuck * many >= hidden.Width then
                    Finding.StuckUnits(i + 1, hidden.Activation, stuck, hidden.Width)
            | ValueNone -> ()
        ])
        |> List.concat

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

        let struct (logits, passed, last) =
            batch.FirstInputs |> Inputs.enter |> Network.trace ValueNone network

        // What each layer gives is what comes in to the next.
        let outputs = [
            match List.rev passed with
            | _ :: above ->
                for passed in above do
                    LayerInputs.columns passed.Input

                LayerInputs.columns last
            | [] -> ()
            logits
        ]

        List.zip network.Parameters.Layers outputs
        |> List.tryFindIndex (fun (layer, output) ->
            not (
                isFinite (Kernels.values layer.Weights)
                && isFinite (Kernels.elements layer.Biases)
                && isFinite (Kernels.values output)
            ))
        |> Option.map (fun layer -> Finding.NotFinite(layer + 1, iteration))
        |> Option.toList
