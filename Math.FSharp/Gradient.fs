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

/// How far apart the two gradients of one tensor are, at the place where they are furthest.
type TensorCheck = {
    /// W1, b1, W2, …
    Name: string
    /// How many numbers it has.
    Count: int
    /// Row and column of that place in the book's (inputs, outputs); of a bias, its row is 0.
    Row: int
    /// See Row.
    Column: int
    /// Backpropagation's value there.
    Backward: float
    /// The numerical value there.
    Numerical: float
    /// |Backward − Numerical| there.
    Difference: float
    /// The tensor's greatest numerical entry, by size.
    Scale: float
    /// How large a difference may be: a share of the scale, and the rounding noise of the losses.
    Allowed: float
} with

    /// Whether the difference is allowed. Not a number is not.
    member tensor.Passed = tensor.Difference <= tensor.Allowed

/// The verdict on a network's gradient.
type GradientCheck = {
    /// Every tensor's worst place.
    Tensors: TensorCheck list
} with

    /// The tensor whose difference is the greatest for what it is allowed.
    member check.Worst =
        check.Tensors
        |> List.maxBy (fun tensor ->
            if tensor.Passed then
                tensor.Difference / tensor.Allowed
            else
                infinity)

    /// Whether every difference is allowed.
    member check.Passed = check.Tensors |> List.forall _.Passed

