namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// <summary>Temperature scaling: a network's probabilities as confident as they are right.</summary>
/// <remarks>The outputs z before the head are divided by a temperature T, which is fitted to samples that the network
/// did not learn from. The order of the classes does not change, and so neither does the accuracy. The last layer,
/// W·x + b, takes T over: W/T and b/T. Source: Guo et al., On calibration of modern neural networks, 2017.</remarks>
[<RequireQualifiedAccess>]
module Temperature =
    /// <summary>The lowest temperature that is fitted.</summary>
    [<Literal>]
    let Lowest = 0.1

    /// <summary>The highest temperature that is fitted.</summary>
    [<Literal>]
    let Highest = 10.0

    /// <summary>Whether a network can take a temperature over: it gives probabilities, and its last layer is a dense
    /// one.</summary>
    [<CompiledName("Applies")>]
    let applies (architecture: Architecture) : bool =
        architecture.Head <> Head.Identity && Network.endsAffine architecture

    /// <summary>The temperature T of 0.1 to 10 with the least mean loss of z/T.</summary>
    /// <remarks>The loss is convex in 1/T, whose range the search divides by the golden ratio until it is shorter than
    /// 10⁻¹⁰.</remarks>
    /// <param name="network">The network.</param>
    /// <param name="data">Samples that it did not learn from.</param>
    /// <returns>The temperature; 1 where the loss is not a number.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size.</exception>
    [<CompiledName("Fit")>]
    let fit
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (data: Dataset<'T>)
        : float =
        let logits = Network.sumsOfAll network data
        let z = Kernels.values logits |> Array.map Double.CreateTruncating

        let targets: Targets<float> =
            match data.Targets with
            | Targets.Labels labels -> Targets.Labels labels
            | Targets.Columns columns ->
                Kernels.values columns
                |> Array.map Double.CreateTruncating
                |> Kernels.matrix columns.RowCount columns.ColumnCount
                |> Targets.Columns

        let loss (factor: float) =
            z
            |> Array.map (fun x -> x * factor)
            |> Kernels.matrix logits.RowCount logits.ColumnCount
            |> Loss.ofHead network.Architecture.Head targets

        let ratio = (Math.Sqrt 5.0 - 1.0) / 2.0

        let rec search lower upper inner innerLoss outer outerLoss =
            if upper - lower < 1e-10 then
                (lower + upper) / 2.0
            elif innerLoss <= outerLoss then
                let next = outer - ratio * (outer - lower)
                search lower outer next (loss next) inner innerLoss
            else
                let next = inner + ratio * (upper - inner)
                search inner upper outer outerLoss next (loss next)

        if Double.IsNaN(loss 1.0) then
            1.0
        else
            let lower, upper = 1.0 / Highest, 1.0 / Lowest
            let inner = upper - ratio * (upper - lower)
            let outer = lower + ratio * (upper - lower)
            1.0 / search lower upper inner (loss inner) outer (loss outer)

    /// <summary>The network whose outputs before the head are divided by a temperature.</summary>
    /// <param name="temperature">T, greater than 0.</param>
    /// <param name="network">A network to which a temperature <c>applies</c>.</param>
    /// <exception cref="T:System.ArgumentException">The last layer is not a dense one, or the temperature is not a
    /// finite number greater than 0.</exception>
    [<CompiledName("Apply")>]
    let apply
        (temperature: float)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Network<'T> =
        NumberRange.require (nameof temperature) NumberRange.positive temperature

        let outputs = network.Architecture.Outputs

        Network.scaleOutputs
            (Array.create outputs (1.0 / temperature))
            (Array.zeroCreate outputs)
            network
