/// Transform.fs: what each does to gradients and parameters, and how they combine.
module Pipeline.Properties.TransformLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private steps = OptimizerLaws.steps
let private gradients = OptimizerLaws.gradients

let private descent: Optimizer<float> = Optimizer.gradientDescent
let private adam: Optimizer<float> = Optimizer.adam 0.9 0.999 1e-8

/// Every step's parameters are the same bits.
let private same expected found =
    List.iter2 (fun x y -> Exactly.bits (flat x) (flat y)) expected found

/// The gradient that reaches an optimizer through a transform, as a step of 1 from 0 shows it.
let private seen (transform: Optimizer<float> -> Optimizer<float>) gradient =
    let zeros = Parameters.zeros gradient

    steps (transform descent) 1.0 [ gradient ] zeros
    |> List.last
    |> flat
    |> Array.map (fun x -> -x)

[<Law>]
let ``clipping by value brings every element within the limit and leaves the others``
    (Trainable(network, _))
    seed
    =
    let gradient = (gradients seed 1 network.Parameters).Head

    seen (Transform.clipByValue 0.01) gradient
    |> Exactly.bits (flat gradient |> Array.map (fun g -> Math.Clamp(g, -0.01, 0.01)))

[<Law>]
let ``clipping by norm keeps the direction and never exceeds the limit``
    (Trainable(network, _))
    seed
    =
    let gradient = (gradients seed 1 network.Parameters).Head

    let length (values: float[]) =
        Vector<float>.Build.Dense(values).L2Norm()

    let before = flat gradient
    [| Parameters.norm gradient |] |> Approximately.equal 1e-14 [| length before |]

    for limit in [ 0.01; 1.0; 100.0 ] do
        let after = seen (Transform.clipByNorm limit) gradient
        Assert.True(length after <= limit * (1.0 + 1e-6))
        let factor = min 1.0 (limit / length before)
        after |> Approximately.equal 1e-6 (before |> Array.map (fun g -> factor * g))

        if length before <= limit then
            Exactly.bits before after

[<Fact>]
let ``the norm of numbers whose squares overflow is finite, and clips them`` () =
    let network: Network<float> =
        Network.initialise
            Initialiser.XavierNormal
            1UL
            (Architecture.dense Activation.Relu [ 2; 3; 2 ])

    for size in [ 1e200; -1e307; 1e-200 ] do
        let gradient =
            Parameters.mapArrays
                (fun _ values -> Array.create values.Length size)
                network.Parameters

        let count = float (flat gradient).Length
        let norm = Parameters.norm gradient
        let expected = if abs size < 1.0 then 0.0 else abs size * sqrt count

        Approximately.equal 1e-14 [| 1.0 |] [|
            (if expected = 0.0 then 1.0 + norm else norm / expected)
        |]

        if expected > 0.0 then
            seen (Transform.clipByNorm 1.0) gradient
            |> Approximately.equal 1e-12 (Array.create (int count) (float (sign size) / sqrt count))

    for odd in [ nan; infinity ] do
        let gradient =
            Parameters.mapArrays (fun _ values -> Array.create values.Length odd) network.Parameters

        Exactly.bits [| odd |] [| Parameters.norm gradient |]

[<Law>]
let ``clipping twice is clipping once`` (Trainable(network, _)) seed =
    let gradients = gradients seed 5 network.Parameters

    for clip in [ Transform.clipByValue 0.01; Transform.clipByNorm 0.1 ] do
        same
            (steps (clip adam) 0.1 gradients network.Parameters)
            (steps (clip (clip adam)) 0.1 gradients network.Parameters)

[<Law>]
let ``decoupled decay takes a share of the rate off every parameter, beside the step``
    (Trainable(network, _))
    seed
    =
    let gradient = (gradients seed 1 network.Parameters).Head
    let theta = flat network.Parameters

    steps (Transform.weightDecay 0.2 descent) 0.1 [ gradient ] network.Parameters
    |> List.last
    |> flat
    |> Approximately.equal
        1e-14
        (Array.map2 (fun g x -> x - 0.1 * 0.2 * x - 0.1 * g) (flat gradient) theta)

