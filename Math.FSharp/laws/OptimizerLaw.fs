namespace Pipeline.Learning.Laws

open System
open FsCheck
open FsCheck.FSharp
open Pipeline.Learning

/// Laws of an optimizer, each for parameters of any shape and gradients of any size.
[<AbstractClass; Sealed>]
type OptimizerLaw =
    /// Parameters with so many gradients of their shape.
    static member private Cases
        (count: int)
        : Arbitrary<Parameters<float> * Parameters<float> list> =
        gen {
            let! struct (network, _) = Small.trainable 1
            let! gradients = Small.gradient network.Parameters |> Gen.listOfLength count
            return network.Parameters, gradients
        }
        |> Arb.fromGen

    static member private Numbers(state: OptimizerState<float>) : float[] list = [
        for memory in state.Memory -> Laws.flat memory.Values
    ]

    /// <summary>No gradient, state or parameter is written to, and the same state and gradient give the same
    /// step, bit for bit.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member IsPure(optimizer: Optimizer<float>) : Law =
        Laws.create "it is pure" (OptimizerLaw.Cases 2) (fun (parameters, gradients) ->
            let struct (_, state) =
                optimizer.Update 0.1 gradients[0] (optimizer.Init parameters) parameters

            Laws.requirePure
                (fun () -> [
                    Laws.flat parameters
                    Laws.flat gradients[1]
                    yield! OptimizerLaw.Numbers state
                ])
                (fun () ->
                    let struct (next, after) = optimizer.Update 0.1 gradients[1] state parameters

                    Laws.flat next :: OptimizerLaw.Numbers after))

    /// <summary>Parameters and memory keep their shapes, the memory its names, and every step is
    /// counted.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member KeepsShapes(optimizer: Optimizer<float>) : Law =
        Laws.create
            "shapes are kept and steps counted"
            (OptimizerLaw.Cases 3)
            (fun (parameters, gradients) ->
                let same what (expected: Parameters<float>) (found: Parameters<float>) =
                    Laws.require
                        (expected.Layers.Length = found.Layers.Length)
                        $"{string what}: expected %d{expected.Layers.Length} layers, found %d{found.Layers.Length}"

                    List.iter2
                        (fun (one: LayerParameters<float>) (other: LayerParameters<float>) ->
                            Exactly.equal
                                (LayerParameters.shapes one)
                                (LayerParameters.shapes other))
                        expected.Layers
                        found.Layers

                let start = optimizer.Init parameters
                let names (state: OptimizerState<float>) = state.Memory |> List.map _.Name
                Exactly.equal 0L start.Steps

                gradients
                |> List.fold
                    (fun struct (at, state: OptimizerState<float>) gradient ->
                        let struct (next, after) = optimizer.Update 0.1 gradient state at
                        same "the next parameters" parameters next
                        Exactly.equal (state.Steps + 1L) after.Steps
                        Exactly.equal (names start) (names after)

                        for memory in after.Memory do
                            same memory.Name parameters memory.Values

                        struct (next, after))
                    struct (parameters, start)
                |> ignore)

    /// <summary>Claimed by those without decay: gradients of zeros move nothing, from the start.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member ZeroGradientMovesNothing(optimizer: Optimizer<float>) : Law =
        Laws.create "gradients of zeros move nothing" (OptimizerLaw.Cases 0) (fun (parameters, _) ->
            let zeros = Optimizer.descend 1.0 parameters parameters

            let struct (once, state) =
                optimizer.Update 0.1 zeros (optimizer.Init parameters) parameters

            let struct (twice, _) = optimizer.Update 0.1 zeros state once
            Laws.flat twice |> Exactly.bits (Laws.flat parameters))

    /// The parameters after each step along the same gradient, from the optimizer's start.
    static member private Along
        (optimizer: Optimizer<float>, rate: float, gradient: Parameters<float>)
        : Parameters<float> -> Parameters<float> seq =
        fun start ->
            Seq.unfold
                (fun struct (at, state) ->
                    let struct (next, after) = optimizer.Update rate gradient state at
                    Some(next, struct (next, after)))
                struct (start, optimizer.Init start)

    /// So many gradients at most until an optimizer moves, one that accumulates them included.
    static member private Patience = 100

    /// <summary>Parameters of 0 and gradients of 0 give 0: nothing is divided by 0, and nothing moves that
    /// neither a gradient nor a decay moves.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member ZerosStayZero(optimizer: Optimizer<float>) : Law =
        Laws.create "zeros stay zero" (OptimizerLaw.Cases 0) (fun (parameters, _) ->
            let zeros = Optimizer.descend 1.0 parameters parameters

            for next in OptimizerLaw.Along (optimizer, 0.1, zeros) zeros |> Seq.truncate 3 do
                match Laws.flat next |> Array.tryFind (fun x -> x <> 0.0) with
                | Some found -> Laws.broken $"expected 0, found {string found}"
                | None -> ())

    /// <summary>A number that alone has a gradient moves against it: of two runs along opposite gradients, that of
    /// the positive one is the lower in this number at every step. Decay and penalties are the same in both.
    /// Holds for rules by sign, with momentum, with accumulation, and with any positive definite scaling of
    /// the gradient.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member MovesAgainstGradient(optimizer: Optimizer<float>) : Law =
        Laws.create
            "every number moves against its gradient"
            (Arb.zip (OptimizerLaw.Cases 0, Arbitraries.Seed()))
            (fun ((parameters, _), Seed seed) ->
                let count = int (Parameters.count parameters)
                let place = int (seed % uint64 count)

                // Large beside a penalty's slope.
                let along slope =
                    OptimizerLaw.Along
                        (optimizer, 0.01, Laws.unit parameters place slope)
                        parameters
                    |> Seq.map (fun at -> (Laws.flat at)[place])

                let differences =
                    Seq.map2 (-) (along 100.0) (along -100.0)
                    |> Seq.truncate OptimizerLaw.Patience
                    |> Seq.skipWhile (fun difference -> difference = 0.0)
                    |> Seq.truncate 4
                    |> List.ofSeq

                if differences.IsEmpty then
                    Laws.broken
                        $"number %d{place} of %d{count} has the same value after %d{OptimizerLaw.Patience} steps along a gradient of 100 and along one of -100"

                for step, difference in List.indexed differences do
                    Laws.require
                        (difference < 0.0)
                        $"number %d{place} of %d{count}, %d{step} steps after the first that moved it: expected a lower value along a gradient of 100 than along one of -100, found {string difference} more")

    /// <summary>From the start, a small enough step against the gradient gives any network a lower loss than the
    /// same step against the opposite gradient. Decay and penalties are the same in both.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member SmallStepLowersLoss(optimizer: Optimizer<float>) : Law =
        Laws.create
            "a small enough first step lowers the loss"
            (Arbitraries.Trainable())
            (fun (Trainable(network, batch)) ->
                let struct (_, gradient) = Gradient.backward network batch
                let size = (Parameters.toVector gradient).L2Norm()

                // Where the slope is that small, rounding hides the step.
                if size > 1e-3 then
                    // The gradient of a multiple of the loss: large beside a penalty's slope.
                    let scaled sign =
                        Optimizer.descend (1.0 - sign * 100.0 / size) gradient gradient

                    let lossesAfter rate =
                        Seq.zip
                            (OptimizerLaw.Along (optimizer, rate, scaled 1.0) network.Parameters)
                            (OptimizerLaw.Along (optimizer, rate, scaled -1.0) network.Parameters)
                        |> Seq.truncate OptimizerLaw.Patience
                        |> Seq.tryFind (fun (down, up) -> Laws.flat down <> Laws.flat up)
                        |> Option.map (fun (down, up) ->
                            let loss parameters =
                                Network.loss { network with Parameters = parameters } batch

                            loss down, loss up)

                    // A rate may be too large for the rule.
                    let found = [ 1e-3; 1e-4; 1e-5; 1e-6; 1e-7; 1e-8 ] |> List.choose lossesAfter

                    Laws.require
                        (found |> List.exists (fun (down, up) -> down < up))
                        $"expected a lower loss after the first step against the gradient than after one against its opposite, at a rate of 1e-3 down to 1e-8; found {found}")

    /// <summary>So many steps are those of a rule for one number, as a paper writes it.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="steps">How many steps.</param>
    /// <param name="rule">Makes of a rate, a number and the gradients that it meets the number after each
    /// step.</param>
    static member FollowsRule
        (optimizer: Optimizer<float>, steps: int, rule: Func<float, float, float[], float seq>)
        : Law =
        Laws.create
            "every number follows the rule"
            (OptimizerLaw.Cases steps)
            (fun (parameters, gradients) ->
                let rate = 0.01

                let found =
                    gradients
                    |> List.scan
                        (fun struct (at, state) gradient ->
                            optimizer.Update rate gradient state at)
                        struct (parameters, optimizer.Init parameters)
                    |> List.tail
                    |> List.map (fun struct (at, _) -> Laws.flat at)

                let gradients = gradients |> List.map Laws.flat

                for i, start in Array.indexed (Laws.flat parameters) do
                    let expected =
                        rule.Invoke(rate, start, [| for g in gradients -> g[i] |]) |> Array.ofSeq

                    Laws.require
                        (expected.Length = steps)
                        $"expected of the rule the number after each of %d{steps} gradients, found %d{expected.Length} numbers"

                    // What was lost where a number was large stays lost when it is small again.
                    let bounds =
                        expected
                        |> Array.scan (fun most x -> max most (abs x)) (max 1.0 (abs start))
                        |> Array.tail
                        |> Array.map (fun most -> Approximately.rounding * most)

                    try
                        [| for at in found -> at[i] |] |> Approximately.within bounds expected
                    with :? LawBrokenException as difference ->
                        Laws.broken $"number %d{i}, step (from 0) {difference.Message}")

    /// <summary>Where the optimizer offers <c>LayerUpdate</c>, it gives the bits of <c>Update</c>.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member LayerUpdateIsUpdate(optimizer: Optimizer<float>) : Law =
        Laws.create
            "updating each layer by itself is updating all"
            (OptimizerLaw.Cases 1)
            (fun (parameters, gradients) ->
                match optimizer.LayerUpdate with
                | ValueNone -> ()
                | ValueSome update ->
                    let gradient = gradients.Head

                    let struct (expected, after) =
                        optimizer.Update 0.1 gradient (optimizer.Init parameters) parameters

                    Laws.require
                        after.Memory.IsEmpty
                        "expected LayerUpdate only of an optimizer without memory, found one with memory"

                    let found = {
                        Layers =
                            List.map2
                                (fun (layer: LayerParameters<float>) (own: LayerParameters<float>) ->
                                    update 0.1 layer {
                                        Inputs = ValueNone
                                        Matrices =
                                            own.Matrices |> List.map (snd >> MatrixGradient.Value)
                                        Vectors = own.Vectors |> List.map snd
                                    })
                                parameters.Layers
                                gradient.Layers
                    }

                    Exactly.bits (Laws.flat expected) (Laws.flat found))

    /// The loss of a mini-batch and its gradient, at any parameters of the network.
    static member private Objective
        (network: Network<float>, batch: MiniBatch<float>)
        : Parameters<float> -> struct (float * Parameters<float>) =
        fun parameters -> Gradient.backward { network with Parameters = parameters } batch

    /// <summary>Where the optimizer offers <c>Search</c>: no gradient, state or parameter is written to, the same
    /// arguments give the same step, bit for bit, shapes and names are kept, and every step is counted.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member SearchIsPure(optimizer: Optimizer<float>) : Law =
        Laws.create
            "a step with a line search is pure"
            (Arbitraries.Trainable())
            (fun (Trainable(network, batch)) ->
                match optimizer.Search with
                | ValueNone -> ()
                | ValueSome search ->
                    let objective = OptimizerLaw.Objective(network, batch)

                    let move (at: Parameters<float>) (state: OptimizerState<float>) =
                        let struct (loss, gradient) = objective at
                        let names (state: OptimizerState<float>) = state.Memory |> List.map _.Name
                        let struct (next, after) = search 1.0 objective loss gradient state at
                        Exactly.equal (state.Steps + 1L) after.Steps
                        Exactly.equal (names state) (names after)

                        for values in next :: (after.Memory |> List.map _.Values) do
                            List.iter2
                                (fun one other ->
                                    Exactly.equal
                                        (LayerParameters.shapes one)
                                        (LayerParameters.shapes other))
                                at.Layers
                                values.Layers

                        struct (next, after)

                    let start = optimizer.Init network.Parameters
                    let struct (second, state) = move network.Parameters start
                    let struct (loss, gradient) = objective second

                    Laws.requirePure
                        (fun () -> [
                            Laws.flat second
                            Laws.flat gradient
                            yield! OptimizerLaw.Numbers state
                        ])
                        (fun () ->
                            let struct (next, after) =
                                search 1.0 objective loss gradient state second

                            Laws.flat next :: OptimizerLaw.Numbers after)

                    move second state |> ignore)

    /// <summary>Claimed by those whose <c>Search</c> adds no penalty: no step raises the loss that it is
    /// given.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member SearchNeverRaisesLoss(optimizer: Optimizer<float>) : Law =
        Laws.create
            "a step with a line search never raises the loss"
            (Arbitraries.Trainable())
            (fun (Trainable(network, batch)) ->
                match optimizer.Search with
                | ValueNone -> Laws.broken "expected an optimizer with a line search"
                | ValueSome _ ->
                    let objective = OptimizerLaw.Objective(network, batch)

                    let mutable at, state = network.Parameters, optimizer.Init network.Parameters
                    let mutable before = infinity

                    for step in 0..8 do
                        let struct (loss, next, after) =
                            Optimizer.step optimizer 1.0 objective state at

                        Laws.require
                            (loss <= before)
                            $"step %d{step} (from 1): the loss rose from {string before} to {string loss}"

                        at <- next
                        state <- after
                        before <- loss)

    /// <summary>What every optimizer keeps: <c>IsPure</c>, <c>KeepsShapes</c>, <c>ZerosStayZero</c>,
    /// <c>MovesAgainstGradient</c>, <c>SmallStepLowersLoss</c>, <c>LayerUpdateIsUpdate</c> and
    /// <c>SearchIsPure</c>.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member All(optimizer: Optimizer<float>) : Law list = [
        OptimizerLaw.IsPure optimizer
        OptimizerLaw.KeepsShapes optimizer
        OptimizerLaw.ZerosStayZero optimizer
        OptimizerLaw.MovesAgainstGradient optimizer
        OptimizerLaw.SmallStepLowersLoss optimizer
        OptimizerLaw.LayerUpdateIsUpdate optimizer
        OptimizerLaw.SearchIsPure optimizer
    ]
