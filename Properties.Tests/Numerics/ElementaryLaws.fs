/// Elementary.fs: against the system's own functions, which are right to 1 unit in the last place.
module Pipeline.Properties.ElementaryLaws

open System
open Pipeline.Learning
open Pipeline.Learning.Laws

let private exp (x: float) =
    Elementary.Exp<float, float, Simd1<float>> x

let private expSingle (x: float32) =
    Elementary.Exp<float32, float32, Simd1<float32>> x

let private sigmoid (x: float) =
    Elementary.Sigmoid<float, float, Simd1<float>> x

let private sigmoidSingle (x: float32) =
    Elementary.Sigmoid<float32, float32, Simd1<float32>> x

let private tanh (x: float) =
    Elementary.Tanh<float, float, Simd1<float>> x

let private tanhSingle (x: float32) =
    Elementary.Tanh<float32, float32, Simd1<float32>> x

/// Single precision's right answer is the double one, rounded.
let private rounded (f: float -> float) (x: float32) = float32 (f (float x))

[<Law>]
let ``exp is within 2 units of the system's where results are normal`` (Exponent x) =
    if x > -707.0 then
        exp x |> Approximately.ulps 2L (Math.Exp x)

[<Law>]
let ``exp in single is within 1 unit of the rounded result`` (Exponent x) =
    let x = float32 (x / 8.0)

    if x > -86.5f then
        expSingle x |> Approximately.ulpsSingle 1L (rounded Math.Exp x)

[<Law>]
let ``exp is 0 or near it where the result is all but 0`` (Exponent x) =
    let x = -707.7 - abs x
    exp x >= 0.0 && exp x <= 1e-307 && expSingle (float32 x) = 0.0f

[<Xunit.Fact>]
let ``exp at its edges`` () =
    for x, expected in
        [
            0.0, 1.0
            -0.0, 1.0
            infinity, infinity
            -infinity, 0.0
            nan, nan
            5e-324, 1.0
            709.8, infinity
            1e4, infinity
            -1e4, 0.0
            1e300, infinity
            -1e300, 0.0
        ] do
        exp x |> Approximately.ulps 0L expected

        expSingle (float32 x)
        |> Approximately.ulpsSingle 0L (rounded (fun _ -> expected) 0f)

    exp 709.78 |> Approximately.ulps 2L (Math.Exp 709.78)
    exp -707.6 |> Approximately.ulps 2L (Math.Exp -707.6)
    exp -707.8 |> Approximately.ulps 0L 0.0
    expSingle 88.72f |> Approximately.ulpsSingle 1L (rounded Math.Exp 88.72f)
    expSingle 88.73f |> Approximately.ulpsSingle 0L infinityf
    expSingle -86.59f |> Approximately.ulpsSingle 1L (rounded Math.Exp -86.59f)
    expSingle -86.61f |> Approximately.ulpsSingle 0L 0.0f

[<Law>]
let ``log is within 2 units of the system's for every number`` (AnyNumber x) =
    ScalarMath.Log x |> Approximately.ulps 2L (Math.Log x)

[<Law>]
let ``log is within 2 units of the system's near 1`` (Exponent x) =
    let x = 1.0 + x / 3000.0
    ScalarMath.Log x |> Approximately.ulps 2L (Math.Log x)

[<Law>]
let ``log undoes exp`` (Exponent x) =
    let x = x / 2.0
    [| ScalarMath.Log(exp x) |] |> Approximately.equal 1e-15 [| x |]

/// 1 / (1 + e⁻ˣ) of the system's exponential: itself right to a few units.
let private sigmoidOfSystem (x: float) = 1.0 / (1.0 + Math.Exp(-x))

[<Law>]
let ``sigmoid is within 4 units of its definition`` (Exponent x) =
    if x > -700.0 then
        sigmoid x |> Approximately.ulps 4L (sigmoidOfSystem x)

[<Law>]
let ``sigmoid in single is within 3 units of the rounded result`` (Exponent x) =
    let x = float32 (x / 9.0)

    if x > -86.0f then
        sigmoidSingle x |> Approximately.ulpsSingle 3L (rounded sigmoidOfSystem x)

[<Law>]
let ``sigmoids of x and −x sum to 1`` (Exponent x) =
    [| sigmoid x + sigmoid -x |] |> Approximately.equal 1e-15 [| 1.0 |]

[<Law>]
let ``tanh is within 5 units of the system's`` (Exponent x) =
    tanh (x / 10.0) |> Approximately.ulps 5L (Math.Tanh(x / 10.0))

[<Law>]
let ``tanh in single is within 5 units of the rounded result`` (Exponent x) =
    let x = float32 (x / 10.0)
    tanhSingle x |> Approximately.ulpsSingle 5L (rounded Math.Tanh x)

[<Law>]
let ``tanh near 0 keeps every digit`` (AnyNumber x) =
    if abs x < 0.625 then
        // x³ of the smallest numbers is 0 in both.
        tanh x |> Approximately.ulps 3L (Math.Tanh x)

[<Xunit.Fact>]
let ``sigmoid and tanh at their edges`` () =
    for x, s, t in
        [
            0.0, 0.5, 0.0
            1e4, 1.0, 1.0
            -1e4, 0.0, -1.0
            infinity, 1.0, 1.0
            -infinity, 0.0, -1.0
            nan, nan, nan
            1e300, 1.0, 1.0
            -1e300, 0.0, -1.0
        ] do
        sigmoid x |> Approximately.ulps 0L s
        tanh x |> Approximately.ulps 0L t
        sigmoidSingle (float32 x) |> Approximately.ulpsSingle 0L (float32 s)
        tanhSingle (float32 x) |> Approximately.ulpsSingle 0L (float32 t)

