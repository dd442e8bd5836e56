namespace Pipeline.Learning.Laws

open System
open Pipeline.Learning

/// A dense stack written a second time, one sample after the other, with loops over plain arrays and
/// the system's own functions: what the core's results are held to. It shares no line with the core.
[<RequireQualifiedAccess>]
module Reference =
    /// A layer: weights [output, input], biases, and what becomes of the sums.
    type Layer = {
        /// [output, input].
        Weights: float[,]
        /// One an output.
        Biases: float[]
        /// What becomes of the sums.
        Activation: Activation
    }

    /// The layers of a network; the last one has no activation.
    [<CompiledName("OfNetwork")>]
    let ofNetwork (network: Network<float>) : Layer list =
        let dense (layer: LayerParameters<float>) = {
            Weights =
                Array2D.init layer.Weights.RowCount layer.Weights.ColumnCount (fun output input ->
                    layer.Weights[output, input])
            Biases = Array.init layer.Biases.Count (fun output -> layer.Biases[output])
            Activation = Activation.Identity
        }

        (([], network.Parameters.Layers), network.Architecture.Layers)
        ||> List.fold (fun (below, parameters) layer ->
            match Activation.parse layer.Name, below, parameters with
            | Ok activation, lower :: rest, _ ->
                {
                    lower with
                        Layer.Activation = activation
                }
                :: rest,
                parameters
            | Error _, _, own :: others when
                layer.Name.StartsWith("dense ", StringComparison.Ordinal)
                ->
                dense own :: below, others
            | _ ->
                invalidArg (nameof network) $"expected dense layers and activations, found {layer}")
        |> fst
        |> List.rev

    /// The normal distribution's cumulative.
    let private normal (z: float) : float =
        MathNet.Numerics.Distributions.Normal.CDF(0.0, 1.0, z)

    /// An activation of one number.
    [<CompiledName("Activate")>]
    let activate (activation: Activation) (z: float) : float =
        match activation with
        | Activation.Sigmoid -> 1.0 / (1.0 + Math.Exp(-z))
        | Activation.Tanh -> Math.Tanh z
        | Activation.Relu -> Math.Max(0.0, z)
        | Activation.Identity -> z
        | Activation.LeakyRelu -> if z > 0.0 then z else 0.01 * z
        | Activation.Elu -> if z > 0.0 then z else Math.Exp z - 1.0
        | Activation.Gelu -> z * normal z
        | Activation.Silu -> z / (1.0 + Math.Exp(-z))
        | Activation.Softplus -> Math.Log(1.0 + Math.Exp z)

    /// Its derivative there, by hand; 0, or 0.01 of leaky ReLU, at the kink.
    [<CompiledName("SlopeOf")>]
    let slopeOf (activation: Activation) (z: float) : float =
        match activation with
        | Activation.Sigmoid -> activate activation z * (1.0 - activate activation z)
        | Activation.Tanh -> 1.0 - Math.Tanh z * Math.Tanh z
        | Activation.Relu -> if z > 0.0 then 1.0 else 0.0
        | Activation.Identity -> 1.0
        | Activation.LeakyRelu -> if z > 0.0 then 1.0 else 0.01
        | Activation.Elu -> if z > 0.0 then 1.0 else Math.Exp z
        | Activation.Gelu -> normal z + z * Math.Exp(-z * z / 2.0) / Math.Sqrt(2.0 * Math.PI)
        | Activation.Silu ->
            let sigmoid = 1.0 / (1.0 + Math.Exp(-z))
            sigmoid * (1.0 + z * (1.0 - sigmoid))
        | Activation.Softplus -> 1.0 / (1.0 + Math.Exp(-z))

    /// Every layer's sums, before its activation, from the first layer to the last.
    [<CompiledName("Sums")>]
    let sums (layers: Layer list) (sample: float[]) : float[] list =
        let mutable x = sample

        [
            for layer in layers do
                let z = Array.copy layer.Biases

                for output in 0 .. z.Length - 1 do
                    for input in 0 .. x.Length - 1 do
                        z[output] <- z[output] + layer.Weights[output, input] * x[input]

                x <- Array.map (activate layer.Activation) z
                z
        ]

    /// The logits of one sample.
    [<CompiledName("Forward")>]
    let forward (layers: Layer list) (sample: float[]) : float[] = List.last (sums layers sample)

    /// Softmax of one sample's logits.
    [<CompiledName("Softmax")>]
    let softmax (z: float[]) : float[] =
        let top = Array.max z
        let e = z |> Array.map (fun z -> Math.Exp(z - top))
        let total = Array.sum e
        e |> Array.map (fun e -> e / total)

    /// −Σ tₖ ln softmax(z)ₖ.
    [<CompiledName("CrossEntropy")>]
    let crossEntropy (target: float[]) (z: float[]) : float =
        let top = Array.max z

        let logSum = top + Math.Log(z |> Array.sumBy (fun z -> Math.Exp(z - top)))

        Array.fold2 (fun loss t z -> loss + t * (logSum - z)) 0.0 target z

    /// Mean loss, and the gradient of every layer's weights and biases, of samples with their targets.
    [<CompiledName("Backward")>]
    let backward
        (layers: Layer list)
        (samples: (float[] * float[]) list)
        : float * (float[,] * float[]) list =
        let n = float samples.Length

        let gradients =
            layers
            |> List.map (fun layer ->
                Array2D.zeroCreate (Array2D.length1 layer.Weights) (Array2D.length2 layer.Weights),
                Array.zeroCreate layer.Biases.Length)

        let mutable loss = 0.0

        for sample, target in samples do
            let z = sums layers sample
            loss <- loss + crossEntropy target (List.last z) / n

            let inputs =
                sample
                :: List.map2 (fun layer z -> Array.map (activate layer.Activation) z) layers z

            let mass = Array.sum target

            let mutable upstream =
                Array.map2 (fun y t -> (y * mass - t) / n) (softmax (List.last z)) target

            for l = layers.Length - 1 downto 0 do
                let weights, biases = gradients[l]
                let layer, x = layers[l], inputs[l]

                for output in 0 .. upstream.Length - 1 do
                    biases[output] <- biases[output] + upstream[output]

                    for input in 0 .. x.Length - 1 do
                        weights[output, input] <-
                            weights[output, input] + upstream[output] * x[input]

                if l > 0 then
                    let below, above = layers[l - 1], upstream

                    upstream <-
                        Array.init x.Length (fun input ->
                            let mutable sum = 0.0

                            for output in 0 .. above.Length - 1 do
                                sum <- sum + layer.Weights[output, input] * above[output]

                            sum * slopeOf below.Activation z[l - 1].[input])

        loss, gradients

    /// The samples of a mini-batch, each with its target as a distribution.
    [<CompiledName("Samples")>]
    let samples (classes: int) (batch: MiniBatch<float>) : (float[] * float[]) list = [
        for s in 0 .. batch.Inputs.ColumnCount - 1 do
            Array.init batch.Inputs.RowCount (fun i -> batch.Inputs[i, s]),
            match batch.Targets with
            | Targets.Labels labels ->
                Array.init classes (fun k -> if k = labels[s] then 1.0 else 0.0)
            | Targets.Columns columns -> Array.init classes (fun k -> columns[k, s])
    ]

    /// The step of `slope`.
    [<CompiledName("Step")>]
    let step = 5e-4

    /// f′(0) by differences of fourth order: (8(f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h.
    [<CompiledName("Slope")>]
    let slope (f: float -> float) : float =
        (8.0 * (f step - f -step) - (f (2.0 * step) - f (-2.0 * step))) / (12.0 * step)

    /// The gradient of a function of an array, by `slope` along every axis.
    [<CompiledName("Gradient")>]
    let gradient (f: float[] -> float) (x: float[]) : float[] =
        Array.init x.Length (fun i ->
            slope (fun h ->
                let moved = Array.copy x
                moved[i] <- moved[i] + h
                f moved))
