namespace Pipeline.Learning

open System.Numerics
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

[<Struct>]
type internal SigmoidOp<'T when 'T :> INumber<'T>> =
    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) = Elementary.Sigmoid<'V, 'T, 'L> x

[<Struct>]
type internal TanhOp<'T when 'T :> INumber<'T>> =
    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) = Elementary.Tanh<'V, 'T, 'L> x

[<Struct>]
type internal ReluOp<'T when 'T :> INumber<'T>> =
    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) =
            let zero = Elementary.Constant<'V, 'T, 'L> 0.0
            // This way round, not a number stays not a number and a diverging run is seen.
            'L.WhereGreater(zero, x, zero, x)

[<Struct>]
type internal IdentityOp<'T> =
    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) = x

[<Struct>]
type internal ExpOp<'T when 'T :> INumber<'T>> =
    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) = Elementary.Exp<'V, 'T, 'L> x

/// g·y(1 − y).
[<Struct>]
type internal SigmoidBackwardOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(output: 'V, upstream: 'V) =
            let one = Elementary.Constant<'V, 'T, 'L> 1.0
            'L.Multiply(upstream, 'L.Multiply(output, 'L.Subtract(one, output)))

/// g·(1 − y²).
[<Struct>]
type internal TanhBackwardOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(output: 'V, upstream: 'V) =
            let one = Elementary.Constant<'V, 'T, 'L> 1.0
            'L.Multiply(upstream, 'L.Subtract(one, 'L.Multiply(output, output)))

/// g where y > 0, else 0.
[<Struct>]
type internal ReluBackwardOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(output: 'V, upstream: 'V) =
            let zero = Elementary.Constant<'V, 'T, 'L> 0.0
            'L.WhereGreater(output, zero, upstream, zero)

[<Struct>]
type internal LeakyReluOp<'T when 'T :> INumber<'T>> =
    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) =
            let zero = Elementary.Constant<'V, 'T, 'L> 0.0
            'L.WhereGreater(zero, x, 'L.Multiply(Elementary.Constant<'V, 'T, 'L> 0.01, x), x)

/// g where y > 0, else g/100.
[<Struct>]
type internal LeakyReluBackwardOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(output: 'V, upstream: 'V) =
            let less = 'L.Multiply(Elementary.Constant<'V, 'T, 'L> 0.01, upstream)
            'L.WhereGreater(output, Elementary.Constant<'V, 'T, 'L> 0.0, upstream, less)

[<Struct>]
type internal EluOp<'T when 'T :> INumber<'T>> =
    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) =
            let zero = Elementary.Constant<'V, 'T, 'L> 0.0
            'L.WhereGreater(zero, x, Elementary.ExpLess1<'V, 'T, 'L> x, x)

/// g where y > 0, else g·(y + 1).
[<Struct>]
type internal EluBackwardOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(output: 'V, upstream: 'V) =
            let less =
                'L.Multiply(upstream, 'L.Add(output, Elementary.Constant<'V, 'T, 'L> 1.0))

            'L.WhereGreater(output, Elementary.Constant<'V, 'T, 'L> 0.0, upstream, less)

[<Struct>]
type internal GeluOp<'T when 'T :> INumber<'T>> =
    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) =
            'L.Multiply(x, NormalDistribution.Cumulative<'V, 'T, 'L> x)

/// g·(Φ(z) + zφ(z)).
[<Struct>]
type internal GeluBackwardOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(sum: 'V, upstream: 'V) =
            let slope =
                'L
                    .MultiplyAdd(
                        sum,
                        NormalDistribution.Density<'V, 'T, 'L> sum,
                        NormalDistribution.Cumulative<'V, 'T, 'L> sum
                    )

            'L.Multiply(upstream, slope)

[<Struct>]
type internal SiluOp<'T when 'T :> INumber<'T>> =
    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) =
            'L.Multiply(x, Elementary.Sigmoid<'V, 'T, 'L> x)

/// g·σ(z)(1 + z(1 − σ(z))).
[<Struct>]
type internal SiluBackwardOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(sum: 'V, upstream: 'V) =
            let one = Elementary.Constant<'V, 'T, 'L> 1.0
            let sigmoid = Elementary.Sigmoid<'V, 'T, 'L> sum
            let rest = 'L.MultiplyAdd(sum, 'L.Subtract(one, sigmoid), one)
            'L.Multiply(upstream, 'L.Multiply(sigmoid, rest))

[<Struct>]
type internal SoftplusOp<'T when 'T :> INumber<'T>> =
    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) = Elementary.Softplus<'V, 'T, 'L> x

/// g·σ(z).
[<Struct>]
type internal SoftplusBackwardOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(sum: 'V, upstream: 'V) =
            'L.Multiply(upstream, Elementary.Sigmoid<'V, 'T, 'L> sum)

