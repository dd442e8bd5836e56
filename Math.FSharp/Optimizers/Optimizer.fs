namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

/// v′ = μv + g, θ′ = θ − ηv′.
[<Struct>]
type internal MomentumOp<'T when 'T :> INumber<'T>> = {
    Momentum: 'T
    NegativeRate: 'T
} with

    interface IUpdate<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>
            (gradient: 'V, parameter: 'V, velocity: 'V, _same: 'V)
            : struct ('V * 'V * 'V) =
            let v = 'L.MultiplyAdd('L.Create op.Momentum, velocity, gradient)
            struct ('L.MultiplyAdd('L.Create op.NegativeRate, v, parameter), v, v)

/// v′ = μv + g, θ′ = θ − η(g + μv′).
[<Struct>]
type internal NesterovOp<'T when 'T :> INumber<'T>> = {
    Momentum: 'T
    NegativeRate: 'T
} with

    interface IUpdate<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>
            (gradient: 'V, parameter: 'V, velocity: 'V, _same: 'V)
            : struct ('V * 'V * 'V) =
            let momentum = 'L.Create op.Momentum
            let v = 'L.MultiplyAdd(momentum, velocity, gradient)
            let ahead = 'L.MultiplyAdd(momentum, v, gradient)
            struct ('L.MultiplyAdd('L.Create op.NegativeRate, ahead, parameter), v, v)

