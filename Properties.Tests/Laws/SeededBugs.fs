/// Slips that people make, each in a small function of its own beside the right one: the library's laws must
/// catch every one, and must pass what is right.
module Pipeline.Properties.SeededBugs

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

type private M = Matrix<float>

/// Activations and their derivatives.
module private Own =
    let sigmoid (z: M) =
        z.Map(fun z -> 1.0 / (1.0 + Math.Exp(-z)))

    let sigmoidSlope (z: M) = (sigmoid z).Map(fun y -> y * (1.0 - y))

    let tanh (z: M) = z.Map(fun z -> Math.Tanh z)
    let tanhSlope (z: M) = (tanh z).Map(fun y -> 1.0 - y * y)

    let leaky (z: M) =
        z.Map(fun z -> if z < 0.0 then 0.01 * z else z)

    let leakySlope (z: M) =
        z.Map(fun z -> if z < 0.0 then 0.01 else 1.0)

    let elu (z: M) =
        z.Map(fun z -> if z < 0.0 then Math.Exp z - 1.0 else z)

    let eluSlope (z: M) =
        z.Map(fun z -> if z < 0.0 then Math.Exp z else 1.0)

    /// ½ Σ (y − t)², the mean over the batch.
    let squares (t: M) (y: M) =
        let n = float y.ColumnCount
        struct ((y - t).PointwisePower(2.0).ColumnSums().Sum() / (2.0 * n), (y - t) / n)

    let softmax (z: M) =
        z.EnumerateColumns()
        |> Seq.map (fun z ->
            let e = (z - z.Maximum()).PointwiseExp()
            e / e.Sum())
        |> M.Build.DenseOfColumnVectors

    /// −Σ t·ln softmax(z), the mean over the batch.
    let entropy (t: M) (z: M) =
        let n = float z.ColumnCount

        let loss =
            Seq.zip (t.EnumerateColumns()) (z.EnumerateColumns())
            |> Seq.sumBy (fun (t, z) ->
                let top = z.Maximum()
                let logSum = top + Math.Log((z - top).PointwiseExp().Sum())
                t * (logSum - z))

        struct (loss / n, (softmax z - t) / n)

    /// Square weights and biases, so that a transposition fits.
    let shapes inputs = seq {
        struct (inputs, inputs)
        struct (inputs, 1)
    }

    let private ones count = M.Build.Dense(1, count, 1.0)

    /// tanh(W·x + b).
    let dense (p: M[]) (x: M) =
        tanh (p[0] * x + p[1] * ones x.ColumnCount)

    let inner (p: M[]) (x: M) (upstream: M) =
        tanhSlope(p[0] * x + p[1] * ones x.ColumnCount).PointwiseMultiply upstream

    let back (p: M[]) (x: M) (upstream: M) =
        let g = inner p x upstream
        struct ([| g * x.Transpose(); g.RowSums().ToColumnMatrix() |], p[0].Transpose() * g)

    let backward (network: Network<float>) batch = Gradient.backward network batch

    /// An optimizer with one memory, from v′ and θ′ of v, g and θ.
    let remembering remember move : Optimizer<float> = {
        Init =
            fun parameters -> {
                Steps = 0L
                Memory = [
                    {
                        Name = "velocity"
                        Values = Optimizer.descend 1.0 parameters parameters
                    }
                ]
            }
        Update =
            fun rate gradient state parameters ->
                let all2 (f: float -> float -> float) =
                    Parameters.map2 (fun (a: M) b -> a.Map2(f, b)) (fun (a: Vector<float>) b ->
                        a.Map2(f, b))

                let memory = all2 remember state.Memory.Head.Values gradient

                struct (all2 (fun v theta -> theta + move rate v) memory parameters,
                        {
                            Steps = state.Steps + 1L
                            Memory = [
                                {
                                    state.Memory.Head with
                                        Values = memory
                                }
                            ]
                        })
        LayerUpdate = ValueNone
        Search = ValueNone
    }

    let lbfgs: Optimizer<float> = Optimizer.lbfgs 3

    let momentum = remembering (fun v g -> 0.9 * v + g) (fun rate v -> -rate * v)

    let momentumByPaper rate start (gradients: float[]) =
        let mutable theta, v = start, 0.0

        [
            for g in gradients do
                v <- 0.9 * v + g
                theta <- theta - rate * v
                yield theta
        ]

    /// Every epoch an order of its own, cut into batches.
    let draw (seed: uint64) samples size (iteration: int64) =
        Batch.slice
            (Batch.order seed samples (iteration / int64 (Batch.iterationsPerEpoch samples size)))
            size
            iteration

