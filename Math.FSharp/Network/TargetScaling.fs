namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// How numbers to predict are scaled for training: t becomes (t − centre) / scale, an output each.
type TargetScaling = {
    /// The numbers that become 0.
    Centres: float[]
    /// The differences that become 1; not 0.
    Scales: float[]
}

/// <summary>Scaling numbers to predict, and networks that predict them in their own unit.</summary>
/// <remarks>A network learns numbers near 0 ± 1 best. Its last layer, W·x + b, takes the scaling over: W·scale and
/// b·scale + centre, so that the trained network needs no scaling.</remarks>
[<RequireQualifiedAccess>]
module TargetScaling =
    /// <summary>Whether the last layer can take a scaling over: it is a dense layer, and the outputs are numbers to
    /// predict.</summary>
    [<CompiledName("Applies")>]
    let applies (architecture: Architecture) : bool =
        architecture.Head = Head.Identity && Network.endsAffine architecture

    /// <summary>The scaling that fits training samples: mean and standard deviation become 0 and 1, or minimum and
    /// maximum do. Targets that do not vary become 0.</summary>
    /// <param name="scaling">How; with None the numbers stay.</param>
    /// <param name="data">The training samples.</param>
    /// <returns>Nothing where there is nothing to scale: without scaling, or if the targets are classes.</returns>
    [<CompiledName("Fit")>]
    let fit
        (scaling: Scaling)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : TargetScaling voption =
        match scaling, data.Targets with
        | Scaling.None, _
        | _, Targets.Labels _ -> ValueNone
        | _, Targets.Columns columns ->
            let rows = [|
                for output in 0 .. columns.RowCount - 1 ->
                    columns.Row(output).ToArray()
                    |> Array.map Double.CreateTruncating
                    |> fun targets -> Spread.centreAndScale scaling (ReadOnlySpan targets)
            |]

            ValueSome {
                Centres = rows |> Array.map (fun (struct (centre, _)) -> centre)
                Scales = rows |> Array.map (fun (struct (_, scale)) -> scale)
            }

    /// <summary>The same samples with scaled targets.</summary>
    /// <param name="scaling">The scaling.</param>
    /// <param name="data">Samples whose targets are numbers.</param>
    /// <exception cref="T:System.ArgumentException">The targets are classes, or not as many numbers a sample as the
    /// scaling has.</exception>
    [<CompiledName("Apply")>]
    let apply
        (scaling: TargetScaling)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Dataset<'T> =
        match data.Targets with
        | Targets.Columns columns when columns.RowCount = scaling.Centres.Length ->
            let scaled =
                columns.MapIndexed(fun output _ target ->
                    (Double.CreateTruncating target - scaling.Centres[output])
                    / scaling.Scales[output]
                    |> 'T.CreateTruncating)

            Dataset.withTargets (Targets.Columns scaled) data
        | targets ->
            invalidArg
                (nameof data)
                (invariant
                    $"expected {scaling.Centres.Length} numbers to predict a sample, found {targets}")

    /// <summary>The network that predicts in the targets' own unit, of one that was trained with scaled
    /// targets.</summary>
    /// <param name="scaling">The scaling.</param>
    /// <param name="network">A network to which a scaling <c>applies</c>.</param>
    /// <exception cref="T:System.ArgumentException">The last layer cannot take the scaling over.</exception>
    [<CompiledName("Restore")>]
    let restore
        (scaling: TargetScaling)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Network<'T> =
        if not (applies network.Architecture) then
            invalidArg
                (nameof network)
                (invariant
                    $"expected a dense layer as the last one and numbers to predict, found {network.Architecture}")

        Network.scaleOutputs scaling.Scales scaling.Centres network
