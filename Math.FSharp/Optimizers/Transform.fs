namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Arithmetic

/// The parameters that weight decay and penalties are for.
[<RequireQualifiedAccess>]
type Penalised =
    /// Weights, biases, and γ and β of normalisation.
    | All
    /// The weights of each layer: its matrices.
    | Weights

    /// The case's name.
    override penalised.ToString() =
        match penalised with
        | All -> nameof All
        | Weights -> nameof Weights

/// What is done to gradients and parameters around an optimizer's rule.
[<RequireQualifiedAccess>]
type internal TransformSpec =
    /// Every element of the gradient brought within ±limit.
    | ClipByValue of limit: float
    /// The whole gradient scaled down to a length of limit where it is longer.
    | ClipByNorm of limit: float
    /// Penalised parameters shrink by a fraction of the rate at each step.
    | Decay of Penalised * strength: float
    /// The slope of strength·Σ|θ| is added to the gradient.
    | PenaltyL1 of Penalised * strength: float
    /// The slope of ½·strength·Σθ² is added to the gradient.
    | PenaltyL2 of Penalised * strength: float
    /// A step for the mean of several gradients.
    | Accumulate of count: int
    /// A running mean of the parameters is kept beside them.
    | Average of decay: float

    /// Whether it can be around an optimizer with a line search.
    member transform.AllowsSearch =
        match transform with
        | PenaltyL2 _
        | Average _ -> true
        | ClipByValue _
        | ClipByNorm _
        | Decay _
        | PenaltyL1 _
        | Accumulate _ -> false

