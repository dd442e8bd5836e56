namespace Pipeline.Learning

open System
open System.Numerics

/// What L-BFGS remembers, out of an optimizer's memory and into it.
[<NoComparison; NoEquality>]
type internal LbfgsMemory<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// s and y of each pair, the newest first; zeros where there are fewer.
    Pairs: struct (Parameters<'T> * Parameters<'T>) list
    /// The last move without a line search: its y follows from the next gradient. Zeros if its pair is
    /// complete.
    Step: Parameters<'T>
    /// The gradient before that move.
    Gradient: Parameters<'T>
}

/// The directions, pairs and steps of <c>Optimizer.lbfgs</c>. Sums over parameters are in double precision and in a
/// fixed order.
[<RequireQualifiedAccess>]
module internal Lbfgs =
    /// A pair counts if s·y is more than this many times y·y.
    let private leastCurvature = 1e-10

    /// The names in the memory.
    let names (history: int) : string list = [
        for i in 1..history do
            (invariant $"s{i}")
            (invariant $"y{i}")
        "step"
        "gradient"
    ]

    let private number (x: float) : 'T :> IBinaryFloatingPointIeee754<'T> = 'T.CreateTruncating x

    let private read (state: OptimizerState<'T>) : LbfgsMemory<'T> =
        let rec pairs (values: Parameters<'T> list) found =
            match values with
            | [ step; gradient ] -> {
                Pairs = List.rev found
                Step = step
                Gradient = gradient
              }
            | s :: y :: rest -> pairs rest (struct (s, y) :: found)
            | _ -> invalidArg (nameof state) "expected the memory of L-BFGS"

        pairs (state.Memory |> List.map _.Values) []

    let private write (state: OptimizerState<'T>) (memory: LbfgsMemory<'T>) : OptimizerState<'T> = {
        Steps = state.Steps + 1L
        Memory =
            [
                for struct (s, y) in memory.Pairs do
                    s
                    y
                memory.Step
                memory.Gradient
            ]
            |> List.map2
                (fun (old: OptimizerMemory<'T>) values -> { old with Values = values })
                state.Memory
    }

    let private dot (one: Parameters<'T>) (other: Parameters<'T>) : float =
        List.fold2
            (fun sum x y -> sum + Kernels.dot x y)
            0.0
            (Parameters.arrays one)
            (Parameters.arrays other)

    /// factor·x.
    let private scaled (factor: float) (x: Parameters<'T>) : Parameters<'T> =
        x
        |> Parameters.mapArrays (fun _ values ->
            let result = ArrayReuse<'T>.Rent values.Length
            Kernels.mapInto result { ScaleOp.Factor = number factor } values
            result)

    /// factor·x + y.
    let private addScaled (factor: float) (x: Parameters<'T>) (y: Parameters<'T>) : Parameters<'T> =
        Parameters.mapArrays2
            (fun x y ->
                let result = ArrayReuse<'T>.Rent x.Length
                Kernels.map2Into result { AddScaledOp.Factor = number factor } x y
                result)
            x
            y

    let private absolute (x: 'T) : float = Math.Abs(Double.CreateTruncating x)

    let private isZero
        (parameters: Parameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : bool =
        Parameters.arrays parameters |> List.forall (Array.forall 'T.IsZero)

    /// The memory with one more pair, if the function curves upwards enough along it.
    let private add
        (s: Parameters<'T>)
        (y: Parameters<'T>)
        (memory: LbfgsMemory<'T>)
        : LbfgsMemory<'T> =
        if dot s y > leastCurvature * dot y y then
            {
                memory with
                    Pairs = struct (s, y) :: List.take (memory.Pairs.Length - 1) memory.Pairs
            }
        else
            memory

    /// The memory once the gradient after the last move is known.
    let private complete (gradient: Parameters<'T>) (memory: LbfgsMemory<'T>) : LbfgsMemory<'T> =
        if isZero memory.Gradient then
            memory
        else
            {
                add memory.Step (addScaled -1.0 memory.Gradient gradient) memory with
                    Step = Parameters.zeros gradient
                    Gradient = Parameters.zeros gradient
            }

    /// The pairs that are not zeros, with their s·y.
    let private known
        (memory: LbfgsMemory<'T>)
        : struct (Parameters<'T> * Parameters<'T> * float) list = [
        for struct (s, y) in memory.Pairs do
            let curvature = dot s y

            if curvature > 0.0 then
                struct (s, y, curvature)
    ]

    /// −H·g: each pair is seen twice, on the way to the oldest and on the way back.
    let private direction
        (pairs: struct (Parameters<'T> * Parameters<'T> * float) list)
        (gradient: Parameters<'T>)
        : Parameters<'T> =
        let initial =
            match pairs with
            | struct (_, y, curvature) :: _ -> curvature / dot y y
            | [] -> 1.0

        let rec times pairs q =
            match pairs with
            | [] -> scaled initial q
            | struct (s, y, curvature) :: older ->
                let a = dot s q / curvature
                let r = times older (addScaled -a y q)
                addScaled (a - dot y r / curvature) s r

        times pairs (scaled -1.0 gradient)

    /// The first length to try: the rate; without pairs, whose scale is not known, at most the rate over Σ|g|.
    let private firstLength (rate: 'T) (hasPairs: bool) (gradient: Parameters<'T>) : float =
        let rate = Double.CreateTruncating rate

        if hasPairs then
            rate
        else
            let size = gradient |> Parameters.fold (fun sum x -> sum + absolute x) 0.0

            rate * Math.Min(1.0, 1.0 / size)

    let private update
        (rate: 'T)
        (gradient: Parameters<'T>)
        (state: OptimizerState<'T>)
        (parameters: Parameters<'T>)
        : struct (Parameters<'T> * OptimizerState<'T>) =
        let memory = read state |> complete gradient
        let pairs = known memory
        let length = firstLength rate (not pairs.IsEmpty) gradient
        let next = addScaled length (direction pairs gradient) parameters

        struct (next,
                write state {
                    memory with
                        Step = addScaled -1.0 parameters next
                        Gradient = gradient
                })

    let private search
        (rate: 'T)
        (objective: Parameters<'T> -> struct ('T * Parameters<'T>))
        (loss: 'T)
        (gradient: Parameters<'T>)
        (state: OptimizerState<'T>)
        (parameters: Parameters<'T>)
        : struct (Parameters<'T> * OptimizerState<'T>) =
        let withoutPairs (memory: LbfgsMemory<'T>) = {
            memory with
                Pairs =
                    memory.Pairs
                    |> List.map (fun _ ->
                        // A run uses each array of an old state again: no two memories may share one.
                        struct (Parameters.zeros parameters, Parameters.zeros parameters))
        }

        let rec move (memory: LbfgsMemory<'T>) =
            let pairs = known memory
            let direction = direction pairs gradient
            let slope = dot gradient direction
            let first = firstLength rate (not pairs.IsEmpty) gradient

            let pointOf length place (loss: 'T) slope =
                let loss = Double.CreateTruncating loss

                {
                    Length = length
                    Value =
                        if Double.IsFinite loss && Double.IsFinite slope then
                            loss
                        else
                            infinity
                    Slope = slope
                    Place = place
                }

            let evaluate length =
                let place = addScaled length direction parameters
                let struct (loss, gradient) = objective place
                pointOf length (struct (place, gradient)) loss (dot gradient direction)

            let start = pointOf 0.0 (struct (parameters, gradient)) loss slope
            let canSearch = slope < 0.0 && first > 0.0 && Double.IsFinite start.Value

            let found =
                if canSearch then
                    let size =
                        direction |> Parameters.fold (fun most x -> max most (absolute x)) 0.0

                    LineSearch.strongWolfe evaluate size start first
                else
                    start

            if found.Length > 0.0 then
                let struct (next, nextGradient) = found.Place

                struct (next,
                        memory
                        |> add
                            (addScaled -1.0 parameters next)
                            (addScaled -1.0 gradient nextGradient)
                        |> write state)
            elif not pairs.IsEmpty && first > 0.0 && Double.IsFinite start.Value then
                // The pairs no longer describe the function: steepest descent instead.
                move (withoutPairs memory)
            else
                struct (parameters, write state memory)

        read state |> complete gradient |> move

    /// <c>Optimizer.lbfgs</c> for a history of 1 pair or more.
    let optimizer (history: int) : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let names = names history

        let check state gradient parameters =
            OptimizerState.requireMemory names state

            for other in parameters :: (state.Memory |> List.map _.Values) do
                Parameters.requireSameShape (nameof gradient) gradient other

        {
            Init = OptimizerState.zeros names
            Update =
                fun rate gradient state parameters ->
                    check state gradient parameters
                    update rate gradient state parameters
            LayerUpdate = ValueNone
            Search =
                ValueSome(fun rate objective loss gradient state parameters ->
                    check state gradient parameters
                    search rate objective loss gradient state parameters)
        }
