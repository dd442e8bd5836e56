namespace Pipeline.Learning

open MathNet.Numerics.LinearAlgebra

/// <summary>Turning a gradient into the next parameters.</summary>
/// <remarks>Source: Deep Learning from Scratch, ch. 4, gradient method.</remarks>
[<RequireQualifiedAccess>]
module Optimizer =
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
