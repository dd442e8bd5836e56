namespace Pipeline.Learning

open System.Numerics
open System.Threading.Tasks
open MathNet.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

/// How a run finds its gradient.
[<RequireQualifiedAccess>]
type GradientMethod =
    /// The chain rule, layer by layer.
    | Backpropagation
    /// The definition: central differences, two losses a parameter, in double precision. The
    /// chapter's own; thousands of times slower.
    | Numerical

/// What the way back has found of a layer.
type internal Found<'T
    when 'T: struct
    and 'T :> System.ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> System.IEquatable<'T>
    and 'T :> System.IFormattable> = {
    /// The gradient in what the layer gives to its activation.
    Upstream: Matrix<'T>
    /// The gradient in W·x: the same, unless the layer is normalised.
    Inner: Matrix<'T>
    /// The gradient in γ.
    OfGain: Vector<'T> voption
    /// x.
    Input: LayerInputs<'T>
}

/// <summary>Gradients: by the chain rule, and by their definition.</summary>
/// <remarks>Source: Deep Learning from Scratch, ch. 4 (numerical gradient) and 5
/// (backpropagation).</remarks>
[<RequireQualifiedAccess>]
module Gradient =
    /// <summary>The book's step of a central difference.</summary>
    [<Literal>]
    let DefaultStep = 1e-4

    let private methods = [
        "Backpropagation", GradientMethod.Backpropagation
        "Numerical", GradientMethod.Numerical
    ]

    /// <summary>The method of that name, in any case of letters.</summary>
    [<CompiledName("ParseMethod")>]
    let parseMethod (name: string) : Result<GradientMethod, Fault list> =
        Fault.parseName "Gradient" methods name

    /// The loss of a mini-batch, what `finish` makes of each layer and of what was found of it, from the
    /// last layer down, and the network with its running moments as they follow.
    let private sweep
        (dropout: Dropout voption)
        (finish: Layer<'T> -> Found<'T> -> Layer<'T>)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T> * Network<'T>) =
        batch.FirstInputs
        |> Inputs.withBatchByInput (fun inputs ->
            let struct (sums, passed, lastInput) = Network.trace dropout network inputs

            let struct (loss, upstream) =
                Loss.ofHeadWithGradient network.Architecture.Head batch.Targets sums

            let find (layer: Layer<'T>) standardised input upstream =
                match layer.Gain, standardised with
                | ValueSome gain, ValueSome standardised ->
                    let struct (ofGain, inner) = Normalisation.back gain standardised upstream

                    {
                        Upstream = upstream
                        Inner = inner
                        OfGain = ValueSome ofGain
                        Input = input
                    }
                | _ -> {
                    Upstream = upstream
                    Inner = upstream
                    OfGain = ValueNone
                    Input = input
                  }

            // Made on the way, and needed no longer.
            let leave (found: Found<'T>) (standardised: Standardised<'T> voption) =
                ArrayReuse.Return(Kernels.values found.Upstream)

                if not (obj.ReferenceEquals(found.Inner, found.Upstream)) then
                    ArrayReuse.Return(Kernels.values found.Inner)

                standardised
                |> ValueOption.iter (fun standardised ->
                    ArrayReuse.Return(Kernels.values standardised.Values))

            // `below` are the hidden layers under this one, nearest first.
            let rec run
                layers
                standardised
                input
                (below: (HiddenLayer * Passed<'T>) list)
                upstream
                finished
                =
                match layers, below with
                | layer :: layersBelow, (hidden, passed) :: rest ->
                    let found = find layer standardised input upstream
                    let next = Kernels.inputGradient layer.Weights found.Inner

                    let next =
                        match passed.Mask with
                        | ValueSome mask -> Dropout.become mask next
                        | ValueNone -> next
                        |> Activation.back hidden.Activation passed.Kept

                    let made = finish layer found
                    leave found standardised
                    let output = LayerInputs.columns input
                    ArrayReuse.Return(Kernels.values output)

                    if not (obj.ReferenceEquals(passed.Kept, output)) then
                        ArrayReuse.Return(Kernels.values passed.Kept)

                    passed.Mask |> ValueOption.iter ArrayReuse.Return
                    run layersBelow passed.Standardised passed.Input rest next (made :: finished)
                | layer :: _, [] ->
                    let found = find layer standardised input upstream
                    let made = finish layer found
                    leave found standardised
                    made :: finished
                | [], _ -> finished

            let layers =
                run
                    (List.rev network.Parameters.Layers)
                    ValueNone
                    lastInput
                    (List.zip (List.rev network.Architecture.Hidden) passed)
                    upstream
                    []

            struct (loss, { Layers = layers }, Network.follow batch.Count passed network))

    /// A layer's gradient.
    let private gradientOf (_: Layer<'T>) (found: Found<'T>) = {
        Weights = LayerInputs.weightGradient found.Inner found.Input
        Biases = Kernels.biasGradient found.Upstream
        Gain = found.OfGain
    }

    /// <summary>The loss of a mini-batch and its gradient in every parameter, by the chain
    /// rule.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">The samples.</param>
    /// <returns><c>Network.loss</c>, and a gradient shaped like the parameters.</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Backward")>]
    let backward (network: Network<'T>) (batch: MiniBatch<'T>) : struct ('T * Parameters<'T>) =
        let struct (loss, gradient, _) = sweep ValueNone gradientOf network batch
        struct (loss, gradient)

    /// <summary>The loss of a mini-batch as a step of training sees it, and its gradient in every
    /// parameter, by the chain rule.</summary>
    /// <param name="dropout">Which hidden units are left out.</param>
    /// <param name="network">The network.</param>
    /// <param name="batch">The samples.</param>
    /// <returns><c>Network.lossInTraining</c>, a gradient shaped like the parameters, and the network
    /// with its running moments as they follow the mini-batch's.</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("BackwardInTraining")>]
    let backwardInTraining
        (dropout: Dropout)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T> * Network<'T>) =
        sweep (ValueSome dropout) gradientOf network batch

    /// <summary>The loss of a mini-batch, and the parameters one step of gradient descent later: the
    /// same bits as <c>Optimizer.descend</c> of <c>backward</c>, with no gradient in
    /// between.</summary>
    /// <param name="rate">Learning rate η.</param>
    /// <param name="network">The network, left as it was.</param>
    /// <param name="batch">The samples.</param>
    /// <returns><c>Network.loss</c> before the step, and θ − η ∇L(θ).</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Descend")>]
    let descend
        (rate: 'T :> IBinaryFloatingPointIeee754<'T>)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T>) =
        let struct (loss, parameters, _) =
            sweep
                ValueNone
                (fun layer found -> {
                    Weights = LayerInputs.descend rate layer.Weights found.Inner found.Input
                    Biases =
                        Kernels.subtractScaledVector
                            rate
                            (Kernels.biasGradient found.Upstream)
                            layer.Biases
                    Gain =
                        ValueOption.map2
                            (Kernels.subtractScaledVector rate)
                            found.OfGain
                            layer.Gain
                })
                network
                batch

        struct (loss, parameters)

    /// (f(x + h) − f(x − h)) / 2h.
    let private difference
        (step: 'T :> IBinaryFloatingPointIeee754<'T>)
        (f: 'T -> 'T)
        (x: 'T)
        : 'T =
        (f (x + step) - f (x - step)) / (step + step)

    /// <summary>The gradient of any function of a vector, by its definition:
    /// (f(x + h·eᵢ) − f(x − h·eᵢ)) / 2h for every i.</summary>
    /// <param name="step">h, greater than 0; the book's is 10⁻⁴. In single precision three digits are
    /// the best it gives.</param>
    /// <param name="f">The function; it is called twice an element, with vectors of its own.</param>
    /// <param name="at">x.</param>
    /// <returns>As long as x.</returns>
    [<CompiledName("Numerical")>]
    let numerical
        (step: 'T :> IBinaryFloatingPointIeee754<'T>)
        (f: Vector<'T> -> 'T)
        (at: Vector<'T>)
        : Vector<'T> =
        let x = Kernels.elements at

        Array.init x.Length (fun i ->
            let along value =
                let moved = Array.copy x
                moved[i] <- value
                f (Kernels.vector moved)

            difference step along x[i])
        |> Kernels.vector

    /// <summary>The gradient of any function of a network in every parameter, by its
    /// definition.</summary>
    /// <param name="step">h, greater than 0.</param>
    /// <param name="objective">The function: a loss, say. Of n parameters it is called 2n + 1 times: once
    /// with the network as it is, so that what is wrong with the shapes is thrown to the caller, then
    /// twice a parameter, from several threads.</param>
    /// <param name="network">Where.</param>
    /// <returns>Shaped like the parameters: (f(θ + h·eᵢ) − f(θ − h·eᵢ)) / 2h for every i.</returns>
    [<CompiledName("NumericalOf")>]
    let numericalOf
        (step: 'T :> IBinaryFloatingPointIeee754<'T>)
        (objective: Network<'T> -> 'T)
        (network: Network<'T>)
        : Parameters<'T> =
        // What is wrong with the shapes is said here, not by a thread.
        objective network |> ignore

        let options =
            ParallelOptions(MaxDegreeOfParallelism = Control.MaxDegreeOfParallelism)

        network.Parameters
        |> Parameters.mapTensors (fun name values ->
            let gradient = Array.zeroCreate values.Length

            let along i value =
                let moved = Array.copy values
                moved[i] <- value

                let replace other elements =
                    if other = name then moved else elements

                objective {
                    network with
                        Parameters = Parameters.mapTensors replace network.Parameters
                }

            Parallel.For(
                0,
                values.Length,
                options,
                fun i -> gradient[i] <- difference step (along i) values[i]
            )
            |> ignore

            gradient)

    /// <summary>The loss of a mini-batch and its gradient in every parameter, by its
    /// definition.</summary>
    /// <param name="step">h, greater than 0; the book's is 10⁻⁴.</param>
    /// <param name="network">Where.</param>
    /// <param name="batch">The samples of the loss.</param>
    /// <returns><c>Network.loss</c>, and a gradient shaped like the parameters.</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    /// <remarks>For the chapter's network (one hidden layer, of sigmoids; labels) the differences
    /// L(θ + h) − L(θ − h) are evaluated for what each step changes, a unit or a logit, which takes
    /// milliseconds and loses fewer digits; for any other, as <c>numericalOf</c> does.</remarks>
    [<CompiledName("NumericalOfLoss")>]
    let numericalOfLoss
        (step: float)
        (network: Network<float>)
        (batch: MiniBatch<float>)
        : struct (float * Parameters<float>) =
        match TwoLayerNumericalGradient.tryFind step network batch with
        | ValueSome found -> found
        | ValueNone ->
            let loss network = Network.loss network batch
            struct (loss network, numericalOf step loss network)
