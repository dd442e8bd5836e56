namespace Pipeline.Learning

open System
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

    /// The case's name.
    override method.ToString() =
        match method with
        | Backpropagation -> nameof Backpropagation
        | Numerical -> nameof Numerical

/// Finding gradient methods by name.
[<RequireQualifiedAccess>]
module GradientMethod =
    /// <summary>The method of that name, Backpropagation or Numerical, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<GradientMethod, Fault list> =
        Fault.parseCase "Gradient" [ GradientMethod.Backpropagation; GradientMethod.Numerical ] name

/// <summary>Gradients: by the chain rule, and by their definition.</summary>
/// <remarks>Source: Deep Learning from Scratch, ch. 4 (numerical gradient) and 5
/// (backpropagation).</remarks>
[<RequireQualifiedAccess>]
module Gradient =
    /// <summary>The book's step of a central difference.</summary>
    [<Literal>]
    let DefaultStep = 1e-4

    /// The loss of a mini-batch, the result of `finish` for each layer's parameters and gradient, and the
    /// network with its running statistics after the pass.
    let private backwardWith
        (step: TrainingStep voption)
        (finish: LayerParameters<'T> -> LayerGradient<'T> -> LayerParameters<'T>)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T> * Network<'T>) =
        match step with
        | ValueSome _ -> batch.FirstInputs
        | ValueNone -> Network.enters network batch.FirstInputs
        |> Inputs.withBatchByInput (fun inputs ->
            let traced = ForwardPass.trace step network inputs
            let logits = (List.head traced).Output.Numbers

            let struct (loss, upstream) =
                Loss.ofSamplesWithGradient network.Architecture.Head batch logits

            let struct (layers, _) =
                LayerChain.backward finish inputs traced (Inputs.Columns upstream)

            let parameters = { Layers = layers }

            struct (loss, parameters, ForwardPass.follow traced network))

    /// <summary>The loss of a mini-batch and its gradient in every parameter, by the chain
    /// rule.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">The samples.</param>
    /// <returns><c>Network.loss</c>, and a gradient shaped like the parameters.</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("Backward")>]
    let backward (network: Network<'T>) (batch: MiniBatch<'T>) : struct ('T * Parameters<'T>) =
        let struct (loss, gradient, _) =
            backwardWith ValueNone LayerGradient.values network batch

        struct (loss, gradient)

    /// <summary>The loss of a mini-batch as a step of training sees it, and its gradient in every
    /// parameter, by the chain rule.</summary>
    /// <param name="step">The step of training.</param>
    /// <param name="network">The network.</param>
    /// <param name="batch">The samples.</param>
    /// <returns>The loss, with dropout and with the mini-batch's own moments in batch normalisation; a gradient
    /// shaped like the parameters; and the network with its running statistics after the mini-batch.</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("BackwardInTraining")>]
    let backwardInTraining
        (step: TrainingStep)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Parameters<'T> * Network<'T>) =
        backwardWith (ValueSome step) LayerGradient.values network batch

    /// <summary>The loss of a mini-batch as a step of training sees it, and the parameters after the step, for
    /// an optimizer that updates each layer from its own gradient.</summary>
    /// <param name="update">The next parameters of a layer, from its parameters and their gradient: what
    /// <c>Optimizer.LayerUpdate</c> offers.</param>
    /// <param name="step">The step of training.</param>
    /// <param name="network">The network, left as it was.</param>
    /// <param name="batch">The samples.</param>
    /// <returns><c>Network.lossInTraining</c> before the step, and the network after it.</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    let internal updateLayers
        (update: LayerParameters<'T> -> LayerGradient<'T> -> LayerParameters<'T>)
        (step: TrainingStep)
        (network: Network<'T>)
        (batch: MiniBatch<'T>)
        : struct ('T * Network<'T>) =
        let struct (loss, parameters, followed) =
            backwardWith (ValueSome step) update network batch

        struct (loss,
                {
                    followed with
                        Parameters = parameters
                })

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
    /// <param name="f">The function; it is called twice for each element, each time with a new vector.</param>
    /// <param name="at">x.</param>
    /// <returns>As long as x.</returns>
    /// <exception cref="T:System.ArgumentException">h is not a finite number greater than 0.</exception>
    [<CompiledName("Numerical")>]
    let numerical
        (step: 'T :> IBinaryFloatingPointIeee754<'T>)
        (f: Vector<'T> -> 'T)
        (at: Vector<'T>)
        : Vector<'T> =
        NumberRange.require (nameof step) NumberRange.positive (Double.CreateTruncating step)
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
        // Wrong shapes are reported to the caller here, and not from a thread.
        objective network |> ignore

        let options =
            ParallelOptions(MaxDegreeOfParallelism = Control.MaxDegreeOfParallelism)

        network.Parameters
        |> Parameters.mapArrays (fun tensor values ->
            let gradient = Array.zeroCreate values.Length

            let along i value =
                let moved = Array.copy values
                moved[i] <- value

                objective {
                    network with
                        Parameters =
                            network.Parameters
                            |> Parameters.mapArrays (fun other elements ->
                                if other = tensor then moved else elements)
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