/// s′ = s·decay + weight·g², θ′ = θ − ηg / (√s′ + ε).
[<Struct>]
type internal SquaresOp<'T when 'T :> INumber<'T>> = {
    Decay: 'T
    Weight: 'T
    Epsilon: 'T
    NegativeRate: 'T
} with

    interface IUpdate<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>
            (gradient: 'V, parameter: 'V, squares: 'V, _same: 'V)
            : struct ('V * 'V * 'V) =
            let kept = 'L.Multiply('L.Create op.Decay, squares)
            let s = 'L.MultiplyAdd('L.Multiply('L.Create op.Weight, gradient), gradient, kept)
            let size = 'L.Add('L.SquareRoot s, 'L.Create op.Epsilon)
            let step = 'L.Divide('L.Multiply('L.Create op.NegativeRate, gradient), size)
            struct ('L.Add(parameter, step), s, s)

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
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>
            (gradient: 'V, parameter: 'V, mean: 'V, squares: 'V)
            : struct ('V * 'V * 'V) =
            let m = 'L.MultiplyAdd('L.Create op.Beta1Rest, 'L.Subtract(gradient, mean), mean)

            let square = 'L.Multiply('L.Create op.Beta2Rest, gradient)
            let v = 'L.MultiplyAdd(square, gradient, 'L.Multiply('L.Create op.Beta2, squares))

            let size = 'L.MultiplyAdd('L.SquareRoot v, 'L.Create op.Scale, 'L.Create op.Epsilon)

            let step = 'L.Divide('L.Multiply('L.Create op.NegativeRate, m), size)
            struct ('L.Add(parameter, step), m, v)

/// θ′ = θ − η·sign(m + (1 − β₁)(g − m)), m′ = m + (1 − β₂)(g − m).
[<Struct>]
type internal LionOp<'T when 'T :> INumber<'T>> = {
    Beta1Rest: 'T
    Beta2Rest: 'T
    NegativeRate: 'T
} with

    interface IUpdate<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>
            (gradient: 'V, parameter: 'V, mean: 'V, _same: 'V)
            : struct ('V * 'V * 'V) =
            let change = 'L.Subtract(gradient, mean)
            let direction = 'L.MultiplyAdd('L.Create op.Beta1Rest, change, mean)
            let m = 'L.MultiplyAdd('L.Create op.Beta2Rest, change, mean)
            let sign = Elementary.Sign<'V, 'T, 'L> direction
            struct ('L.MultiplyAdd('L.Create op.NegativeRate, sign, parameter), m, m)

/// <summary>Rules that turn gradients into the next parameters.</summary>
/// <remarks>Source: Deep Learning from Scratch, ch. 4 (gradient method) and 6 (momentum, AdaGrad,
/// RMSProp, Adam). Where a rule has variants, these are PyTorch's.</remarks>
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

    /// <summary>Gradient descent: every step is <c>descend</c>, and nothing is remembered.</summary>
    [<CompiledName("GradientDescent")>]
    let gradientDescent<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> : Optimizer<'T> = {
        Init = fun _ -> { Steps = 0L; Memory = [] }
        Update =
            fun rate gradient state parameters ->
                struct (descend rate gradient parameters, { state with Steps = state.Steps + 1L })
        LayerUpdate = ValueSome LayerGradient.descend
        Search = ValueNone
    }

    let private number (x: float) : 'T :> IBinaryFloatingPointIeee754<'T> = 'T.CreateTruncating x

    /// ε as the run computes with it. Where it became 0, a parameter that gets no gradient would be 0 / 0.
    let private epsilonOf (epsilon: float) : 'T =
        let own: 'T = number epsilon

        if not (NumberRange.positive.Holds(Double.CreateTruncating own)) then
            invalidArg
                (nameof epsilon)
                (invariant
                    $"expected a finite number greater than 0 in the run's precision, found {epsilon}")

        own

    /// An optimizer with one memory a parameter or two, which begin at 0; `rule` makes what the rate and
    /// the number of steps, this one included, ask for.
    let private remembering
        (names: string list)
        (rule: 'T -> int64 -> 'Op :> IUpdate<'T>)
        : Optimizer<'T> =
        let update
            (rate: 'T)
            (gradient: Parameters<'T>)
            (state: OptimizerState<'T>)
            (parameters: Parameters<'T>)
            : struct (Parameters<'T> * OptimizerState<'T>) =
            OptimizerState.requireMemory names state
            let memories = state.Memory |> List.map _.Values

            for other in parameters :: memories do
                Parameters.requireSameShape (nameof gradient) gradient other

            let steps = state.Steps + 1L
            let op = rule rate steps

            let next =
                List.map3
                    (Kernels.update op)
                    (Parameters.arrays gradient)
                    (Parameters.arrays parameters)
                    (memories |> List.map Parameters.arrays |> List.transpose)

            let shaped = Parameters.ofArrays parameters

            struct (next |> List.map (fun struct (theta, _) -> theta) |> shaped,
                    {
                        Steps = steps
                        Memory =
                            next
                            |> List.map (fun struct (_, memories) -> memories)
                            |> List.transpose
                            |> List.map2
                                (fun name values -> { Name = name; Values = shaped values })
                                names
                    })

        {
            Init = OptimizerState.zeros names
            Update = update
            LayerUpdate = ValueNone
            Search = ValueNone
        }

    /// <summary>Momentum: v = μv + g, θ′ = θ − ηv.</summary>
    /// <param name="momentum">μ: how much of the velocity v stays at each step, 0 up to 1; 0.9 is
    /// usual, 0 is gradient descent.</param>
    /// <exception cref="T:System.ArgumentException">μ is out of range; of an update, the state is
    /// another optimizer's, or two partners differ in shape.</exception>
    /// <remarks>Source: PyTorch's SGD. The book (ch. 6) keeps v = μv − ηg instead and adds it: the same
    /// as long as η stays.</remarks>
    [<CompiledName("Momentum")>]
    let momentum (momentum: float) : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        NumberRange.require (nameof momentum) NumberRange.share momentum

        remembering [ "velocity" ] (fun (rate: 'T) _ -> {
            MomentumOp.Momentum = number momentum
            NegativeRate = -rate
        })

    /// <summary>Nesterov's momentum: v = μv + g, θ′ = θ − η(g + μv).</summary>
    /// <param name="momentum">μ: how much of the velocity v stays at each step, 0 up to 1; 0.9 is
    /// usual, 0 is gradient descent.</param>
    /// <returns>The optimizer; its state keeps v.</returns>
    /// <exception cref="T:System.ArgumentException">μ is out of range; of an update, the state is
    /// another optimizer's, or two partners differ in shape.</exception>
    /// <remarks>Source: PyTorch's SGD with <c>nesterov=True</c>. Sutskever, Martens, Dahl and Hinton, On
    /// the importance of initialization and momentum in deep learning, 2013, keep v = μv − ηg and take
    /// the gradient at θ + μv: with that place as θ, the steps are the same as long as η
    /// stays.</remarks>
    [<CompiledName("Nesterov")>]
    let nesterov (momentum: float) : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        NumberRange.require (nameof momentum) NumberRange.share momentum

        remembering [ "velocity" ] (fun (rate: 'T) _ -> {
            NesterovOp.Momentum = number momentum
            NegativeRate = -rate
        })

    /// <summary>AdaGrad: s = s + g², θ′ = θ − ηg / (√s + ε), element by element.</summary>
    /// <param name="epsilon">ε, greater than 0: 10⁻¹⁰ in PyTorch, 10⁻⁷ in the book.</param>
    /// <exception cref="T:System.ArgumentException">ε is out of range; of an update, the state is
    /// another optimizer's, or two partners differ in shape.</exception>
    /// <remarks>Source: Duchi, Hazan and Singer, Adaptive subgradient methods, JMLR 12 (2011).</remarks>
    [<CompiledName("AdaGrad")>]
    let adaGrad (epsilon: float) : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let epsilon = epsilonOf epsilon

        remembering [ "squares" ] (fun (rate: 'T) _ -> {
            Decay = 'T.One
            Weight = 'T.One
            Epsilon = epsilon
            NegativeRate = -rate
        })

    /// <summary>RMSProp: s = αs + (1 − α)g², θ′ = θ − ηg / (√s + ε), element by element.</summary>
    /// <param name="decay">α: how much of the mean of squares stays at each step, 0 up to 1; 0.99 in
    /// PyTorch and in the book.</param>
    /// <param name="epsilon">ε, greater than 0: 10⁻⁸ in PyTorch, 10⁻⁷ in the book.</param>
    /// <exception cref="T:System.ArgumentException">α or ε is out of range; of an update, the state is
    /// another optimizer's, or two partners differ in shape.</exception>
    /// <remarks>Source: Tieleman and Hinton, Neural networks for machine learning, lecture 6.5
    /// (2012).</remarks>
    [<CompiledName("RmsProp")>]
    let rmsProp
        (decay: float)
        (epsilon: float)
        : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        NumberRange.require (nameof decay) NumberRange.share decay
        let epsilon = epsilonOf epsilon

        remembering [ "squares" ] (fun (rate: 'T) _ -> {
            Decay = number decay
            Weight = number (1.0 - decay)
            Epsilon = epsilon
            NegativeRate = -rate
        })

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
        NumberRange.require (nameof beta1) NumberRange.share beta1
        NumberRange.require (nameof beta2) NumberRange.share beta2
        let epsilon = epsilonOf epsilon

        remembering [ "mean"; "squares" ] (fun (rate: 'T) steps -> {
            Beta1Rest = number (1.0 - beta1)
            Beta2 = number beta2
            Beta2Rest = number (1.0 - beta2)
            Epsilon = epsilon
            NegativeRate =
                number (-(Double.CreateTruncating rate) / (1.0 - ScalarMath.Power(beta1, steps)))
            Scale = number (1.0 / Math.Sqrt(1.0 - ScalarMath.Power(beta2, steps)))
        })

    /// <summary>Lion: θ′ = θ − η·sign(β₁m + (1 − β₁)g), then m = β₂m + (1 − β₂)g, element by
    /// element.</summary>
    /// <param name="beta1">β₁: how much the mean m counts in a step, 0 up to 1; the paper's is
    /// 0.9.</param>
    /// <param name="beta2">β₂: how much of m stays, 0 up to 1; 0.99.</param>
    /// <exception cref="T:System.ArgumentException">β₁ or β₂ is out of range; of an update, the state is
    /// another optimizer's, or two partners differ in shape.</exception>
    /// <remarks>Source: Chen et al., Symbolic discovery of optimization algorithms, 2023. Its rates are
    /// three to ten times smaller than Adam's; its weight decay is <c>Transform.weightDecay</c>.</remarks>
    [<CompiledName("Lion")>]
    let lion
        (beta1: float)
        (beta2: float)
        : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        NumberRange.require (nameof beta1) NumberRange.share beta1
        NumberRange.require (nameof beta2) NumberRange.share beta2

        remembering [ "mean" ] (fun (rate: 'T) _ -> {
            Beta1Rest = number (1.0 - beta1)
            Beta2Rest = number (1.0 - beta2)
            NegativeRate = -rate
        })

    /// How many pairs L-BFGS may keep.
    let internal histories: NumberRange<float> = {
        Text = "a whole number of 1 to 100"
        Holds = fun count -> count >= 1.0 && count <= 100.0 && Math.Floor count = count
    }

    /// <summary>L-BFGS: θ′ = θ − αH·g. H approximates the inverse of the matrix of second derivatives by the last
    /// m pairs of s = θ′ − θ and y = g′ − g, and a line search finds α.</summary>
    /// <param name="history">m, 1 to 100; 10 is usual.</param>
    /// <returns>The optimizer. Its state keeps 2m + 2 numbers for each parameter: the pairs as s1, y1 (the newest),
    /// s2, y2, …, and of a step without a line search the move and the gradient before it.</returns>
    /// <exception cref="T:System.ArgumentException">m is out of range; of a step, the state is another
    /// optimizer's, or two partners differ in shape.</exception>
    /// <remarks>
    /// It is for losses of all training samples at once, as pairs of different mini-batches do not describe one
    /// function. <c>Search</c> tries α = η first, where 1 is the usual rate, then others until α satisfies the strong
    /// Wolfe conditions: L(θ′) ≤ L(θ) + 10⁻⁴α·g·d and |g′·d| ≤ 0.9|g·d| with d = −H·g. Where no α lowers the
    /// loss, the pairs are forgotten and d is −g; if no α lowers the loss there either, θ stays. <c>Update</c>
    /// alone takes α = η without looking at the loss. Without pairs, at the first step, H is 1 and η is
    /// multiplied by min(1, 1/Σ|g|). A pair with s·y ≤ 10⁻¹⁰y·y is left out.
    /// Source: Nocedal and Wright, Numerical optimization, 2nd ed. (2006), algorithms 7.4 and 7.5 with the line
    /// search of 3.5 and 3.6; the first length, the constants and the interpolation are those of PyTorch's LBFGS
    /// with <c>strong_wolfe</c>, which follows the same path. The condition of a pair: Byrd, Lu, Nocedal and
    /// Zhu, A limited memory algorithm for bound constrained optimization, 1995, equation 3.9.
    /// </remarks>
    [<CompiledName("Lbfgs")>]
    let lbfgs (history: int) : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        NumberRange.require (nameof history) histories (float history)
        Lbfgs.optimizer history

    /// <summary>One step of an optimizer on any function: with its line search, if it has one.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="rate">Learning rate η.</param>
    /// <param name="objective">The function: its value and gradient at any parameters.</param>
    /// <param name="state">The optimizer's state.</param>
    /// <param name="parameters">θ, left as it was.</param>
    /// <returns>The function's value at θ, the next parameters and the next state.</returns>
    /// <exception cref="T:System.ArgumentException">The state is another optimizer's, or two partners differ in
    /// shape.</exception>
    [<CompiledName("Step")>]
    let step
        (optimizer: Optimizer<'T>)
        (rate: 'T)
        (objective: Parameters<'T> -> struct ('T * Parameters<'T>))
        (state: OptimizerState<'T>)
        (parameters: Parameters<'T>)
        : struct ('T * Parameters<'T> * OptimizerState<'T>) =
        let struct (value, gradient) = objective parameters

        let struct (next, state) =
            match optimizer.Search with
            | ValueSome search -> search rate objective value gradient state parameters
            | ValueNone -> optimizer.Update rate gradient state parameters

        struct (value, next, state)

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

/// Makes an optimizer of either precision from a function that returns its numbers by their names.
type internal IOptimizerMaker =
    abstract Make<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> : number: (string -> float) -> Optimizer<'T>

/// An optimizer that settings choose by its name.
type internal OptimizerRule = {
    Definition: ChoiceDefinition
    /// The weight decay unless a setting gives one.
    WeightDecay: float
    Maker: IOptimizerMaker
}

/// The optimizers that settings can choose, each in one entry: name, numbers, function.
[<RequireQualifiedAccess>]
module internal OptimizerRules =
    let private momentum = NamedChoice.number "Momentum" 0.9 NumberRange.share
    let private squaresDecay = NamedChoice.number "SquaresDecay" 0.99 NumberRange.share
    let private beta1 = NamedChoice.number "Beta1" 0.9 NumberRange.share

    let private beta2 standard =
        NamedChoice.number "Beta2" standard NumberRange.share

    let private epsilon standard =
        NamedChoice.number "Epsilon" standard NumberRange.positive

    let private history = NamedChoice.number "History" 10.0 Optimizer.histories

    let private rule (name: string) (numbers: ChoiceNumber list) (maker: IOptimizerMaker) = {
        Definition = { Name = name; Numbers = numbers }
        WeightDecay = 0.0
        Maker = maker
    }

    let private adam =
        rule
            "Adam"
            [ beta1; beta2 0.999; epsilon 1e-8 ]
            {
                new IOptimizerMaker with
                    member _.Make number =
                        Optimizer.adam (number "Beta1") (number "Beta2") (number "Epsilon")
            }

    /// All of them, in the order in which they are listed.
    let all: OptimizerRule list = [
        rule
            "GradientDescent"
            []
            {
                new IOptimizerMaker with
                    member _.Make _ = Optimizer.gradientDescent
            }
        rule
            "Momentum"
            [ momentum ]
            {
                new IOptimizerMaker with
                    member _.Make number = Optimizer.momentum (number "Momentum")
            }
        rule
            "Nesterov"
            [ momentum ]
            {
                new IOptimizerMaker with
                    member _.Make number = Optimizer.nesterov (number "Momentum")
            }
        rule
            "AdaGrad"
            [ epsilon 1e-10 ]
            {
                new IOptimizerMaker with
                    member _.Make number = Optimizer.adaGrad (number "Epsilon")
            }
        rule
            "RmsProp"
            [ squaresDecay; epsilon 1e-8 ]
            {
                new IOptimizerMaker with
                    member _.Make number =
                        Optimizer.rmsProp (number "SquaresDecay") (number "Epsilon")
            }
        adam
        {
            adam with
                Definition.Name = "AdamW"
                WeightDecay = 0.01
        }
        rule
            "Lion"
            [ beta1; beta2 0.99 ]
            {
                new IOptimizerMaker with
                    member _.Make number =
                        Optimizer.lion (number "Beta1") (number "Beta2")
            }
        rule
            "Lbfgs"
            [ history ]
            {
                new IOptimizerMaker with
                    member _.Make number =
                        Optimizer.lbfgs (int (number "History"))
            }
    ]