[<Law>]
let ``fifty steps of AdamW are those of its paper`` (Trainable(network, _)) seed =
    let all = gradients seed 50 network.Parameters

    let found =
        steps (Transform.adamW 0.9 0.999 1e-8 0.3) 0.01 all network.Parameters
        |> List.tail

    let start = flat network.Parameters

    for i in 0 .. start.Length - 1 do
        found
        |> List.map (fun parameters -> (flat parameters)[i])
        |> Array.ofList
        |> Approximately.equal
            Approximately.rounding
            (all
             |> List.map (fun g -> (flat g)[i])
             |> OptimizerLaws.adamByPaper 0.3 0.9 0.999 1e-8 0.01 start[i]
             |> Array.ofList)

[<Law>]
let ``a transform of strength 0 changes no bit`` (Trainable(network, _)) seed =
    let gradients = gradients seed 5 network.Parameters
    let expected = steps adam 0.1 gradients network.Parameters

    for nothing in
        [
            Transform.adamW 0.9 0.999 1e-8 0.0
            Transform.penaltyL1 0.0 adam
            Transform.penaltyL2 0.0 adam
            Transform.accumulate 1 adam
            Transform.average 0.9 adam
        ] do
        same expected (steps nothing 0.1 gradients network.Parameters)

[<Law>]
let ``a penalty's part of the gradient is its slope`` (Trainable(network, _)) seed =
    let gradient = (gradients seed 1 network.Parameters).Head
    let theta = flat network.Parameters

    for penalise, penalty in
        [
            Transform.penaltyL2, (fun strength x -> 0.5 * strength * x * x)
            Transform.penaltyL1, (fun strength x -> strength * abs x)
        ] do
        let moved =
            steps (penalise 0.3 descent) 1.0 [ gradient ] network.Parameters
            |> List.last
            |> flat

        let expected =
            Array.map2
                (fun g x ->
                    // |x| has no slope at 0.
                    let slope =
                        if abs x < 1e-3 then
                            nan
                        else
                            Reference.slope (fun h -> penalty 0.3 (x + h))

                    x - g - slope)
                (flat gradient)
                theta

        let known =
            expected |> Array.map Double.IsFinite |> Array.indexed |> Array.filter snd

        let at (values: float[]) =
            known |> Array.map (fun (i, _) -> values[i])

        at moved |> Approximately.equal Approximately.definition (at expected)

[<Law>]
let ``penalties of weights are those of all parameters on matrices, and none on vectors``
    (Trainable(network, _))
    seed
    =
    let gradient = (gradients seed 1 network.Parameters).Head

    let after optimizer =
        steps optimizer 0.1 [ gradient ] network.Parameters |> List.last

    let plain = after descent

    for penalise in [ Transform.weightDecayOf; Transform.penaltyL1Of; Transform.penaltyL2Of ] do
        let ofAll = after (penalise Penalised.All 0.3 descent)

        let expected = Parameters.map2 (fun all _ -> all) (fun _ plain -> plain) ofAll plain

        Exactly.bits (flat expected) (flat (after (penalise Penalised.Weights 0.3 descent)))

[<Law>]
let ``an element at rest has no penalty`` (Trainable(network, _)) =
    let zeros = Parameters.zeros network.Parameters

    for penalise in [ Transform.penaltyL1; Transform.penaltyL2 ] do
        steps (penalise 0.3 descent) 1.0 [ zeros ] zeros
        |> List.last
        |> flat
        |> Exactly.bits (flat zeros)

[<Law>]
let ``gradients of k equal batches are one batch's of k times the size``
    (SplitBatch(parts, network, batch))
    =
    let size = batch.Count / parts

    let part i =
        let columns = batch.Inputs.SubMatrix(0, batch.Inputs.RowCount, i * size, size)

        let targets =
            match batch.Targets with
            | Targets.Labels labels -> Targets.Labels labels[i * size .. (i + 1) * size - 1]
            | Targets.Columns all -> Targets.Columns(all.SubMatrix(0, all.RowCount, i * size, size))

        MiniBatch.create columns targets

    let gradientOf batch =
        let struct (_, gradient) = Gradient.backward network batch
        gradient

    let all = List.init parts (part >> gradientOf)

    for optimizer in [ descent; Optimizer.momentum 0.9 ] do
        let path = steps (Transform.accumulate parts optimizer) 0.1 all network.Parameters

        // Nothing moves until the last of them.
        for before in List.take parts path do
            Exactly.bits (flat network.Parameters) (flat before)

        flat (List.last path)
        |> Approximately.equal
            1e-12
            (steps optimizer 0.1 [ gradientOf batch ] network.Parameters |> List.last |> flat)

