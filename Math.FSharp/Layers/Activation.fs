namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic
open Pipeline.Learning.Formats

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

/// g.
[<Struct>]
type internal IdentityBackwardOp<'T> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(_output: 'V, upstream: 'V) = upstream

/// A function of each number, f(z).
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

    /// The case's name.
    override activation.ToString() =
        match activation with
        | Sigmoid -> nameof Sigmoid
        | Tanh -> nameof Tanh
        | Relu -> nameof Relu
        | Identity -> nameof Identity
        | LeakyRelu -> nameof LeakyRelu
        | Elu -> nameof Elu
        | Gelu -> nameof Gelu
        | Silu -> nameof Silu
        | Softplus -> nameof Softplus

/// Something to do with the loops of an activation and of its derivative.
type internal IActivationUser<'T, 'R> =
    abstract Use<'F, 'B when 'F :> IMap<'T> and 'B :> IMap2<'T>> : forward: 'F * backward: 'B -> 'R

/// An activation's entry: everything but its loops.
type internal ActivationDefinition = {
    Activation: Activation
    /// Whether the backward pass needs z because y does not determine the slope.
    NeedsInput: bool
    /// How units can be stuck.
    Saturation: Saturation voption
    /// The ONNX operations that compute it from the name of z.
    Onnx: OnnxDraft -> string -> string
}

