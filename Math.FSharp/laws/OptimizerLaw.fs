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
                        $"{what}: expected {expected.Layers.Length} layers, found {found.Layers.Length}"

                    List.iter2
                        (fun (one: Layer<float>) (other: Layer<float>) ->
                            Laws.requireShape what one.Weights other.Weights

                            Laws.require
                                (one.Biases.Count = other.Biases.Count)
                                $"{what}: expected {one.Biases.Count} biases, found {other.Biases.Count}")
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

    /// <summary>Claimed by nearly all: from the start, a small enough step lowers the loss of any
    /// network.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member SmallStepLowersLoss(optimizer: Optimizer<float>) : Law =
        Laws.create
            "a small enough first step lowers the loss"
            (Arbitraries.Trainable())
            (fun (Trainable(network, batch)) ->
                let struct (loss, gradient) = Gradient.backward network batch
                let size = (Parameters.toVector gradient).L2Norm()

                let lossAfter rate =
                    let struct (next, _) =
                        optimizer.Update
                            rate
                            gradient
                            (optimizer.Init network.Parameters)
                            network.Parameters

                    Network.loss { network with Parameters = next } batch

                // A rate may be too large for the rule, and too small to be seen in the loss's digits.
                if size > 1e-3 then
                    let found = [ 1e-3; 1e-4; 1e-5; 1e-6 ] |> List.map lossAfter

                    Laws.require
                        (List.exists (fun after -> after < loss) found)
                        $"expected less than {loss} after a step of rate 1e-3, 1e-4, 1e-5 or 1e-6, found {found}")

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

                    // What was lost where a number was large stays lost when it is small again.
                    let bounds =
                        expected
                        |> Array.scan (fun most x -> max most (abs x)) (max 1.0 (abs start))
                        |> Array.tail
                        |> Array.map (fun most -> Approximately.rounding * most)

                    try
                        [| for at in found -> at[i] |] |> Approximately.within bounds expected
                    with :? LawBrokenException as difference ->
                        Laws.broken $"number {i}, step (from 0) {difference.Message}")

    /// <summary>The laws of every optimizer: the first two.</summary>
    /// <param name="optimizer">The optimizer.</param>
    static member All(optimizer: Optimizer<float>) : Law list = [
        OptimizerLaw.IsPure optimizer
        OptimizerLaw.KeepsShapes optimizer
    ]