[<Law>]
let ``accumulation makes a step every k gradients``
    (Trainable(network, _))
    seed
    (SampleCounts(_, k))
    =
    let k = 2 + k % 3
    let all = gradients seed (3 * k + 1) network.Parameters

    let mean group =
        group
        |> List.reduce (Parameters.mapArrays2 (Array.map2 (+)))
        |> mapTensors (fun _ sums -> sums |> Array.map (fun sum -> sum / float k))

    let means = all |> List.chunkBySize k |> List.take 3 |> List.map mean

    let expected = steps adam 0.01 means network.Parameters |> List.last

    steps (Transform.accumulate k adam) 0.01 all network.Parameters
    |> List.last
    |> flat
    // A mean of nearly 0 has no digits of its own, and Adam gives it a whole step.
    |> Approximately.equal 1e-6 (flat expected)

[<Law>]
let ``the average begins at the first parameters and follows the others``
    (Trainable(network, _))
    seed
    (Fraction decay)
    =
    let optimizer = Transform.average decay descent
    let start = optimizer.Init network.Parameters

    let average state =
        (Transform.averaged state).Value |> flat

    Exactly.bits (flat network.Parameters) (average start)
    Assert.True (Transform.averaged (descent.Init network.Parameters)).IsNone
    let mutable parameters, state, expected = network.Parameters, start, average start

    for gradient in gradients seed 10 network.Parameters do
        let struct (next, remembered) = optimizer.Update 0.1 gradient state parameters
        parameters <- next
        state <- remembered

        expected <- Array.map2 (fun a x -> decay * a + (1.0 - decay) * x) expected (flat parameters)

    average state |> Approximately.equal 1e-13 expected

[<Law>]
let ``the mean of the parameters is updated once for each accumulated step``
    (Trainable(network, _))
    seed
    (Fraction decay)
    =
    let start = network.Parameters
    let gradients = gradients seed 4 start

    let averaged (options: OptimizerOptions) each : Parameters<float> =
        let spec =
            OptimizerSpec.create {
                options with
                    AverageDecay = Nullable decay
            }
            |> orFail

        let optimizer: Optimizer<float> = OptimizerSpec.optimizer spec
        let mutable state = optimizer.Init start
        let mutable parameters = start

        for gradient in gradients do
            for _ in 1..each do
                let struct (next, remembered) = optimizer.Update 0.1 gradient state parameters
                parameters <- next
                state <- remembered

        (Transform.averaged state).Value

    let each =
        averaged
            {
                OptimizerSpec.named "GradientDescent" with
                    Accumulate = Nullable 3
            }
            3

    flat each
    |> Approximately.equal 1e-12 (flat (averaged (OptimizerSpec.named "GradientDescent") 1))

[<Law>]
let ``transforms keep to their own memory, in any order`` (Trainable(network, _)) seed =
    let all = gradients seed 7 network.Parameters

    for chain in
        [
            Transform.accumulate 2 >> Transform.average 0.9
            Transform.average 0.9 >> Transform.accumulate 2
            Transform.accumulate 2 >> Transform.accumulate 3
        ] do
        let optimizer = chain adam
        let path = steps optimizer 0.01 all network.Parameters
        Exactly.equal 8 path.Length

        Exactly.refused [ "memory" ] (fun () ->
            optimizer.Update 0.01 all.Head (adam.Init network.Parameters) network.Parameters)

[<Fact>]
let ``transforms refuse numbers out of range`` () =
    for limit in [ 0.0; -1.0; nan; infinity ] do
        Exactly.refused [ "limit" ] (fun () -> Transform.clipByValue limit descent)
        Exactly.refused [ "limit" ] (fun () -> Transform.clipByNorm limit descent)

    for strength in [ -1.0; nan; infinity ] do
        Exactly.refused [ "strength" ] (fun () -> Transform.weightDecay strength descent)
        Exactly.refused [ "strength" ] (fun () -> Transform.penaltyL1 strength descent)
        Exactly.refused [ "strength" ] (fun () -> Transform.penaltyL2 strength descent)

    Exactly.refused [ "count" ] (fun () -> Transform.accumulate 0 descent)

    for transform in
        [
            Transform.clipByValue 1.0
            Transform.clipByNorm 1.0
            Transform.weightDecay 0.1
            Transform.penaltyL1 0.1
            Transform.accumulate 2
        ] do
        Exactly.refused [ "without a line search" ] (fun () ->
            transform (Optimizer.lbfgs 5: Optimizer<float>))

    for decay in [ 1.0; -0.1; nan ] do
        Exactly.refused [ "decay" ] (fun () -> Transform.average decay descent)