/// <summary>Activation functions and their derivatives.</summary>
/// <remarks>All of them are safe at any finite number: none overflows on the way to a finite result.
/// Source: Deep Learning from Scratch, ch. 3; of those that are not the book's, see each.</remarks>
[<RequireQualifiedAccess>]
module Activation =
    /// Φ(x) in double: ½ erfc(−x/√2) by the series of Elementary.NormalCumulative, Clenshaw's rule
    /// written out.
    let private normalCumulative (draft: OnnxDraft) (x: string) : string =
        let one, two, half = draft.Number 1.0, draft.Number 2.0, draft.Number 0.5
        let w = draft.Add("Mul", [ draft.Add("Abs", [ x ]); draft.Number(Math.Sqrt 0.5) ])
        let t = draft.Add("Div", [ two; draft.Add("Add", [ two; w ]) ])
        let place = draft.Add("Sub", [ draft.Add("Mul", [ t; two ]); one ])
        let twice = draft.Add("Mul", [ place; two ])

        let struct (above, sum) =
            List.foldBack
                (fun coefficient (struct (above, sum)) ->
                    let product = draft.Add("Mul", [ twice; sum ])
                    let rest = draft.Add("Sub", [ draft.Number coefficient; above ])
                    struct (sum, draft.Add("Add", [ product; rest ])))
                (List.ofArray NormalTail.coefficients).Tail
                (struct (draft.Number 0.0, draft.Number 0.0))

        let first = draft.Number NormalTail.coefficients[0]

        let ratio =
            draft.Add(
                "Add",
                [ draft.Add("Mul", [ place; sum ]); draft.Add("Sub", [ first; above ]) ]
            )

        let square = draft.Add("Mul", [ w; w ])
        let exponential = draft.Add("Exp", [ draft.Add("Neg", [ square ]) ])

        let tail =
            draft.Add(
                "Mul",
                [ draft.Add("Mul", [ t; half ]); draft.Add("Mul", [ exponential; ratio ]) ]
            )

        let positive = draft.Add("Greater", [ x; draft.Number 0.0 ])
        draft.Add("Where", [ positive; draft.Add("Sub", [ one; tail ]); tail ])

    let private onnxElu (draft: OnnxDraft) (z: string) : string =
        if draft.IsSingle then
            draft.Add("Elu", [ z ], [ "alpha", OnnxAttribute.Number 1.0f ])
        else
            // max(z, 0) + e^min(z, 0) − 1.
            let low = draft.Add("Min", [ z; draft.Number 0.0 ])
            let less = draft.Add("Sub", [ draft.Add("Exp", [ low ]); draft.Number 1.0 ])
            draft.Add("Add", [ draft.Add("Relu", [ z ]); less ])

    let private onnxLeakyRelu (draft: OnnxDraft) (z: string) : string =
        if draft.IsSingle then
            draft.Add("LeakyRelu", [ z ], [ "alpha", OnnxAttribute.Number 0.01f ])
        else
            // An attribute would hold the slope in single precision.
            draft.Add("Max", [ z; draft.Add("Mul", [ z; draft.Number 0.01 ]) ])

    let private onnxSoftplus (draft: OnnxDraft) (z: string) : string =
        if draft.IsSingle then
            draft.Add("Softplus", [ z ])
        else
            // max(z, 0) + ln(1 + e^−|z|).
            let low = draft.Add("Neg", [ draft.Add("Abs", [ z ]) ])
            let sum = draft.Add("Add", [ draft.Add("Exp", [ low ]); draft.Number 1.0 ])
            draft.Add("Add", [ draft.Add("Relu", [ z ]); draft.Add("Log", [ sum ]) ])

    let private onnxGelu (draft: OnnxDraft) (z: string) : string =
        if draft.IsSingle then
            let scaled = draft.Add("Mul", [ z; draft.Number(Math.Sqrt 0.5) ])
            let twice = draft.Add("Add", [ draft.Add("Erf", [ scaled ]); draft.Number 1.0 ])
            let half = draft.Add("Mul", [ z; draft.Number 0.5 ])
            draft.Add("Mul", [ half; twice ])
        else
            draft.Add("Mul", [ z; normalCumulative draft z ])

    let private define
        (activation: Activation)
        (onnx: OnnxDraft -> string -> string)
        : ActivationDefinition = {
        Activation = activation
        NeedsInput = false
        Saturation = ValueNone
        Onnx = onnx
    }

    let private saturates (greatest: float) (stuck: string) : Saturation voption =
        ValueSome {
            GreatestSlope = greatest
            Stuck = stuck
        }

    let private flat = "saturated: their slope is near 0"

    let private definitions = [
        {
            define Activation.Sigmoid (fun draft z -> draft.Add("Sigmoid", [ z ])) with
                Saturation = saturates 0.25 flat
        }
        {
            define Activation.Tanh (fun draft z -> draft.Add("Tanh", [ z ])) with
                Saturation = saturates 1.0 flat
        }
        {
            define Activation.Relu (fun draft z -> draft.Add("Relu", [ z ])) with
                Saturation = saturates 1.0 "dead: they give 0"
        }
        define Activation.Identity (fun _ z -> z)
        define Activation.LeakyRelu onnxLeakyRelu
        define Activation.Elu onnxElu
        {
            define Activation.Gelu onnxGelu with
                NeedsInput = true
        }
        {
            define Activation.Silu (fun draft z ->
                draft.Add("Mul", [ z; draft.Add("Sigmoid", [ z ]) ])) with
                NeedsInput = true
        }
        {
            define Activation.Softplus onnxSoftplus with
                NeedsInput = true
        }
    ]

    /// Gives the user the loops of an activation.
    let internal visit
        (user: IActivationUser<'T, 'R> when 'T :> INumber<'T>)
        (activation: Activation)
        : 'R =
        match activation with
        | Activation.Sigmoid -> user.Use(SigmoidOp<'T>(), SigmoidBackwardOp<'T>())
        | Activation.Tanh -> user.Use(TanhOp<'T>(), TanhBackwardOp<'T>())
        | Activation.Relu -> user.Use(ReluOp<'T>(), ReluBackwardOp<'T>())
        | Activation.Identity -> user.Use(IdentityOp<'T>(), IdentityBackwardOp<'T>())
        | Activation.LeakyRelu -> user.Use(LeakyReluOp<'T>(), LeakyReluBackwardOp<'T>())
        | Activation.Elu -> user.Use(EluOp<'T>(), EluBackwardOp<'T>())
        | Activation.Gelu -> user.Use(GeluOp<'T>(), GeluBackwardOp<'T>())
        | Activation.Silu -> user.Use(SiluOp<'T>(), SiluBackwardOp<'T>())
        | Activation.Softplus -> user.Use(SoftplusOp<'T>(), SoftplusBackwardOp<'T>())

    /// What is known of an activation.
    let internal definition (activation: Activation) : ActivationDefinition =
        definitions |> List.find (fun definition -> definition.Activation = activation)

    /// Every activation.
    [<CompiledName("All")>]
    let all: Activation list = definitions |> List.map _.Activation

    /// <summary>The activation of that name, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<Activation, Fault list> =
        Fault.parseCase "Activation" all name

    /// f of each element of x, into an array made for it: x itself may be one.
    let internal applyInto (result: 'T[]) (activation: Activation) (x: 'T[]) : unit =
        activation
        |> visit
            {
                new IActivationUser<'T, 'T[]> with
                    member _.Use(forward, _) =
                        Kernels.mapInto result forward x
                        result
            }
        |> ignore

    /// g·f′ of each element, from what the backward pass needs (z or y) and g, into an array made for it: either
    /// may be one.
    let internal backwardInto
        (result: 'T[])
        (activation: Activation)
        (kept: 'T[])
        (upstream: 'T[])
        : unit =
        activation
        |> visit
            {
                new IActivationUser<'T, 'T[]> with
                    member _.Use(_, backward) =
                        Kernels.map2Into result backward kept upstream
                        result
            }
        |> ignore

    /// <summary>f(z) of every element.</summary>
    /// <param name="activation">f.</param>
    /// <param name="z">Any matrix.</param>
    /// <returns>A matrix of z's shape.</returns>
    [<CompiledName("Apply")>]
    let apply (activation: Activation) (z: Matrix<'T>) : Matrix<'T> =
        let result = Kernels.newArray z.RowCount z.ColumnCount
        applyInto result activation (Kernels.values z)
        Kernels.matrix z.RowCount z.ColumnCount result

    /// The chain rule through an activation y = f(z): ∂L/∂z = ∂L/∂y · f′(z). At a kink (ReLU and leaky ReLU at 0)
    /// the slope is the one to its left. Throws an ArgumentException if the shapes differ.
    let internal backward
        (activation: Activation)
        (z: Matrix<'T>)
        (upstream: Matrix<'T>)
        : Matrix<'T> =
        Kernels.requireSameShape (nameof upstream) z upstream

        let kept =
            if (definition activation).NeedsInput then
                z
            else
                apply activation z

        let result = Kernels.newArray z.RowCount z.ColumnCount
        backwardInto result activation (Kernels.values kept) (Kernels.values upstream)
        Kernels.matrix z.RowCount z.ColumnCount result

    /// <summary>f′(z) of every element; at a kink (ReLU and leaky ReLU at 0) the slope to its left.</summary>
    /// <param name="activation">f.</param>
    /// <param name="z">Any matrix.</param>
    /// <returns>A matrix of z's shape.</returns>
    [<CompiledName("Derivative")>]
    let derivative
        (activation: Activation)
        (z: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Matrix<'T> =
        backward activation z (Matrix<'T>.Build.Dense(z.RowCount, z.ColumnCount, 'T.One))