/// <summary>Optimizers made of others. Chained with |>, the last is the first to see the gradient:
/// <c>Optimizer.adam 0.9 0.999 1e-8 |> Transform.weightDecay 0.01 |> Transform.clipByNorm 1.0</c>.</summary>
/// <remarks>None changes the loss that a step reports: it is that of the data alone. An optimizer with a line search
/// takes <c>penaltyL2</c> and <c>average</c>; the others are refused around it, as no function has the changed
/// steps or gradients.</remarks>
[<RequireQualifiedAccess>]
module Transform =
    let private number (x: float) : 'T :> IBinaryFloatingPointIeee754<'T> = 'T.CreateTruncating x

    let private mapped (op: 'Op :> IMap<'T>) (x: 'T[]) : 'T[] =
        let result = ArrayReuse<'T>.Rent x.Length
        Kernels.mapInto result op x
        result

    let private mapped2 (op: 'Op :> IMap2<'T>) (x: 'T[]) (y: 'T[]) : 'T[] =
        let result = ArrayReuse<'T>.Rent x.Length
        Kernels.map2Into result op x y
        result

    let private map (op: 'Op :> IMap<'T>) (parameters: Parameters<'T>) : Parameters<'T> =
        parameters |> Parameters.mapArrays (fun _ x -> mapped op x)

    /// op(x, y) for every x of one record and its partner y of the other.
    let private map2
        (op: 'Op :> IMap2<'T>)
        (first: Parameters<'T>)
        (second: Parameters<'T>)
        : Parameters<'T> =
        Parameters.requireSameShape "parameters" first second
        Parameters.mapArrays2 (mapped2 op) first second

    /// A record shaped like the parameters with other elements in the penalised tensors: `replace` takes the
    /// position and the elements of each.
    let private mapPenalised
        (penalised: Penalised)
        (replace: int -> 'T[] -> 'T[])
        (record: Parameters<'T>)
        : Parameters<'T> =
        match penalised with
        | Penalised.All -> Parameters.mapArrays replace record
        | Penalised.Weights ->
            let areMatrices = Parameters.areMatrices record |> Array.ofList

            record
            |> Parameters.mapArrays (fun i x -> if areMatrices[i] then replace i x else x)

    /// The gradient with op(θ, g) for every g of a penalised θ.
    let private addSlope
        (penalised: Penalised)
        (op: 'Op :> IMap2<'T>)
        (gradient: Parameters<'T>)
        (parameters: Parameters<'T>)
        : Parameters<'T> =
        Parameters.requireSameShape "parameters" parameters gradient
        let own = Parameters.arrays parameters |> Array.ofList
        gradient |> mapPenalised penalised (fun i slopes -> mapped2 op own[i] slopes)

    let private requireNoSearch (optimizer: Optimizer<'T>) : unit =
        if optimizer.Search.IsSome then
            invalidArg
                (nameof optimizer)
                "expected an optimizer without a line search, found one with"

    /// The optimizer on another gradient, made of the gradient and the parameters.
    let private onGradient
        (change: Parameters<'T> -> Parameters<'T> -> Parameters<'T>)
        (optimizer: Optimizer<'T>)
        : Optimizer<'T> = {
        Init = optimizer.Init
        Update =
            fun rate gradient state parameters ->
                optimizer.Update rate (change gradient parameters) state parameters
        LayerUpdate = ValueNone
        Search = ValueNone
    }

    /// <summary>Every element of the gradient brought within ±limit.</summary>
    /// <param name="limit">Greater than 0.</param>
    /// <param name="optimizer">What gets the clipped gradient.</param>
    /// <exception cref="T:System.ArgumentException">The limit is not a finite number greater than
    /// 0, or the optimizer has a line search.</exception>
    [<CompiledName("ClipByValue")>]
    let clipByValue
        (limit: float)
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Optimizer<'T> =
        NumberRange.require (nameof limit) NumberRange.positive limit
        requireNoSearch optimizer
        onGradient (fun gradient _ -> map { Limit = number limit } gradient) optimizer

    /// <summary>The whole gradient times limit / ‖g‖ where ‖g‖ is above the limit by more than a
    /// millionth of it.</summary>
    /// <param name="limit">The greatest length ‖g‖ = √Σg² over all parameters; greater than 0.</param>
    /// <param name="optimizer">What gets the clipped gradient.</param>
    /// <exception cref="T:System.ArgumentException">The limit is not a finite number greater than
    /// 0, or the optimizer has a line search.</exception>
    /// <remarks>Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural
    /// networks, 2013. PyTorch divides by ‖g‖ + 10⁻⁶, which would clip a clipped gradient
    /// again.</remarks>
    [<CompiledName("ClipByNorm")>]
    let clipByNorm
        (limit: float)
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Optimizer<'T> =
        NumberRange.require (nameof limit) NumberRange.positive limit
        requireNoSearch optimizer

        onGradient
            (fun gradient _ ->
                let length = Parameters.norm gradient

                if length > limit * (1.0 + 1e-6) then
                    map
                        {
                            ScaleOp.Factor = number (limit / length)
                        }
                        gradient
                else
                    gradient)
            optimizer

    /// <summary>Decoupled weight decay: the optimizer steps from (1 − ηλ)θ instead of θ.</summary>
    /// <param name="penalised">The parameters that decay.</param>
    /// <param name="strength">λ, 0 or greater; 0.01 is AdamW's in PyTorch.</param>
    /// <param name="optimizer">What steps from there.</param>
    /// <exception cref="T:System.ArgumentException">λ is negative or not finite, or the optimizer has a line
    /// search.</exception>
    /// <remarks>Source: Loshchilov and Hutter, Decoupled weight decay regularization, 2019.</remarks>
    [<CompiledName("WeightDecayOf")>]
    let weightDecayOf
        (penalised: Penalised)
        (strength: float)
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Optimizer<'T> =
        NumberRange.require (nameof strength) NumberRange.notNegative strength
        requireNoSearch optimizer

        {
            Init = optimizer.Init
            Update =
                fun rate gradient state parameters ->
                    let op = {
                        ScaleOp.Factor = number (1.0 - Double.CreateTruncating rate * strength)
                    }

                    let decayed = parameters |> mapPenalised penalised (fun _ x -> mapped op x)
                    optimizer.Update rate gradient state decayed
            LayerUpdate = ValueNone
            Search = ValueNone
        }

    /// <summary><c>weightDecayOf</c> for all parameters.</summary>
    /// <param name="strength">λ, 0 or greater; 0.01 is AdamW's in PyTorch.</param>
    /// <param name="optimizer">What steps from there.</param>
    /// <exception cref="T:System.ArgumentException">λ is negative or not finite, or the optimizer has a line
    /// search.</exception>
    /// <remarks>Biases shrink as weights do, as in PyTorch.</remarks>
    [<CompiledName("WeightDecay")>]
    let weightDecay
        (strength: float)
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Optimizer<'T> =
        weightDecayOf Penalised.All strength optimizer

    /// <summary>AdamW: Adam with decoupled weight decay, its step taken from (1 − ηλ)θ instead of
    /// θ.</summary>
    /// <param name="beta1">β₁: how much of the mean of gradients stays at each step, 0 up to 1; 0.9 is
    /// usual.</param>
    /// <param name="beta2">β₂: the same of the mean of squares; 0.999.</param>
    /// <param name="epsilon">ε, greater than 0: 10⁻⁸ in PyTorch.</param>
    /// <param name="strength">λ, 0 or greater; 0.01 in PyTorch.</param>
    /// <returns>The optimizer; its state is Adam's.</returns>
    /// <exception cref="T:System.ArgumentException">β₁, β₂, ε or λ is out of range; of an update, the
    /// state is another optimizer's, or two partners differ in shape.</exception>
    /// <remarks>Biases shrink as weights do, and λ counts times η, as in PyTorch; in the paper it counts
    /// times the schedule's factor alone. Source: Loshchilov and Hutter, Decoupled weight decay
    /// regularization, 2019, algorithm 2.</remarks>
    [<CompiledName("AdamW")>]
    let adamW
        (beta1: float)
        (beta2: float)
        (epsilon: float)
        (strength: float)
        : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        Optimizer.adam beta1 beta2 epsilon |> weightDecay strength

    /// <summary>The penalty ½λΣθ²: λθ is added to the gradient.</summary>
    /// <param name="penalised">The parameters θ.</param>
    /// <param name="strength">λ, 0 or greater.</param>
    /// <param name="optimizer">What gets the sum.</param>
    /// <exception cref="T:System.ArgumentException">λ is negative or not finite.</exception>
    [<CompiledName("PenaltyL2Of")>]
    let penaltyL2Of
        (penalised: Penalised)
        (strength: float)
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Optimizer<'T> =
        NumberRange.require (nameof strength) NumberRange.notNegative strength

        let add = addSlope penalised { AddScaledOp.Factor = number strength }

        let penalise (loss: 'T) (parameters: Parameters<'T>) : 'T =
            let length =
                match penalised with
                | Penalised.All -> Parameters.norm parameters
                | Penalised.Weights -> Parameters.norm (Parameters.matrices parameters)

            number (Double.CreateTruncating loss + 0.5 * strength * length * length)

        {
            onGradient add optimizer with
                Search =
                    optimizer.Search
                    |> ValueOption.map (fun search rate objective loss gradient state parameters ->
                        search
                            rate
                            (fun parameters ->
                                let struct (loss, gradient) = objective parameters
                                struct (penalise loss parameters, add gradient parameters))
                            (penalise loss parameters)
                            (add gradient parameters)
                            state
                            parameters)
        }

    /// <summary><c>penaltyL2Of</c> for all parameters.</summary>
    /// <param name="strength">λ, 0 or greater.</param>
    /// <param name="optimizer">What gets the sum.</param>
    /// <exception cref="T:System.ArgumentException">λ is negative or not finite.</exception>
    /// <remarks>Biases count as weights do: PyTorch's <c>weight_decay</c>. The book (ch. 6) leaves them
    /// out.</remarks>
    [<CompiledName("PenaltyL2")>]
    let penaltyL2
        (strength: float)
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Optimizer<'T> =
        penaltyL2Of Penalised.All strength optimizer

    /// <summary>The penalty λΣ|θ|: λ·sign θ is added to the gradient.</summary>
    /// <param name="penalised">The parameters θ.</param>
    /// <param name="strength">λ, 0 or greater.</param>
    /// <param name="optimizer">What gets the sum.</param>
    /// <returns>The optimizer with the penalty; its state is that of the one it is made of.</returns>
    /// <exception cref="T:System.ArgumentException">λ is negative or not finite, or the optimizer has a line
    /// search.</exception>
    /// <remarks>At 0, where |θ| has a kink, sign θ is 0. Source: Tibshirani, Regression shrinkage and selection
    /// via the lasso, Journal of the Royal Statistical Society B 58 (1996), for the penalty.</remarks>
    [<CompiledName("PenaltyL1Of")>]
    let penaltyL1Of
        (penalised: Penalised)
        (strength: float)
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Optimizer<'T> =
        NumberRange.require (nameof strength) NumberRange.notNegative strength
        requireNoSearch optimizer

        onGradient
            (addSlope penalised {
                AddScaledSignOp.Factor = number strength
            })
            optimizer

    /// <summary><c>penaltyL1Of</c> for all parameters: biases count as weights do.</summary>
    /// <param name="strength">λ, 0 or greater.</param>
    /// <param name="optimizer">What gets the sum.</param>
    /// <returns>The optimizer with the penalty; its state is that of the one it is made of.</returns>
    /// <exception cref="T:System.ArgumentException">λ is negative or not finite, or the optimizer has a line
    /// search.</exception>
    [<CompiledName("PenaltyL1")>]
    let penaltyL1
        (strength: float)
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Optimizer<'T> =
        penaltyL1Of Penalised.All strength optimizer

    /// The outermost memory, which must be the transform's own, and the state without it.
    let private own
        (name: string)
        (state: OptimizerState<'T>)
        : struct (Parameters<'T> * OptimizerState<'T>) =
        match state.Memory with
        | memory :: rest when memory.Name = name ->
            struct (memory.Values, { state with Memory = rest })
        | _ -> invalidArg (nameof state) $"expected a memory of {name} first"

    let private withOwn
        (name: string)
        (values: Parameters<'T>)
        (state: OptimizerState<'T>)
        : OptimizerState<'T> = {
        state with
            Memory = { Name = name; Values = values } :: state.Memory
    }

    /// <summary>One step of the optimizer for the mean of several gradients; between steps the
    /// parameters stay.</summary>
    /// <param name="count">How many gradients, 1 or more.</param>
    /// <param name="optimizer">What gets the mean.</param>
    /// <exception cref="T:System.ArgumentException">The count is below 1, or the optimizer has a line
    /// search.</exception>
    [<CompiledName("Accumulate")>]
    let accumulate
        (count: int)
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Optimizer<'T> =
        NumberRange.require (nameof count) NumberRange.oneOrMore count
        requireNoSearch optimizer
        let name = "sum"

        {
            Init =
                fun parameters ->
                    withOwn name (Parameters.zeros parameters) (optimizer.Init parameters)
            Update =
                fun rate gradient state parameters ->
                    let struct (sum, rest) = own name state
                    let seen = state.Steps + 1L
                    let sum = map2 { AddScaledOp.Factor = 'T.One } gradient sum

                    if seen % int64 count <> 0L then
                        struct (parameters, withOwn name sum { rest with Steps = seen })
                    else
                        let mean =
                            map
                                {
                                    ScaleOp.Factor = number (1.0 / float count)
                                }
                                sum

                        let struct (parameters, rest) =
                            optimizer.Update
                                rate
                                mean
                                {
                                    rest with
                                        Steps = state.Steps / int64 count
                                }
                                parameters

                        struct (parameters,
                                withOwn name (Parameters.zeros parameters) {
                                    rest with
                                        Steps = seen
                                })
            LayerUpdate = ValueNone
            Search = ValueNone
        }

    /// The running mean after a step: a + (1 − d)(θ − a).
    let private follow
        (decay: float)
        (values: Parameters<'T>)
        (average: Parameters<'T>)
        : Parameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        map2
            {
                TowardsOp.Factor = number (1.0 - decay)
            }
            values
            average

    /// <summary>Keeps a running mean of the parameters: a′ = a + (1 − d)(θ′ − a), which begins at the
    /// first parameters. <c>averaged</c> gives it.</summary>
    /// <param name="decay">d: how much of the mean stays at each step, 0 up to 1; 0.999 is
    /// usual.</param>
    /// <param name="optimizer">What makes the steps.</param>
    /// <exception cref="T:System.ArgumentException">d is out of range.</exception>
    /// <remarks>Source: Polyak and Juditsky, Acceleration of stochastic approximation by averaging,
    /// 1992.</remarks>
    [<CompiledName("Average")>]
    let average
        (decay: float)
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Optimizer<'T> =
        NumberRange.require (nameof decay) NumberRange.share decay
        let name = "average"

        /// The step of `move`, which takes the state without the mean, and the mean after it.
        let moved move state parameters =
            let struct (average, rest) = own name state
            let struct (parameters, rest) = move rest parameters

            struct (parameters, withOwn name (follow decay parameters average) rest)

        {
            Init = fun parameters -> withOwn name parameters (optimizer.Init parameters)
            Update = fun rate gradient -> moved (optimizer.Update rate gradient)
            LayerUpdate = ValueNone
            Search =
                optimizer.Search
                |> ValueOption.map (fun search rate objective loss gradient ->
                    moved (search rate objective loss gradient))
        }

    /// <summary>The running mean of the parameters, where the optimizer keeps one.</summary>
    [<CompiledName("Averaged")>]
    let averaged (state: OptimizerState<'T>) : Parameters<'T> voption =
        match state.Memory |> List.tryFind (fun memory -> memory.Name = "average") with
        | Some memory -> ValueSome memory.Values
        | None -> ValueNone

    /// The running mean of some layers' running statistics after a mini-batch, kept as that of the parameters is; empty where
    /// the optimizer keeps none.
    let internal averageRunning
        (transforms: TransformSpec list)
        (iteration: int64)
        (running: LayerParameters<'T> list)
        (average: LayerParameters<'T> list)
        : LayerParameters<'T> list when 'T :> IBinaryFloatingPointIeee754<'T> =
        let isStep =
            transforms
            |> List.forall (function
                | TransformSpec.Accumulate count -> iteration % int64 count = 0L
                | _ -> true)

        transforms
        |> List.tryPick (function
            | TransformSpec.Average decay ->
                Some(
                    if isStep then
                        (follow decay { Layers = running } { Layers = average }).Layers
                    else
                        average
                )
            | _ -> None)
        |> Option.defaultValue []

    /// The optimizer with that transform around it.
    let internal apply
        (optimizer: Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (transform: TransformSpec)
        : Optimizer<'T> =
        match transform with
        | TransformSpec.ClipByValue limit -> clipByValue limit optimizer
        | TransformSpec.ClipByNorm limit -> clipByNorm limit optimizer
        | TransformSpec.Decay(penalised, strength) -> weightDecayOf penalised strength optimizer
        | TransformSpec.PenaltyL1(penalised, strength) -> penaltyL1Of penalised strength optimizer
        | TransformSpec.PenaltyL2(penalised, strength) -> penaltyL2Of penalised strength optimizer
        | TransformSpec.Accumulate count -> accumulate count optimizer
        | TransformSpec.Average decay -> average decay optimizer