/// What a hidden layer makes of its affine map's result, element by element.
[<RequireQualifiedAccess>]
type Activation =
    /// σ(z) = 1 / (1 + e⁻ᶻ), range (0, 1).
    | Sigmoid
    /// tanh z, range (−1, 1).
    | Tanh
    /// max(0, z), range [0, ∞).
    | Relu
    /// z itself.
    | Identity
    /// <summary>z where z > 0, else z/100.</summary>
    /// <remarks>Source: Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic
    /// models, 2013.</remarks>
    | LeakyRelu
    /// <summary>z where z > 0, else eᶻ − 1, range (−1, ∞).</summary>
    /// <remarks>Source: Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by
    /// exponential linear units, 2015, with α = 1.</remarks>
    | Elu
    /// <summary>z·Φ(z), Φ being the standard normal distribution.</summary>
    /// <remarks>Source: Hendrycks and Gimpel, Gaussian error linear units, 2016: the exact form, not one
    /// of its approximations by tanh or σ.</remarks>
    | Gelu
    /// <summary>z·σ(z).</summary>
    /// <remarks>Sources: Elfwing, Uchibe and Doya, Sigmoid-weighted linear units for neural network
    /// function approximation in reinforcement learning, 2017; Ramachandran, Zoph and Le, Searching for
    /// activation functions, 2017, whose Swish it is with β = 1.</remarks>
    | Silu
    /// <summary>ln(1 + eᶻ), range (0, ∞).</summary>
    /// <remarks>Source: Dugas, Bengio, Bélisle, Nadeau and Garcia, Incorporating second-order functional
    /// knowledge for better option pricing, 2000.</remarks>
    | Softplus

