namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

/// What an optimizer remembers from step to step.
type OptimizerState<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// Steps done.
    Steps: int64
    /// Running means, each shaped like the parameters: Adam's m and v; none of gradient descent.
    Means: Parameters<'T> list
}

/// A way of turning gradients into steps.
type Optimizer<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The state before the first step, for parameters of that shape.
    Init: Parameters<'T> -> OptimizerState<'T>
    /// The learning rate η, the gradient, the state and the parameters give the next parameters and
    /// state.
    Update:
        'T
            -> Parameters<'T>
            -> OptimizerState<'T>
            -> Parameters<'T>
            -> struct (Parameters<'T> * OptimizerState<'T>)
}

/// The optimizer of a run.
[<RequireQualifiedAccess>]
type OptimizerMethod =
    /// θ − η g, the chapter's.
    | GradientDescent
    /// Adam with its paper's β₁ = 0.9, β₂ = 0.999 and ε = 10⁻⁸.
    | Adam

/// m′ = m + (1 − β₁)(g − m), v′ = β₂v + (1 − β₂)g², θ′ = θ − rate·m′ / (√v′·scale + ε).
[<Struct>]
type internal AdamOp<'T when 'T :> INumber<'T>> = {
    Beta1Rest: 'T
    Beta2: 'T
    Beta2Rest: 'T
    Epsilon: 'T
    NegativeRate: 'T
    Scale: 'T
} with

    interface IUpdate<'T> with
        member op.Apply<'V, 'L when 'L :> ILanes<'V, 'T>>
            (gradient: 'V, parameter: 'V, first: 'V, second: 'V)
            : struct ('V * 'V * 'V) =
            let m = 'L.MultiplyAdd('L.Create op.Beta1Rest, 'L.Subtract(gradient, first), first)

            let square = 'L.Multiply('L.Create op.Beta2Rest, gradient)
            let v = 'L.MultiplyAdd(square, gradient, 'L.Multiply('L.Create op.Beta2, second))

            let size = 'L.MultiplyAdd('L.SquareRoot v, 'L.Create op.Scale, 'L.Create op.Epsilon)

            let step = 'L.Divide('L.Multiply('L.Create op.NegativeRate, m), size)
            struct ('L.Add(parameter, step), m, v)

/// <summary>Turning gradients into the next parameters.</summary>
/// <remarks>Source: Deep Learning from Scratch, ch. 4, gradient method.</remarks>
[<RequireQualifiedAccess>]
module Optimizer =
    let private names = [
        "GradientDescent", OptimizerMethod.GradientDescent
        "Adam", OptimizerMethod.Adam
    ]

    /// <summary>The optimizer of that name, in any case of letters.</summary>
    [<CompiledName("ParseMethod")>]
    let parseMethod (name: string) : Result<OptimizerMethod, Fault list> =
        Fault.parseName "Optimizer" names name

    /// <summary>One step of gradient descent: θ′ = θ − η ∇L(θ).</summary>
    /// <param name="rate">Learning rate η: finite, greater than 0, no unit.</param>
    /// <param name="gradient">∇L(θ): every matrix shaped like its partner in θ.</param>
    /// <param name="parameters">θ, left as it was.</param>
    /// <returns>New parameters, shaped like θ.</returns>
    /// <exception cref="T:System.ArgumentException">Two partners differ in shape.</exception>
    [<CompiledName("Descend")>]
    let descend
        (rate: 'T)
        (gradient: Parameters<'T>)
        (parameters: Parameters<'T>)
        : Parameters<'T> =
        Parameters.map2
            (Kernels.subtractScaled rate)
            (Kernels.subtractScaledVector rate)
            gradient
            parameters

    /// <summary>Gradient descent: every step is <c>descend</c>, and nothing is remembered.</summary>
    [<CompiledName("GradientDescent")>]
    let gradientDescent<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> : Optimizer<'T> = {
        Init = fun _ -> { Steps = 0L; Means = [] }
        Update =
            fun rate gradient state parameters ->
                struct (descend rate gradient parameters, { state with Steps = state.Steps + 1L })
    }

    /// xⁿ by squaring: of multiplications alone, it is the same on every machine.
    let rec private power (x: float) (n: int64) : float =
        if n = 0L then 1.0
        elif n % 2L = 0L then power (x * x) (n / 2L)
        else x * power (x * x) (n / 2L)

    /// A record with every tensor of the parameters replaced by as many zeros.
    let private zeros (parameters: Parameters<'T>) : Parameters<'T> =
        parameters
        |> Parameters.mapTensors (fun _ values -> Array.zeroCreate values.Length)

    /// <summary>Adam: with t steps done, this one included,
    /// m = β₁m + (1 − β₁)g, v = β₂v + (1 − β₂)g²,
    /// θ′ = θ − η · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε), element by element.</summary>
    /// <param name="beta1">β₁: how much of the mean of gradients stays at each step, 0 up to 1;
    /// the paper's is 0.9.</param>
    /// <param name="beta2">β₂: the same of the mean of squares; 0.999.</param>
    /// <param name="epsilon">ε, greater than 0: 10⁻⁸ in the paper and in PyTorch; the book's code has
    /// 10⁻⁷.</param>
    /// <returns>The optimizer; its state keeps m and v.</returns>
    /// <exception cref="T:System.ArgumentException">β₁, β₂ or ε is out of range; of an update, the state
    /// is another optimizer's, or two partners differ in shape.</exception>
    /// <remarks>Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015, algorithm
    /// 1.</remarks>
    [<CompiledName("Adam")>]
    let adam
        (beta1: float)
        (beta2: float)
        (epsilon: float)
        : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        for name, beta in [ nameof beta1, beta1; nameof beta2, beta2 ] do
            if not (beta >= 0.0 && beta < 1.0) then
                invalidArg name $"expected 0 or greater and less than 1, found {beta}"

        if not (epsilon > 0.0 && Double.IsFinite epsilon) then
            invalidArg (nameof epsilon) $"expected a finite number greater than 0, found {epsilon}"

        let number (x: float) = 'T.CreateTruncating x

        let update
            (rate: 'T)
            (gradient: Parameters<'T>)
            (state: OptimizerState<'T>)
            (parameters: Parameters<'T>)
            : struct (Parameters<'T> * OptimizerState<'T>) =
            let first, second =
                match state.Means with
                | [ first; second ] -> first, second
                | other ->
                    invalidArg
                        (nameof state)
                        $"expected the two means that Adam keeps, found {other.Length}"

            for other in [ parameters; first; second ] do
                Parameters.requireSameShape (nameof gradient) gradient other

            let steps = state.Steps + 1L

            let op = {
                Beta1Rest = number (1.0 - beta1)
                Beta2 = number beta2
                Beta2Rest = number (1.0 - beta2)
                Epsilon = number epsilon
                NegativeRate = number (-(Double.CreateTruncating rate) / (1.0 - power beta1 steps))
                Scale = number (1.0 / Math.Sqrt(1.0 - power beta2 steps))
            }

            let values = Parameters.tensors >> List.map snd

            let next =
                List.map2
                    (fun (g, theta) (m, v) -> Kernels.update op g theta m v)
                    (List.zip (values gradient) (values parameters))
                    (List.zip (values first) (values second))

            let part select =
                Parameters.ofTensors parameters (List.map select next)

            struct (part (fun struct (theta, _, _) -> theta),
                    {
                        Steps = steps
                        Means = [
                            part (fun struct (_, m, _) -> m)
                            part (fun struct (_, _, v) -> v)
                        ]
                    })

        {
            Init =
                fun parameters -> {
                    Steps = 0L
                    Means = [ zeros parameters; zeros parameters ]
                }
            Update = update
        }

    /// <summary>The optimizer that a run is told to use.</summary>
    [<CompiledName("OfMethod")>]
    let ofMethod
        (method: OptimizerMethod)
        : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        match method with
        | OptimizerMethod.GradientDescent -> gradientDescent
        | OptimizerMethod.Adam -> adam 0.9 0.999 1e-8

    /// <summary>Gradient descent on any function: x₀ and every xₖ₊₁ = xₖ − η ∇f(xₖ).</summary>
    /// <param name="rate">Learning rate η.</param>
    /// <param name="steps">How many steps, 0 or more.</param>
    /// <param name="gradient">∇f: <c>Gradient.numerical 1e-4 f</c>, say.</param>
    /// <param name="start">x₀.</param>
    /// <returns>The path: the start and the place after every step, <paramref name="steps"/> + 1
    /// vectors.</returns>
    [<CompiledName("Descent")>]
    let descent
        (rate: 'T)
        (steps: int)
        (gradient: Vector<'T> -> Vector<'T>)
        (start: Vector<'T>)
        : Vector<'T> list =
        List.scan (fun x _ -> Kernels.subtractScaledVector rate (gradient x) x) start [ 1..steps ]
