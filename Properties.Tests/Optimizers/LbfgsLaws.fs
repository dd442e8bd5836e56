/// Lbfgs.fs, LineSearch.fs: the directions of the formula, PyTorch's path, and the conditions of Wolfe.
module Pipeline.Properties.LbfgsLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// A vector as parameters.
let private ofNumbers (numbers: 'T[]) : Parameters<'T> = {
    Layers = [
        {
            Matrices = []
            Vectors = [ "x", Vector<'T>.Build.Dense(Array.copy numbers) ]
        }
    ]
}

let private lbfgs (history: int) : Optimizer<float> = Optimizer.lbfgs history

/// The parameters after each step along a function of them, the start first.
let private recordPath (optimizer: Optimizer<float>) rate steps objective start =
    List.scan
        (fun struct (at, state) _ ->
            let struct (_, next, after) = Optimizer.step optimizer rate objective state at
            struct (next, after))
        struct (start, optimizer.Init start)
        [ 1..steps ]
    |> List.map (fun struct (at, _) -> at)

/// The places after each step along a function of a vector, the start first.
let private path (optimizer: Optimizer<float>) rate steps f (start: float[]) : float[] list =
    let objective parameters =
        let struct (value, gradient) = f (flat parameters)
        struct (value, ofNumbers gradient)

    ofNumbers start |> recordPath optimizer rate steps objective |> List.map flat

let private dot (x: float[]) (y: float[]) : float =
    Array.fold2 (fun sum x y -> sum + x * y) 0.0 x y

/// ½xᵀAx − bᵀx with A = D + vvᵀ, which is positive definite for a positive diagonal D.
let private quadratic
    (d: float[])
    (v: float[])
    (b: float[])
    (x: float[])
    : struct (float * float[]) =
    let along = dot v x
    let slope = Array.init x.Length (fun i -> d[i] * x[i] + v[i] * along)
    struct (0.5 * dot x slope - dot b x, Array.map2 (-) slope b)

/// The numbers of a quadratic of n dimensions.
let private drawn (seed: uint64) (n: int) =
    let normal k i =
        RandomNumbers.normal seed RandomStream.GradientCheck k i

    Array.init n (fun i -> 0.5 + 8.0 * abs (normal 0L i)),
    Array.init n (normal 1L),
    Array.init n (normal 2L)

/// (1 − x)² + 100(y − x²)², whose minimum 0 at (1, 1) lies in a curved valley.
let private rosenbrock (x: float[]) : struct (float * float[]) =
    let inner = x[1] - x[0] * x[0]
    let outer = 1.0 - x[0]

    struct (outer * outer + 100.0 * inner * inner,
            [| -2.0 * outer - 400.0 * x[0] * inner; 200.0 * inner |])

/// Steps with a fixed factor by the matrix H itself: equation 7.19 of Nocedal and Wright, from (s·y / y·y)·1 of the
/// newest pair, with the pairs from the oldest to the newest.
let private byMatrices history (rate: float) gradientOf steps (start: float[]) : float[] list =
    let n = start.Length
    let identity = Matrix<float>.Build.DenseIdentity n
    let column (x: float[]) = Matrix<float>.Build.Dense(n, 1, x)

    let inverse pairs =
        match pairs with
        | [] -> identity
        | (s, y) :: _ ->
            List.foldBack
                (fun (s, y) (h: Matrix<float>) ->
                    let rho = 1.0 / dot s y
                    let v = identity - rho * (column y * (column s).Transpose())
                    v.Transpose() * h * v + rho * (column s * (column s).Transpose()))
                pairs
                (identity * (dot s y / dot y y))

    let mutable x, pairs = start, []

    [
        start

        for _ in 1..steps do
            let g: float[] = gradientOf x
            let d = (inverse pairs * column g).ToColumnMajorArray() |> Array.map (~-)

            let length =
                if pairs.IsEmpty then
                    rate * min 1.0 (1.0 / Array.sumBy abs g)
                else
                    rate

            let next = Array.map2 (fun x d -> x + length * d) x d
            let s, y = Array.map2 (-) next x, Array.map2 (-) (gradientOf next) g

            if dot s y > 1e-10 * dot y y then
                pairs <- (s, y) :: pairs |> List.truncate history

            x <- next
            next
    ]

/// The places after steps without a line search.
let private updates history rate gradientOf steps (start: float[]) : float[] list =
    let optimizer = {
        lbfgs history with
            Search = ValueNone
    }

    path optimizer rate steps (fun x -> struct (nan, gradientOf x)) start

[<Law>]
let ``it keeps the laws of an optimizer, and no step with a line search raises the loss`` () =
    Law.Together [
        for history in [ 1; 4 ] do
            yield! OptimizerLaw.All(lbfgs history)
            OptimizerLaw.ZeroGradientMovesNothing(lbfgs history)
            OptimizerLaw.SearchNeverRaisesLoss(lbfgs history)
    ]

[<Law>]
let ``every step follows H of the formula, with as many pairs as the history`` (Seed seed) =
    let n = 1 + int (seed % 7UL)
    let d, v, b = drawn seed n

    let gradientOf x =
        let struct (_, gradient) = quadratic d v b x
        gradient

    for history in [ 1; 2; 5 ] do
        let start = Array.replicate n 1.0
        let expected = byMatrices history 0.3 gradientOf 12 start

        List.iter2 (Approximately.equal 1e-7) expected (updates history 0.3 gradientOf 12 start)

[<Law>]
let ``a pair without upward curvature is left out`` (Seed seed) =
    let n = 1 + int (seed % 7UL)
    let _, _, b = drawn seed n
    let start = Array.replicate n 1.0

    // −½|x|² + bᵀx curves downwards everywhere.
    let concave x = Array.map2 (-) b x

    let expected =
        List.scan
            (fun x _ ->
                let g = concave x
                let length = 0.1 * min 1.0 (1.0 / Array.sumBy abs g)
                Array.map2 (fun x g -> x - length * g) x g)
            start
            [ 1..6 ]

    List.iter2 (Approximately.equal 1e-12) expected (updates 3 0.1 concave 6 start)

    // cos along the first axis curves in both ways.
    let wave (x: float[]) =
        x |> Array.mapi (fun i x -> if i = 0 then -(sin x) else x)

    List.iter2
        (Approximately.equal 1e-6)
        (byMatrices 3 0.4 wave 8 start)
        (updates 3 0.4 wave 8 start)

[<Law>]
let ``with exact lengths it finds the minimum of a quadratic in as many steps as dimensions``
    (Seed seed)
    =
    let n = 1 + int (seed % 8UL)
    let d, v, b = drawn seed n
    let f = quadratic d v b
    let optimizer = lbfgs (n + 1)
    let gradient (x: float[]) = let struct (_, g) = f x in g
    let mutable x = ofNumbers (Array.replicate n 1.0)
    let mutable state = optimizer.Init x
    let first = Array.sumBy abs (gradient (flat x))

    for _ in 1 .. n + 1 do
        let g = gradient (flat x)
        let struct (whole, _) = optimizer.Update 1.0 (ofNumbers g) state x
        let direction = Array.map2 (-) (flat whole) (flat x)
        let zero = gradient (Array.zeroCreate n)
        let curvature = dot direction (Array.map2 (-) (gradient direction) zero)

        if curvature > 0.0 then
            let length = -(dot g direction) / curvature
            let struct (next, after) = optimizer.Update length (ofNumbers g) state x
            x <- next
            state <- after

    Assert.True(Array.sumBy abs (gradient (flat x)) <= 1e-6 * first)

[<Law>]
let ``its line search finds the minimum of a quadratic in a few steps`` (Seed seed) =
    let n = 1 + int (seed % 8UL)
    let d, v, b = drawn seed n
    let f = quadratic d v b
    let last = path (lbfgs 10) 1.0 (8 + 3 * n) f (Array.replicate n 1.0) |> List.last
    let struct (_, g) = f last
    Assert.True(Array.sumBy abs g <= 1e-5, $"%d{n} dimensions: %A{g}")

/// torch.optim.LBFGS([x], lr=1, max_iter=1, history_size=10, line_search_fn='strong_wolfe') of PyTorch 1.13 in double
/// precision on Rosenbrock's function from (−1.2, 1): x and y after each step, and how often it evaluated the
/// function, once of them at the place before.
let private ofPyTorch = [|
    -1.0245319303460325, 1.0716196202669255, 3
    -1.0284565745562346, 1.068187455748677, 2
    -1.0288795348319695, 1.0655029516848564, 2
    -1.0276177663827242, 1.0584120782656612, 2
    -1.0203084803940978, 1.0352769866467468, 2
    -0.9970310351680055, 0.9755913846740084, 2
    -0.9431278012083242, 0.8529662725410918, 2
    -0.8802131649658734, 0.7274772060719978, 2
    -0.7745797354515831, 0.5476256792320806, 2
    -0.6657084570888959, 0.41398308319536115, 2
    -0.5160277728852024, 0.2265458257902353, 2
    -0.34873447463607954, 0.1251923054326954, 2
    -0.25600484511812704, 0.03722749524505698, 4
    -0.1710819310346901, -0.00613035669344697, 2
    -0.046139669758781934, -0.018042704406061573, 2
    0.06615163101563909, -0.01752026355491135, 2
    0.2157306529495921, 0.06652156950754587, 2
    0.3415181810584439, 0.09898004561560132, 4
    0.38001654948983304, 0.1244895565414849, 2
    0.5135357050699878, 0.25636000404638776, 2
    0.582172369224457, 0.3207710935406736, 3
    0.6926775532049567, 0.46631386086477855, 2
    0.7158709792853403, 0.5239822043910074, 2
    0.8235346142444387, 0.6658080748008894, 2
    0.8046006446535676, 0.6462000159399949, 2
    0.8439987488904289, 0.7097602503424482, 2
    0.9009678097161442, 0.8046615256475893, 3
    0.9218673340828404, 0.8459862601952386, 2
    0.9587529625866308, 0.9166136580682842, 2
    0.9733871330256436, 0.9489577550776217, 2
    0.9949799996311627, 0.9895496613413612, 3
    0.9980617625001812, 0.9959022769637034, 2
    0.9996432286500994, 0.9993059924032637, 2
    1.0001037435048143, 1.000199430679809, 2
    0.9999993334076402, 0.9999986743824548, 2
|]

[<Fact>]
let ``the path along Rosenbrock's function is PyTorch's`` () =
    let mutable evaluations = 0

    let counted x =
        evaluations <- evaluations + 1
        rosenbrock x

    let found =
        path (lbfgs 10) 1.0 ofPyTorch.Length counted [| -1.2; 1.0 |] |> List.tail

    for i, (x, y, _) in Array.indexed ofPyTorch do
        // Every step multiplies the rounding of those before it.
        found[i] |> Approximately.equal 1e-9 [| x; y |]

    let expected = ofPyTorch |> Array.sumBy (fun (_, _, count) -> count)
    Exactly.equal expected evaluations
    found |> List.last |> Approximately.equal 1e-5 [| 1.0; 1.0 |]

[<Fact>]
let ``in single precision it arrives there too`` () =
    let optimizer: Optimizer<float32> = Optimizer.lbfgs 10

    let objective (parameters: Parameters<float32>) =
        let x = (Parameters.toVector parameters).ToArray()
        let struct (value, gradient) = rosenbrock (Array.map float x)
        struct (float32 value, ofNumbers (Array.map float32 gradient))

    let mutable x = ofNumbers [| -1.2f; 1.0f |]
    let mutable state = optimizer.Init x

    for _ in 1..50 do
        let struct (_, next, after) = Optimizer.step optimizer 1.0f objective state x
        x <- next
        state <- after

    flat x |> Array.map float |> Approximately.equal 1e-3 [| 1.0; 1.0 |]

[<Law>]
let ``every length satisfies both conditions of Wolfe`` (Seed seed) (FsCheck.PositiveInt first) =
    // Smooth, unbounded above and bounded below, with several minima.
    let normal k =
        RandomNumbers.normal seed RandomStream.GradientCheck k 0

    let a, b = abs (normal 0L) + 0.1, normal 1L
    let sign = if a * 0.6 + b * cos 0.9 > 0.0 then -1.0 else 1.0

    let point length =
        let x = 0.3 + sign * length

        {
            Length = length
            Value = a * x * x + b * sin (3.0 * x) / 3.0
            Slope = sign * (2.0 * a * x + b * cos (3.0 * x))
            Place = x
        }

    let start = point 0.0

    if start.Slope < -1e-3 then
        let found =
            LineSearch.strongWolfe point 1.0 start (float (first % 1000 + 1) / 100.0)

        Assert.True(found.Length > 0.0)
        Assert.True(found.Value <= start.Value + 1e-4 * found.Length * start.Slope)
        Assert.True(abs found.Slope <= -0.9 * start.Slope)

[<Law>]
let ``every step along a network's loss lowers it as much as the first condition asks, or stays``
    (Trainable(network, batch))
    =
    let objective parameters =
        Gradient.backward { network with Parameters = parameters } batch

    let optimizer = lbfgs 5

    let mutable x, state = network.Parameters, optimizer.Init network.Parameters

    for _ in 1..6 do
        let struct (loss, gradient) = objective x
        let struct (_, next, after) = Optimizer.step optimizer 1.0 objective state x
        let step = Array.map2 (-) (flat next) (flat x)
        let slope = dot (flat gradient) step
        let struct (nextLoss, _) = objective next
        // The step is rounded, and so is its slope.
        Assert.True(nextLoss <= loss + 1e-4 * slope + 1e-14 * abs loss)
        x <- next
        state <- after

[<Fact>]
let ``a place where the function is not a number is as good as infinitely high`` () =
    // x − ln x is not a number below 0; its minimum is 1.
    let f (x: float[]) =
        struct (x[0] - log x[0], [| 1.0 - 1.0 / x[0] |])

    for rate in [ 1.0; 30.0; 1e6 ] do
        path (lbfgs 5) rate 30 f [| 9.0 |]
        |> List.last
        |> Approximately.equal 1e-6 [| 1.0 |]

[<Fact>]
let ``where no length lowers the function, the pairs are forgotten and the place stays`` () =
    let optimizer = lbfgs 3
    let mutable isHonest = true

    // Its gradient points down where it rises, once it lies.
    let objective (parameters: Parameters<float>) =
        let x = (flat parameters)[0]
        struct (x * x, ofNumbers [| (if isHonest then 2.0 else -2.0) * x |])

    let start = ofNumbers [| 3.0 |]

    let struct (_, at, state) =
        Optimizer.step optimizer 0.1 objective (optimizer.Init start) start

    Assert.NotEqual(0.0, (flat state.Memory.Head.Values)[0])
    isHonest <- false
    let struct (_, next, after) = Optimizer.step optimizer 0.1 objective state at
    Exactly.bits (flat at) (flat next)
    Exactly.equal 2L after.Steps

    for memory in after.Memory do
        Exactly.bits [| 0.0 |] (flat memory.Values)

[<Fact>]
let ``a loss or gradient that is not a number moves nothing`` () =
    for value, slope in [ nan, 1.0; 1.0, nan; infinity, 1.0 ] do
        path (lbfgs 3) 1.0 2 (fun _ -> struct (value, [| slope |])) [| 2.0 |]
        |> List.last
        |> Exactly.bits [| 2.0 |]

[<Law>]
let ``an L2 penalty of the weights moves their minimum and leaves that of the biases`` (Seed seed) =
    let n = 1 + int (seed % 6UL)
    let _, matrix, vector = drawn seed n

    let record (weights: float[]) (biases: float[]) : Parameters<float> = {
        Layers = [
            LayerParameters.dense
                (Matrix<float>.Build.Dense(n, 1, weights))
                (Vector<float>.Build.Dense biases)
        ]
    }

    // ½|W − M|² + ½|b − v|².
    let objective (parameters: Parameters<float>) =
        let layer = parameters.Layers.Head
        let w = Array.map2 (-) (layer.Weights.ToColumnMajorArray()) matrix
        let b = Array.map2 (-) (layer.Biases.ToArray()) vector
        struct (0.5 * (dot w w + dot b b), record w b)

    let penalised = lbfgs 10 |> Transform.penaltyL2Of Penalised.Weights 0.5
    let ones = Array.replicate n 1.0

    recordPath penalised 1.0 20 objective (record ones ones)
    |> List.last
    |> flat
    |> Approximately.equal 1e-6 (Array.append (matrix |> Array.map (fun x -> x / 1.5)) vector)

[<Law>]
let ``around it, the L2 penalty moves the minimum and the mean follows`` (Seed seed) =
    let n = 1 + int (seed % 6UL)
    let _, _, b = drawn seed n
    // ½|x − b|² + ½λ|x|² is lowest at b / (1 + λ).
    let f = quadratic (Array.replicate n 1.0) (Array.zeroCreate n) b
    let penalised = lbfgs 10 |> Transform.penaltyL2 0.5

    path penalised 1.0 20 f (Array.replicate n 1.0)
    |> List.last
    |> Approximately.equal 1e-6 (b |> Array.map (fun b -> b / 1.5))

    let start = Array.replicate n 1.0
    let plain = path (lbfgs 10) 1.0 5 f start
    let mean = lbfgs 10 |> Transform.average 0.8
    List.iter2 Exactly.bits plain (path mean 1.0 5 f start)

    let objective parameters =
        let struct (value, gradient) = f (flat parameters)
        struct (value, ofNumbers gradient)

    let struct (_, next, state) =
        Optimizer.step mean 1.0 objective (mean.Init(ofNumbers start)) (ofNumbers start)

    flat (Transform.averaged state).Value
    |> Approximately.equal 1e-12 (Array.map2 (fun a x -> 0.8 * a + 0.2 * x) start (flat next))

[<Fact>]
let ``histories and states that are not its own are refused`` () =
    for history in [ 0; -1; 101 ] do
        Exactly.refused [ "history"; "1 to 100" ] (fun () -> lbfgs history)

    let parameters = ofNumbers [| 1.0; 2.0 |]
    let adam: Optimizer<float> = Optimizer.adam 0.9 0.999 1e-8
    let objective _ = struct (1.0, parameters)

    for other in [ adam.Init parameters; (lbfgs 2).Init parameters ] do
        Exactly.refused [ "expected a memory of s1, y1, s2, y2, s3, y3, step, gradient" ] (fun () ->
            Optimizer.step (lbfgs 3) 1.0 objective other parameters)

    Exactly.refused [] (fun () ->
        Optimizer.step
            (lbfgs 3)
            1.0
            objective
            ((lbfgs 3).Init(ofNumbers [| 1.0 |]))
            (ofNumbers [| 1.0 |]))

let private settings steps batch sampling =
    Hyperparameters.create {
        Hyperparameters.Default.Options with
            Length = RunLength.Iterations steps
            BatchSize = batch
            LearningRate = 1.0
            Sampling = sampling
            Initialiser = Initialiser.XavierNormal
            Optimizer = OptimizerSpec.create (OptimizerSpec.named "Lbfgs") |> orFail
    }
    |> orFail

[<Fact>]
let ``a full batch is all training samples, each once`` () =
    Exactly.equal (Ok 150) (Trainer.checkFullBatch (settings 10L 150 Sampling.Epoch) 150)
    Exactly.equal (Ok 150) (Trainer.checkFullBatch (settings 10L 1000 Sampling.Epoch) 150)
    Exactly.equal (Ok 150) (Trainer.checkFullBatch Hyperparameters.Default 150)

    Exactly.faulted
        [
            "BatchSize: expected 150 or more, as Lbfgs learns from all training samples at each step, found 149."
            "Sampling: expected Epoch, as Lbfgs learns from all training samples at each step, found Replacement."
        ]
        (Trainer.checkFullBatch (settings 10L 149 Sampling.Replacement) 150)

/// Samples of three classes, wide enough for products that threads share.
let private samples count features : Dataset<float32> =
    let cell s i =
        RandomNumbers.normal 5UL RandomStream.GradientCheck (int64 s) i

    let inputs: Matrix<float32> =
        Matrix<float32>.Build.Dense(features, count, fun i s -> float32 (cell s i))

    Dataset.ofColumns
        3
        inputs
        (Targets.Labels(
            Array.init count (fun s ->
                if cell s 0 > 0.5 then 2
                elif cell s 1 > 0.0 then 1
                else 0)
        ))

[<Fact>]
let ``any number of threads gives the same bits`` () =
    let data = samples 600 200
    let settings = settings 3L 600 Sampling.Epoch

    let bytes threads =
        KernelLaws.withThreads threads (fun () ->
            let start: TrainingState<float32> =
                Architecture.dense Activation.Tanh [ 200; 300; 3 ] |> Trainer.start settings

            let last = Trainer.advance settings data 3L (fun _ _ -> true) start
            Parameters.toBytes last.Network.Parameters)

    let alone = bytes 1

    for threads in [ 2; 3 ] do
        Exactly.bits alone (bytes threads)

[<Fact>]
let ``a run resumed from a checkpoint has the bits of the whole run`` () =
    let data = samples 60 5
    let settings = settings 24L 60 Sampling.Epoch
    let architecture = Architecture.dense Activation.Tanh [ 5; 7; 3 ]

    let advance count =
        Trainer.advance settings data count (fun _ _ -> true)

    let start: TrainingState<float32> = Trainer.start settings architecture
    let whole = advance 24L start

    for first in [ 1L; 4L; 13L ] do
        let bytes = advance first start |> Checkpoint.write

        let resumed: TrainingState<float32> =
            Checkpoint.read settings architecture (ReadOnlyMemory bytes) |> orFail

        let last = advance (24L - first) resumed
        Exactly.bits (Checkpoint.write whole) (Checkpoint.write last)