let private softplus (x: float) =
    Elementary.Softplus<float, float, Simd1<float>> x

let private expLess1 (x: float) =
    Elementary.ExpLess1<float, float, Simd1<float>> x

let private cumulative (x: float) =
    NormalDistribution.Cumulative<float, float, Simd1<float>> x

/// |found − expected| in parts of the expected.
let private relative (most: float) (expected: float) (found: float) =
    [| found / expected |] |> Approximately.equal most [| 1.0 |]

[<Law>]
let ``softplus is ln(1 + eˣ), to every digit far below 0 too`` (Exponent x) =
    let x = x / 2.0

    let expected =
        if x > 0.0 then
            x + MathNet.Numerics.SpecialFunctions.Log1p(Math.Exp -x)
        else
            MathNet.Numerics.SpecialFunctions.Log1p(Math.Exp x)

    softplus x |> relative 1e-14 expected

    if abs x < 80.0 then
        Elementary.Softplus<float32, float32, Simd1<float32>>(float32 x)
        |> float
        |> relative 1e-6 (softplus (float (float32 x)))

[<Law>]
let ``eˣ − 1 keeps every digit near 0`` (AnyNumber x) =
    let x = -(abs x)

    // Next to 0 the series ends after a few terms; elsewhere nothing is lost by subtracting.
    if x < -1e-300 && x > -0.01 then
        let series =
            1.0
            + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0))))

        expLess1 x |> relative 1e-14 (x * series)
    elif x <= -0.01 && x > -700.0 then
        expLess1 x |> relative 1e-13 (Math.Exp x - 1.0)

[<Law>]
let ``the normal distribution's cumulative is Math.NET's, and both sides sum to 1`` (Exponent x) =
    let x = x / 25.0

    // Far down, x²/2 itself is rounded.
    cumulative x
    |> relative (1e-14 * (1.0 + x * x)) (MathNet.Numerics.Distributions.Normal.CDF(0.0, 1.0, x))

    [| cumulative x + cumulative -x |] |> Approximately.equal 1e-15 [| 1.0 |]

    NormalDistribution.Cumulative<float32, float32, Simd1<float32>>(float32 x)
    |> float
    |> fun found -> [| found |] |> Approximately.equal 3e-7 [| cumulative (float (float32 x)) |]

[<Law>]
let ``cos πx is the system's from 0 to 1`` (Fraction x) =
    [| ScalarMath.CosPi x |]
    |> Approximately.equal 1e-15 [| Math.Cos(Math.PI * x) |]

    [| ScalarMath.CosPi 1.0 |] |> Approximately.equal 1e-15 [| -1.0 |]

[<Law>]
let ``powers are the system's`` (Fraction x) (n: FsCheck.NonNegativeInt) =
    let n = int64 n.Get

    [| ScalarMath.Power(x, n) |]
    |> Approximately.equal 1e-13 [| Math.Pow(x, float n) |]

[<Xunit.Fact>]
let ``signs keep what is not a number`` () =
    for x, expected in [ 3.0, 1.0; -1e-320, -1.0; 0.0, 0.0; infinity, 1.0; nan, nan ] do
        Elementary.Sign<float, float, Simd1<float>> x |> Approximately.ulps 0L expected

/// The functions of an array, with registers of one width.
type private Functions<'T when 'T :> System.Numerics.INumber<'T>> = {
    X: 'T[]
    Results: 'T[][]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let x = loop.X
            let mutable i = 0

            while i < x.Length do
                let at = nativeint i
                let lanes = 'L.Load(&Simd.start x, at)
                'L.Store(Elementary.Exp<'V, 'T, 'L> lanes, &Simd.start loop.Results[0], at)
                'L.Store(Elementary.Sigmoid<'V, 'T, 'L> lanes, &Simd.start loop.Results[1], at)
                'L.Store(Elementary.Tanh<'V, 'T, 'L> lanes, &Simd.start loop.Results[2], at)
                'L.Store(Elementary.Softplus<'V, 'T, 'L> lanes, &Simd.start loop.Results[3], at)
                'L.Store(Elementary.ExpLess1<'V, 'T, 'L> lanes, &Simd.start loop.Results[4], at)

                'L
                    .Store(
                        NormalDistribution.Cumulative<'V, 'T, 'L> lanes,
                        &Simd.start loop.Results[5],
                        at
                    )

                i <- i + 'L.Count

let private table (x: 'T[]) (run: Functions<'T> -> unit) =
    let loop = {
        X = x
        Results = Array.init 6 (fun _ -> Array.zeroCreate x.Length)
    }

    run loop
    Array.concat loop.Results

[<Law>]
let ``every width of register gives the same bits of every function`` (Seed seed) =
    let draw i =
        800.0 * (2.0 * RandomNumbers.uniform seed RandomStream.GradientCheck 0L i - 1.0)

    let x = Array.init 16 draw
    let alone = table x (fun loop -> (loop :> ILoop<float>).Run<float, Simd1<float>>())

    for run in Registers.forDouble x.Length do
        table x (fun loop -> run loop) |> Exactly.bits alone

    let x = x |> Array.map (fun x -> float32 (x / 8.0))

    let alone =
        table x (fun loop -> (loop :> ILoop<float32>).Run<float32, Simd1<float32>>())

    for run in Registers.forSingle x.Length do
        table x (fun loop -> run loop) |> Exactly.bits alone