/// <summary>Gradients: by the chain rule, by their definition, and the one held to the other.</summary>
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

    /// The loss of a mini-batch, and what `finish` makes of each layer, of the gradient in what the
    /// layer gives and of its input, from the last layer down.
    let private sweep
        (dropout: Dropout voption)
        (finish: Layer<'T> -> Matrix<'T> -> LayerInputs<'T> -> Layer<'T>)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T>) =
        batch.FirstInputs
        |> Inputs.enter (fun inputs ->
            let struct (logits, passed, lastInput) = Network.trace dropout network inputs
            let struct (loss, upstream) = Loss.crossEntropyWithGradient batch.Targets logits

            // `below` are the hidden layers under this one, nearest first.
            let rec run layers input (below: (HiddenLayer * Passed<'T>) list) upstream finished =
                match layers, below with
                | layer :: layersBelow, (hidden, passed) :: rest ->
                    let next = Kernels.inputGradient layer.Weights upstream

                    let next =
                        match passed.Mask with
                        | ValueSome mask -> Dropout.become mask next
                        | ValueNone -> next
                        |> Activation.back hidden.Activation passed.Kept

                    let found = finish layer upstream input

                    // Made on the way, and needed no longer.
                    let output = LayerInputs.columns input
                    Spare.Give(Kernels.values upstream)
                    Spare.Give(Kernels.values output)

                    if not (obj.ReferenceEquals(passed.Kept, output)) then
                        Spare.Give(Kernels.values passed.Kept)

                    passed.Mask |> ValueOption.iter Spare.Give
                    run layersBelow passed.Input rest next (found :: finished)
                | layer :: _, [] ->
                    let found = finish layer upstream input
                    Spare.Give(Kernels.values upstream)
                    found :: finished
                | [], _ -> finished

            let layers =
                run
                    (List.rev network.Parameters.Layers)
                    lastInput
                    (List.zip (List.rev network.Architecture.Hidden) passed)
                    upstream
                    []

            struct (loss, { Layers = layers }))

    /// A layer's gradient.
    let private gradientOf (_: Layer<'T>) (upstream: Matrix<'T>) (input: LayerInputs<'T>) = {
        Weights = LayerInputs.weightGradient upstream input
        Biases = Kernels.biasGradient upstream
    }

    /// <summary>The loss of a mini-batch and its gradient in every parameter, by the chain
    /// rule.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">The samples.</param>
    /// <returns>The mean cross entropy, and a gradient shaped like the parameters.</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Backward")>]
    let backward (network: Network<'T>) (batch: MiniBatch<'T>) : struct ('T * Parameters<'T>) =
        sweep ValueNone gradientOf network batch

    /// <summary>The loss of a mini-batch without the hidden units that a step of training leaves out,
    /// and its gradient in every parameter, by the chain rule.</summary>
    /// <param name="dropout">Which units.</param>
    /// <param name="network">The network.</param>
    /// <param name="batch">The samples.</param>
    /// <returns><c>Network.lossWithDropout</c>, and a gradient shaped like the parameters.</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("BackwardWithDropout")>]
    let backwardWithDropout
        (dropout: Dropout)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T>) =
        sweep (ValueSome dropout) gradientOf network batch

    /// <summary>The loss of a mini-batch, and the parameters one step of gradient descent later: the
    /// same bits as <c>Optimizer.descend</c> of <c>backward</c>, with no gradient in
    /// between.</summary>
    /// <param name="rate">Learning rate η.</param>
    /// <param name="network">The network, left as it was.</param>
    /// <param name="batch">The samples.</param>
    /// <returns>The mean cross entropy before the step, and θ − η ∇L(θ).</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Descend")>]
    let descend
        (rate: 'T :> IBinaryFloatingPointIeee754<'T>)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T>) =
        sweep
            ValueNone
            (fun layer upstream input -> {
                Weights = LayerInputs.descend rate layer.Weights upstream input
                Biases =
                    Kernels.subtractScaledVector rate (Kernels.biasGradient upstream) layer.Biases
            })
            network
            batch

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
    /// <param name="objective">The function: a loss, say. It is called twice a parameter, from several
    /// threads.</param>
    /// <param name="network">Where.</param>
    /// <returns>Shaped like the parameters.</returns>
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
    /// <returns>The mean cross entropy, and a gradient shaped like the parameters.</returns>
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
        match TwoLayerGradient.tryFind step network batch with
        | ValueSome found -> found
        | ValueNone ->
            let loss network = Network.loss network batch
            struct (loss network, numericalOf step loss network)

    /// <summary>Holds <c>backward</c> to the numerical gradient, in double precision.</summary>
    /// <param name="tolerance">How large a difference may be, relative to its tensor's greatest entry:
    /// 10⁻⁶ say. What a central difference is off by itself is allowed on top: the losses' rounding,
    /// some 10⁻¹⁶·L/h, and the step's truncation, some h² of the whole gradient's greatest entry.</param>
    /// <param name="step">h of the central difference.</param>
    /// <param name="network">Where; of either precision.</param>
    /// <param name="batch">The samples of the loss.</param>
    /// <returns>Where and by how much the two differ, tensor by tensor.</returns>
    [<CompiledName("Check")>]
    let check
        (tolerance: float)
        (step: float)
        (network: Network<float>)
        (batch: MiniBatch<float>)
        : GradientCheck =
        let struct (loss, backward) = backward network batch
        let numerical = numericalOf step (fun moved -> Network.loss moved batch) network
        // Each loss is rounded a few times, and the difference of two divided by 2h.
        let noise = 16.0 * (System.Math.BitIncrement 1.0 - 1.0) * (1.0 + abs loss) / step

        let scales =
            Parameters.tensors numerical
            |> List.map (fun (_, values) -> values |> Array.map abs |> Array.max)

        // A central difference is off by h²/6 of the third derivative, which is within a hundred times
        // the gradient's greatest entry.
        let truncation = 16.0 * step * step * List.max scales

        let tensors =
            (Parameters.tensors backward, Parameters.tensors numerical, scales)
            |||> List.map3 (fun (name, analytic) (_, defined) scale ->
                let differences = Array.map2 (fun a b -> abs (a - b)) analytic defined
                // Not a number is the worst there is.
                let severity difference =
                    if difference >= 0.0 then difference else infinity

                let at = differences |> Array.indexed |> Array.maxBy (snd >> severity) |> fst
                let layer = network.Parameters.Layers[int (name.Substring 1) - 1]
                let outputs = layer.Biases.Count

                {
                    Name = name
                    Count = analytic.Length
                    Row = at / outputs
                    Column = at % outputs
                    Backward = analytic[at]
                    Numerical = defined[at]
                    Difference = differences[at]
                    Scale = scale
                    Allowed = tolerance * scale + noise + truncation
                })

        { Tensors = tensors }