open Own

let private activation (apply: M -> M) (slope: M -> M) = ActivationLaw.All(apply, slope)

let private loss kind (f: M -> M -> struct (float * M)) = LossLaw.All(kind, (fun t y -> f t y))

let private layer (forward: M[] -> M -> M) (back: M[] -> M -> M -> struct (M[] * M)) =
    LayerLaw.All(shapes, (fun p x -> forward p x), (fun p x upstream -> back p x upstream))

let private network
    (back: Network<float> -> MiniBatch<float> -> struct (float * Parameters<float>))
    =
    NetworkLaw.All(fun network batch -> back network batch)

let private optimizer (optimizer: Optimizer<float>) = [
    yield! OptimizerLaw.All optimizer
    OptimizerLaw.ZeroGradientMovesNothing optimizer
    OptimizerLaw.FollowsRule(
        optimizer,
        10,
        fun rate start gradients -> momentumByPaper rate start gradients
    )
]

/// The gradient of a loss or a network made another, the loss as it was.
let private regraded (change: 'G -> 'G) (struct (loss: float, gradient: 'G)) =
    struct (loss, change gradient)

/// Adam for one number.
let private adamByPaper = OptimizerLaws.adamByPaper 0.0 0.9 0.999 1e-8

let private overLayers change (p: Parameters<float>) = { Layers = List.mapi change p.Layers }

/// Gradient descent along another gradient, which may follow from the count of steps.
let private along (change: int64 -> Parameters<float> -> Parameters<float>) : Optimizer<float> = {
    Optimizer.gradientDescent with
        Update =
            fun rate gradient state parameters ->
                Optimizer.gradientDescent.Update rate (change state.Steps gradient) state parameters
        LayerUpdate = ValueNone
        Search = ValueNone
}

let private negated (p: Parameters<float>) = Optimizer.descend 2.0 p p

let private overWeights change =
    overLayers (fun l layer -> layer |> LayerParameters.withMatrix "W" (change l layer.Weights))

let private overBiases change =
    overLayers (fun l layer -> layer |> LayerParameters.withVector "b" (change l layer.Biases))

/// A way to draw batches from an order of samples for seed and epoch.
let private batches (order: uint64 -> int -> int64 -> int[]) =
    BatchLaw.All(fun seed samples size iteration ->
        Batch.slice
            (order seed samples (iteration / int64 (Batch.iterationsPerEpoch samples size)))
            size
            iteration)

/// Every slip: its name, the laws it is given to, and words of the verdict.
let private slips: (string * Law list * string) list = [
    "sigmoid: slope of y, taken of z",
    activation sigmoid (fun z -> z.Map(fun z -> z * (1.0 - z))),
    "is wrong"
    "tanh: the square is missing",
    activation tanh (fun z -> (tanh z).Map(fun y -> 1.0 - y)),
    "is wrong"
    "tanh: the sign is turned", activation tanh (fun z -> -(tanhSlope z)), "wrong sign"
    "leaky ReLU: the mask is turned",
    activation leaky (fun z -> z.Map(fun z -> if z < 0.0 then 1.0 else 0.01)),
    "is wrong"
    "leaky ReLU: no slope below 0",
    activation leaky (fun z -> z.Map(fun z -> if z < 0.0 then 0.0 else 1.0)),
    "is wrong"
    "ELU: the mask is missing", activation elu (fun z -> z.PointwiseExp()), "is wrong"
    "an activation divided by the sum of all",
    activation (fun z -> z / (1.0 + z.PointwiseAbs().ColumnSums().Sum())) (fun z ->
        let total = 1.0 + z.PointwiseAbs().ColumnSums().Sum()
        z.Map(fun x -> 1.0 / total - float (sign x) * z.ColumnSums().Sum() / (total * total))),
    "has the bits it has alone"
    "sigmoid: the derivative writes to its argument",
    activation sigmoid (fun z ->
        let slopes = sigmoidSlope z
        slopes.CopyTo z
        slopes),
    "an argument was written to"
    "sigmoid: writes to its argument",
    activation
        (fun z ->
            z.MapInplace(fun z -> 1.0 / (1.0 + Math.Exp(-z)))
            z)
        sigmoidSlope,
    "an argument was written to"
    "sigmoid: the last sample is left out",
    activation sigmoid (fun z ->
        let slopes = sigmoidSlope z
        slopes.ClearColumn(z.ColumnCount - 1)
        slopes),
    "is wrong"
    "tanh: scaled by the batch's greatest",
    activation (fun z -> tanh z / (1.0 + (z.Enumerate() |> Seq.map abs |> Seq.max))) tanhSlope,
    "every sample has the bits it has alone"
    "cross entropy: t − y",
    loss TargetKind.Distributions (fun t z -> entropy t z |> regraded (fun g -> -g)),
    "wrong sign"
    "cross entropy: 1/N is missing in the gradient",
    loss TargetKind.Distributions (fun t z ->
        entropy t z |> regraded (fun g -> g * float z.ColumnCount)),
    "is missing"
    "cross entropy: a sum for a mean",
    loss TargetKind.Distributions (fun t z ->
        let struct (loss, g) = entropy t z
        let n = float z.ColumnCount
        struct (loss * n, g * n)),
    "the loss of"
    "cross entropy: divided by the classes",
    loss TargetKind.Distributions (fun t z ->
        entropy t z |> regraded (fun g -> g * float z.ColumnCount / float z.RowCount)),
    "is wrong"
    "cross entropy: softmax over samples",
    loss TargetKind.Distributions (fun t z ->
        entropy t z
        |> regraded (fun _ -> ((softmax (z.Transpose())).Transpose() - t) / float z.ColumnCount)),
    "is wrong"
    "cross entropy: the class beside the right one",
    loss TargetKind.Distributions (fun t z ->
        let k = t.RowCount

        let beside = M.Build.Dense(k, t.ColumnCount, (fun i s -> t[(i + 1) % k, s]))

        entropy t z |> regraded (fun _ -> (softmax z - beside) / float z.ColumnCount)),
    "is wrong"
    "cross entropy: turned on both ways",
    loss TargetKind.Distributions (fun t z ->
        let struct (loss, g) = entropy t z
        struct (-loss, -g)),
    "outputs near the targets cost less"
    "cross entropy: the targets are ignored on both ways",
    loss TargetKind.Distributions (fun t z ->
        entropy (M.Build.Dense(t.RowCount, t.ColumnCount, 1.0 / float t.RowCount)) z),
    "outputs near the targets cost less"
    "squared error: turned on both ways",
    loss TargetKind.Numbers (fun t y ->
        let struct (loss, g) = squares t y
        struct (-loss, -g)),
    "outputs near the targets cost less"
    "squared error: the target is doubled on both ways",
    loss TargetKind.Numbers (fun t y -> squares (2.0 * t) y),
    "outputs near the targets cost less"
    "squared error: 2 is not cancelled",
    loss TargetKind.Numbers (fun t y -> squares t y |> regraded (fun g -> 2.0 * g)),
    "a factor 1/2 is missing"
    "squared error: writes to the outputs",
    loss TargetKind.Numbers (fun t y ->
        y.Subtract(t, y)

        struct (y.PointwisePower(2.0).ColumnSums().Sum() / (2.0 * float y.ColumnCount),
                y / float y.ColumnCount)),
    "written to"
    "dense: the weights' gradient is transposed",
    layer dense (fun p x upstream ->
        let struct (g, inInputs) = back p x upstream
        struct ([| g[0].Transpose(); g[1] |], inInputs)),
    "parameter 1"
    "dense: W for Wᵀ on the way back",
    layer dense (fun p x upstream ->
        let struct (g, _) = back p x upstream
        struct (g, p[0] * inner p x upstream)),
    "inputs"
    "dense: the biases' gradient is not summed",
    layer dense (fun p x upstream ->
        let struct (g, inInputs) = back p x upstream
        struct ([| g[0]; (inner p x upstream).SubMatrix(0, x.RowCount, 0, 1) |], inInputs)),
    "parameter 2"
    "dense: outputs for inputs in the weights' gradient",
    layer dense (fun p x upstream ->
        let struct (g, inInputs) = back p x upstream
        struct ([| inner p x upstream * (dense p x).Transpose(); g[1] |], inInputs)),
    "parameter 1"
    "dense: the activation's slope is forgotten",
    layer dense (fun p x upstream ->
        struct ([| upstream * x.Transpose(); upstream.RowSums().ToColumnMatrix() |],
                p[0].Transpose() * upstream)),
    "is wrong"
    "dense: the biases are left out on both ways",
    layer (fun p x -> tanh (p[0] * x)) (fun p x upstream ->
        let g = (tanhSlope (p[0] * x)).PointwiseMultiply upstream
        struct ([| g * x.Transpose(); 0.0 * p[1] |], p[0].Transpose() * g)),
    "parameter 2 make no difference"
    "dense: the biases reach the first sample only",
    layer
        (fun p x ->
            let z = p[0] * x
            z.SetColumn(0, z.Column 0 + p[1].Column 0)
            tanh z)
        back,
    "is wrong"
    "network: the loss is turned on both ways",
    network (fun network batch ->
        let struct (loss, g) = backward network batch
        struct (-loss, negated g)),
    "leans to the right class"
    "network: the targets are those of the next class",
    network (fun network batch ->
        let classes = network.Architecture.Outputs
        let t = Targets.columns classes batch.Targets
        let next = M.Build.Dense(classes, batch.Count, (fun k s -> t[(k + 1) % classes, s]))
        backward network (MiniBatch.create batch.Inputs (Targets.Columns next))),
    "leans to the right class"
    "network: the last sample is left out",
    network (fun network batch ->
        if batch.Count = 1 then
            backward network batch
        else
            let struct (loss, _) = backward network batch

            let fewer =
                MiniBatch.create
                    (batch.Inputs.SubMatrix(0, batch.Inputs.RowCount, 0, batch.Count - 1))
                    (match batch.Targets with
                     | Targets.Labels labels -> Targets.Labels labels[.. labels.Length - 2]
                     | Targets.Columns t ->
                         Targets.Columns(t.SubMatrix(0, t.RowCount, 0, batch.Count - 1)))

            let struct (_, gradient) = backward network fewer
            struct (loss, gradient)),
    "is wrong"
    "network: 1/N is missing in the last biases",
    network (fun network batch ->
        let last = network.Parameters.Layers.Length - 1

        backward network batch
        |> regraded (
            overBiases (fun l biases -> if l = last then biases * float batch.Count else biases)
        )),
    "is missing"
    "network: biases turned by one place",
    network (fun network batch ->
        backward network batch
        |> regraded (
            overBiases (fun _ biases ->
                biases.MapIndexed(fun i _ -> biases[(i + 1) % biases.Count]))
        )),
    "is wrong"
    "network: a penalty in the gradient alone",
    network (fun network batch ->
        backward network batch
        |> regraded (fun g -> Optimizer.descend -0.1 network.Parameters g)),
    "is wrong"
    "momentum: its sign is turned",
    optimizer (remembering (fun v g -> g - 0.9 * v) (fun rate v -> -rate * v)),
    "every number follows the rule"
    "momentum: uphill",
    optimizer (remembering (fun v g -> 0.9 * v + g) (fun rate v -> rate * v)),
    "lowers the loss"
    "momentum: the old velocity moves",
    optimizer {
        momentum with
            Update =
                fun rate gradient state parameters ->
                    let struct (_, next) = momentum.Update rate gradient state parameters

                    struct (Optimizer.descend rate state.Memory.Head.Values parameters, next)
    },
    "every number follows the rule"
    "momentum: the velocity is written in place",
    optimizer {
        momentum with
            Update =
                fun rate gradient state parameters ->
                    for v, g in List.zip state.Memory.Head.Values.Layers gradient.Layers do
                        v.Weights.Multiply(0.9, v.Weights)
                        v.Weights.Add(g.Weights, v.Weights)
                        v.Biases.Multiply(0.9, v.Biases)
                        v.Biases.Add(g.Biases, v.Biases)

                    struct (Optimizer.descend rate state.Memory.Head.Values parameters,
                            { state with Steps = state.Steps + 1L })
    },
    "an argument was written to"
    "momentum: the biases are forgotten",
    optimizer {
        momentum with
            Update =
                fun rate gradient state parameters ->
                    let struct (next, after) = momentum.Update rate gradient state parameters

                    struct (next |> overBiases (fun l _ -> parameters.Layers[l].Biases), after)
    },
    "every number follows the rule"
    "momentum: steps are not counted",
    optimizer {
        momentum with
            Update =
                fun rate gradient state parameters ->
                    let struct (next, after) = momentum.Update rate gradient state parameters
                    struct (next, { after with Steps = state.Steps })
    },
    "expected 1"
    "descent: another update than that of its layers",
    OptimizerLaw.All {
        Optimizer.gradientDescent with
            LayerUpdate = ValueSome(fun rate -> LayerGradient.descend (2.0 * rate))
    },
    "expected"
    "a line search: steps not counted",
    OptimizerLaw.All {
        lbfgs with
            Search =
                lbfgs.Search
                |> ValueOption.map (fun search rate objective loss gradient state parameters ->
                    let struct (next, after) = search rate objective loss gradient state parameters

                    struct (next, { after with Steps = state.Steps }))
    },
    "expected 1"
    "a line search: a fixed step instead",
    [
        OptimizerLaw.SearchNeverRaisesLoss {
            lbfgs with
                Search =
                    ValueSome(fun _ _ _ gradient state parameters ->
                        lbfgs.Update 10.0 gradient state parameters)
        }
    ],
    "rose"
    "descent: uphill", OptimizerLaw.All(along (fun _ g -> negated g)), "moves against its gradient"
    "descent: the gradient is ignored",
    OptimizerLaw.All(along (fun _ g -> Optimizer.descend 1.0 g g)),
    "the same value after 100 steps"
    "descent: always downwards",
    OptimizerLaw.All(along (fun _ g -> g |> overWeights (fun _ w -> w.Map(fun _ -> 1.0)))),
    "the same value after 100 steps"
    "descent: the sign of the first matrix is turned",
    OptimizerLaw.All(along (fun _ -> overWeights (fun l w -> if l = 0 then -w else w))),
    "moves against its gradient"
    "descent: the biases are forgotten",
    OptimizerLaw.All(along (fun _ -> overBiases (fun _ biases -> 0.0 * biases))),
    "the same value after 100 steps"
    "descent: the last layer is left out",
    OptimizerLaw.All(
        along (fun _ g ->
            let last = g.Layers.Length - 1
            g |> overWeights (fun l w -> if l = last then 0.0 * w else w))
    ),
    "the same value after 100 steps"
    "descent: the gradient is transposed where that fits",
    OptimizerLaw.All(
        along (fun _ ->
            overWeights (fun _ w -> if w.RowCount = w.ColumnCount then w.Transpose() else w))
    ),
    "moves against its gradient"
    "descent: every second step is uphill",
    OptimizerLaw.All(
        along (fun steps g ->
            if steps % 2L = 0L then
                g
            else
                3.0 |> fun k -> Optimizer.descend (1.0 + k) g g)
    ),
    "steps after the first that moved it"
    "descent by the normed gradient: 0 is divided by 0",
    OptimizerLaw.All(
        along (fun _ g ->
            let length = (Parameters.toVector g).L2Norm()
            Optimizer.descend (1.0 - 1.0 / length) g g)
    ),
    "expected 0, found NaN"
    "Adam: moments are not corrected for their start",
    [
        OptimizerLaw.FollowsRule(
            {
                Init = (Optimizer.adam 0.9 0.999 1e-8: Optimizer<float>).Init
                Update =
                    fun rate gradient state parameters ->
                        let adam: Optimizer<float> = Optimizer.adam 0.9 0.999 1e-8
                        // At a million steps nothing is left to correct.
                        adam.Update rate gradient { state with Steps = 1000000L } parameters
                LayerUpdate = ValueNone
                Search = ValueNone
            },
            5,
            fun rate start gradients -> adamByPaper rate start gradients
        )
    ],
    "every number follows the rule"
    "batches: the short last one is dropped",
    [
        BatchLaw.EpochShowsEverySampleOnce(fun seed samples size iteration ->
            let batch = draw seed samples size iteration
            if batch.Length < size then [||] else batch)
    ],
    "expected"
    "batches: the seed is ignored",
    batches (fun _ samples epoch -> Batch.order 1UL samples epoch),
    "give the same order"
    "batches: every epoch has the same order",
    batches (fun seed samples _ -> Batch.order seed samples 0L),
    "epochs 0 and 1 have the same order"
    "batches: an order of their own at each call",
    (let mutable calls = 0L

     let next () =
         calls <- calls + 1L
         calls

     batches (fun seed samples _ -> Batch.order seed samples (next ()))),
    "broken"
    "batches: one sample too far",
    [
        BatchLaw.EpochShowsEverySampleOnce(fun seed samples size iteration ->
            draw seed samples size iteration
            |> Array.map (fun place -> min (place + 1) (samples - 1)))
    ],
    "expected 0"
]

let names () =
    TheoryData<string>(slips |> Seq.map (fun (name, _, _) -> name))

[<Theory>]
[<MemberData(nameof names)>]
let ``a slip is caught, and said in words`` (name: string) =
    let _, laws, words = slips |> List.find (fun (other, _, _) -> other = name)
    let broken = Assert.Throws<LawBrokenException>(fun () -> Law.Check laws)
    Assert.Contains(words, broken.Message)

[<Law>]
let ``the right activations: each keeps the laws of one`` () =
    [ sigmoid, sigmoidSlope; tanh, tanhSlope; leaky, leakySlope; elu, eluSlope ]
    |> List.collect (fun (apply, slope) -> activation apply slope)
    |> Law.Together

[<Law>]
let ``the right losses: each keeps the laws of one`` () =
    Law.Together [
        yield! loss TargetKind.Distributions entropy
        LossLaw.IgnoresShift(TargetKind.Distributions, (fun t z -> entropy t z))
        LossLaw.IsNonNegative(TargetKind.Distributions, (fun t z -> entropy t z))
        LossLaw.IgnoresOrderOfOutputs(TargetKind.Distributions, (fun t z -> entropy t z))
        yield! loss TargetKind.Numbers squares
        LossLaw.IsZeroAtTargetAlone(TargetKind.Numbers, (fun t y -> squares t y))
    ]

[<Law>]
let ``the right layer keeps the laws of one`` () = layer dense back |> Law.Together

[<Law>]
let ``the right optimizer and batches: each keeps the laws of one`` () =
    Law.Together [
        yield! optimizer momentum
        OptimizerLaw.FollowsRule(
            Optimizer.adam 0.9 0.999 1e-8,
            5,
            fun rate start gradients -> adamByPaper rate start gradients
        )
        BatchLaw.EpochShowsEverySampleOnce(fun seed samples size iteration ->
            draw seed samples size iteration)
    ]