/// <summary>Activation functions, softmax, and their derivatives.</summary>
/// <remarks>All of them are safe at any finite number: none overflows on the way to a finite result.
/// Source: Deep Learning from Scratch, ch. 3; of those that are not the book's, see each.</remarks>
[<RequireQualifiedAccess>]
module Activation =
    /// Every activation with the name it has in settings.
    let private names = [
        "Sigmoid", Activation.Sigmoid
        "Tanh", Activation.Tanh
        "Relu", Activation.Relu
        "Identity", Activation.Identity
        "LeakyRelu", Activation.LeakyRelu
        "Elu", Activation.Elu
        "Gelu", Activation.Gelu
        "Silu", Activation.Silu
        "Softplus", Activation.Softplus
    ]

    /// Every activation.
    [<CompiledName("All")>]
    let all: Activation list = List.map snd names

    /// <summary>The activation of that name, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<Activation, Fault list> =
        Fault.parseName "Activation" names name

    /// <summary>σ(z) = 1 / (1 + e⁻ᶻ) of every element.</summary>
    [<CompiledName("Sigmoid")>]
    let sigmoid (z: Matrix<'T>) : Matrix<'T> = Kernels.map (SigmoidOp<'T>()) z

    /// <summary>tanh z of every element.</summary>
    [<CompiledName("Tanh")>]
    let tanh (z: Matrix<'T>) : Matrix<'T> = Kernels.map (TanhOp<'T>()) z

    /// <summary>max(0, z) of every element.</summary>
    [<CompiledName("Relu")>]
    let relu (z: Matrix<'T>) : Matrix<'T> = Kernels.map (ReluOp<'T>()) z

    /// <summary>eᶻ of every element.</summary>
    [<CompiledName("Exp")>]
    let exp (z: Matrix<'T>) : Matrix<'T> = Kernels.map (ExpOp<'T>()) z

    /// The activation of every element of x, into an array made for it: x itself may be one.
    let private into (result: 'T[]) (activation: Activation) (x: 'T[]) : unit =
        match activation with
        | Activation.Sigmoid -> Kernels.mapInto result (SigmoidOp<'T>()) x
        | Activation.Tanh -> Kernels.mapInto result (TanhOp<'T>()) x
        | Activation.Relu -> Kernels.mapInto result (ReluOp<'T>()) x
        | Activation.Identity -> Kernels.mapInto result (IdentityOp<'T>()) x
        | Activation.LeakyRelu -> Kernels.mapInto result (LeakyReluOp<'T>()) x
        | Activation.Elu -> Kernels.mapInto result (EluOp<'T>()) x
        | Activation.Gelu -> Kernels.mapInto result (GeluOp<'T>()) x
        | Activation.Silu -> Kernels.mapInto result (SiluOp<'T>()) x
        | Activation.Softplus -> Kernels.mapInto result (SoftplusOp<'T>()) x

    /// <summary>The activation of every element of z.</summary>
    [<CompiledName("Apply")>]
    let apply (activation: Activation) (z: Matrix<'T>) : Matrix<'T> =
        let result = Kernels.newArray z.RowCount z.ColumnCount
        into result activation (Kernels.values z)
        Kernels.matrix z.RowCount z.ColumnCount result

    /// Whether the way back needs z: the slope cannot be told from y.
    let internal keepsSums (activation: Activation) : bool =
        match activation with
        | Activation.Gelu
        | Activation.Silu
        | Activation.Softplus -> true
        | _ -> false

    /// The activation of sums just made, and what the way back needs of it, z or y. Where that is y, it
    /// takes the place of the sums.
    let internal pass (activation: Activation) (z: Matrix<'T>) : struct (Matrix<'T> * Matrix<'T>) =
        if keepsSums activation then
            struct (apply activation z, z)
        else
            if activation <> Activation.Identity then
                into (Kernels.values z) activation (Kernels.values z)

            struct (z, z)

    let private backInto
        (result: 'T[])
        (activation: Activation)
        (kept: 'T[])
        (upstream: 'T[])
        : unit =
        match activation with
        | Activation.Sigmoid -> Kernels.map2Into result (SigmoidBackwardOp<'T>()) kept upstream
        | Activation.Tanh -> Kernels.map2Into result (TanhBackwardOp<'T>()) kept upstream
        | Activation.Relu -> Kernels.map2Into result (ReluBackwardOp<'T>()) kept upstream
        | Activation.Identity -> Kernels.mapInto result (IdentityOp<'T>()) upstream
        | Activation.LeakyRelu -> Kernels.map2Into result (LeakyReluBackwardOp<'T>()) kept upstream
        | Activation.Elu -> Kernels.map2Into result (EluBackwardOp<'T>()) kept upstream
        | Activation.Gelu -> Kernels.map2Into result (GeluBackwardOp<'T>()) kept upstream
        | Activation.Silu -> Kernels.map2Into result (SiluBackwardOp<'T>()) kept upstream
        | Activation.Softplus -> Kernels.map2Into result (SoftplusBackwardOp<'T>()) kept upstream

    /// The chain rule through an activation, from what <c>pass</c> kept; the gradient, just made,
    /// becomes the result.
    let internal back
        (activation: Activation)
        (kept: Matrix<'T>)
        (upstream: Matrix<'T>)
        : Matrix<'T> =
        if activation <> Activation.Identity then
            let gradient = Kernels.values upstream
            backInto gradient activation (Kernels.values kept) gradient

        upstream

    /// <summary>The chain rule through an activation y = f(z): ∂L/∂z = ∂L/∂y · f′(z).</summary>
    /// <param name="activation">f.</param>
    /// <param name="z">What it was applied to, of any shape.</param>
    /// <param name="upstream">∂L/∂y, of z's shape.</param>
    /// <returns>∂L/∂z, of z's shape. At a kink (ReLU and leaky ReLU at 0) the slope is the one to its
    /// left.</returns>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("Backward")>]
    let backward (activation: Activation) (z: Matrix<'T>) (upstream: Matrix<'T>) : Matrix<'T> =
        Kernels.requireSameShape (nameof upstream) z upstream
        let kept = if keepsSums activation then z else apply activation z
        let result = Kernels.newArray z.RowCount z.ColumnCount
        backInto result activation (Kernels.values kept) (Kernels.values upstream)
        Kernels.matrix z.RowCount z.ColumnCount result

    /// <summary>f′(z) of every element.</summary>
    [<CompiledName("Derivative")>]
    let derivative
        (activation: Activation)
        (z: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Matrix<'T> =
        backward activation z (Matrix<'T>.Build.Dense(z.RowCount, z.ColumnCount, 'T.One))

    /// Softmax of every column, the greatest element z of the column and Σⱼ e^(zⱼ − z).
    let internal softmaxParts
        (logits: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : struct (Matrix<'T> * 'T[] * 'T[]) =
        let shares = Kernels.newArray logits.RowCount logits.ColumnCount
        let greatest = Array.zeroCreate logits.ColumnCount
        let sums = Array.zeroCreate logits.ColumnCount

        Simd.run logits.ColumnCount {
            Logits = Kernels.values logits
            Rows = logits.RowCount
            Shares = shares
            Greatest = greatest
            Sums = sums
        }

        struct (Kernels.matrix logits.RowCount logits.ColumnCount shares, greatest, sums)

    /// <summary>Softmax of every column: yₖ = e^(zₖ) / Σⱼ e^(zⱼ), with the column's greatest element
    /// subtracted first.</summary>
    /// <param name="logits">z: (classes, batch).</param>
    /// <returns>y: (classes, batch); every column sums to 1.</returns>
    [<CompiledName("Softmax")>]
    let softmax (logits: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : Matrix<'T> =
        let struct (shares, _, _) = softmaxParts logits
        shares

    /// <summary>The chain rule through softmax: ∂L/∂zₖ = yₖ(gₖ − Σⱼ gⱼyⱼ), column by column.</summary>
    /// <param name="output">y = softmax(z): (classes, batch).</param>
    /// <param name="upstream">g = ∂L/∂y: (classes, batch).</param>
    /// <returns>∂L/∂z: (classes, batch).</returns>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("SoftmaxBackward")>]
    let softmaxBackward
        (output: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (upstream: Matrix<'T>)
        : Matrix<'T> =
        Kernels.requireSameShape (nameof upstream) output upstream
        let y, g = Kernels.values output, Kernels.values upstream
        let rows = output.RowCount
        let products = Array.map2 (fun y g -> y * g) y g
        let weighted = Kernels.columnSums (Kernels.matrix rows output.ColumnCount products)

        Array.init y.Length (fun i -> y[i] * (g[i] - weighted[i / rows]))
        |> Kernels.matrix rows output.ColumnCount
