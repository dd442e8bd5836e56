namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices

/// Arithmetic of two numbers of one type. F#'s own operators, used more than twice in a generic
/// expression, fall back to int; these hold their type.
module internal Arithmetic =
    let inline (+) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Addition (x, y)
    let inline (-) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Subtraction (x, y)
    let inline (*) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Multiply (x, y)
    let inline (/) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Division (x, y)

/// The normal distribution's tail.
module internal NormalTail =
    /// Chebyshev coefficients of e^(w²)·erfc(w) / t over 2t − 1, with t = 2 / (2 + w) and w of 0 to ∞.
    let coefficients = [|
        0.57703373861646968862
        0.35543692127049848731
        0.06509515882878652455
        0.0036711423958366391659
        -0.0011128447433526324969
        -0.00016075829915378079758
        0.000032780315741731370605
        5.4424416455050160333e-6
        -1.5154665553171481622e-6
        -1.4297608181169864917e-7
        8.234608827419493433e-8
        -1.2962846852306562536e-9
        -4.1547216310151983042e-9
        6.3470582783628111814e-10
        1.4320822712256223707e-10
        -6.1603901052045855418e-11
        2.0612138554721696306e-12
        3.571493148847704445e-12
        -8.5864228432517964757e-13
        -6.145600213790630554e-14
        7.4187257485966170573e-14
        -1.2895042755032325615e-14
        -2.3587263857106323568e-15
        1.5729349381685911397e-15
        -2.2782966239546465174e-16
        -6.3123304507564298101e-17
        3.5916763531814922992e-17
    |]

    /// How many of them single precision needs.
    [<Literal>]
    let SingleCount = 12

/// The elementary functions that learning needs, built of sums, products and fused multiply-adds
/// alone. The C library's own differ from system to system in their last bit; these do not.
[<AbstractClass; Sealed>]
type internal Elementary =
    /// A number as every lane of a register.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Constant<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>
        (x: float)
        : 'V =
        // A conversion that is compiled away: a generic one is too large to be inlined everywhere.
        if Type.op_Equality (typeof<'T>, typeof<float32>) then
            'L.Create(Unsafe.BitCast<float32, 'T>(float32 x))
        else
            'L.Create(Unsafe.BitCast<float, 'T> x)

    /// a·x + b for a number b: one step of Horner's rule.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Horner<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>
        (a: 'V, x: 'V, b: float)
        : 'V =
        'L.MultiplyAdd(a, x, Elementary.Constant<'V, 'T, 'L> b)

    /// eˣ = 2ⁿ·eʳ with n whole and |r| ≤ ½ ln 2, eʳ by its Taylor series. Within 2 units in the last
    /// place; 0 below −86.6 (single) or −707.7 (double), where results are about to lose digits.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Exp<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>(x: 'V) : 'V =
        let single = Type.op_Equality (typeof<'T>, typeof<float32>)
        // Adding 1.5·2^23 (2^52) leaves the nearest whole number in the low bits.
        let toWhole =
            Elementary.Constant<'V, 'T, 'L>(if single then 12582912.0 else 6755399441055744.0)

        // ln 2 in two parts: n times the first is exact.
        let ln2High, ln2Low =
            if single then
                0.693359375, -2.12194440054690582768e-4
            else
                0.693147180369123816490, 1.90821492927058770002e-10

        let highest = Elementary.Constant<'V, 'T, 'L>(if single then 89.0 else 710.0)
        let lowest = Elementary.Constant<'V, 'T, 'L>(if single then -86.6 else -707.7)
        // A number that is none passes every comparison here unchanged.
        let bounded = 'L.WhereGreater(x, highest, highest, x)

        let shifted =
            'L.MultiplyAdd(bounded, Elementary.Constant<'V, 'T, 'L> 1.4426950408889634074, toWhole)

        let n = 'L.Subtract(shifted, toWhole)

        let r =
            'L
                .MultiplyAdd(
                    n,
                    Elementary.Constant<'V, 'T, 'L>(-ln2Low),
                    'L.MultiplyAdd(n, Elementary.Constant<'V, 'T, 'L>(-ln2High), bounded)
                )

        // Σ rᵏ/k!, to k = 7 (single) or 13 (double).
        let mutable series =
            if single then
                Elementary.Constant<'V, 'T, 'L>(1.0 / 5040.0)
            else
                let p = Elementary.Constant<'V, 'T, 'L>(1.0 / 6227020800.0)
                let p = Elementary.Horner<'V, 'T, 'L>(p, r, 1.0 / 479001600.0)
                let p = Elementary.Horner<'V, 'T, 'L>(p, r, 1.0 / 39916800.0)
                let p = Elementary.Horner<'V, 'T, 'L>(p, r, 1.0 / 3628800.0)
                let p = Elementary.Horner<'V, 'T, 'L>(p, r, 1.0 / 362880.0)
                let p = Elementary.Horner<'V, 'T, 'L>(p, r, 1.0 / 40320.0)
                Elementary.Horner<'V, 'T, 'L>(p, r, 1.0 / 5040.0)

        series <- Elementary.Horner<'V, 'T, 'L>(series, r, 1.0 / 720.0)
        series <- Elementary.Horner<'V, 'T, 'L>(series, r, 1.0 / 120.0)
        series <- Elementary.Horner<'V, 'T, 'L>(series, r, 1.0 / 24.0)
        series <- Elementary.Horner<'V, 'T, 'L>(series, r, 1.0 / 6.0)
        series <- Elementary.Horner<'V, 'T, 'L>(series, r, 0.5)
        series <- Elementary.Horner<'V, 'T, 'L>(series, r, 1.0)
        series <- Elementary.Horner<'V, 'T, 'L>(series, r, 1.0)

        // 2ⁿ as 2·2ⁿ⁻¹: n = 128 (1024) has no power of its own.
        let half = 'L.PowerOfTwo('L.Subtract(shifted, Elementary.Constant<'V, 'T, 'L> 1.0))

        let scaled =
            'L.Multiply('L.Multiply(series, half), Elementary.Constant<'V, 'T, 'L> 2.0)

        'L.WhereGreater(lowest, x, Elementary.Constant<'V, 'T, 'L> 0.0, scaled)

    /// σ(x) = 1 / (1 + e⁻ˣ).
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Sigmoid<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>(x: 'V) : 'V =
        let one = Elementary.Constant<'V, 'T, 'L> 1.0
        let negative = 'L.Subtract(Elementary.Constant<'V, 'T, 'L> 0.0, x)
        'L.Divide(one, 'L.Add(one, Elementary.Exp<'V, 'T, 'L> negative))

    /// tanh x: 1 − 2 / (e²ˣ + 1), and near 0, where that loses digits, the rational form
    /// x + x³ P(x²)/Q(x²) of Cephes (Moshier 1989), whose coefficients these are.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Tanh<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>(x: 'V) : 'V =
        let one = Elementary.Constant<'V, 'T, 'L> 1.0
        let two = Elementary.Constant<'V, 'T, 'L> 2.0

        let far =
            'L.Subtract(one, 'L.Divide(two, 'L.Add(Elementary.Exp<'V, 'T, 'L>('L.Add(x, x)), one)))

        let square = 'L.Multiply(x, x)
        let p = Elementary.Constant<'V, 'T, 'L> -9.64399179425052238628e-1
        let p = Elementary.Horner<'V, 'T, 'L>(p, square, -9.92877231001918586564e1)
        let p = Elementary.Horner<'V, 'T, 'L>(p, square, -1.61468768441708447952e3)
        let q = 'L.Add(square, Elementary.Constant<'V, 'T, 'L> 1.12811678491632931402e2)
        let q = Elementary.Horner<'V, 'T, 'L>(q, square, 2.23548839060100448583e3)
        let q = Elementary.Horner<'V, 'T, 'L>(q, square, 4.84406305325125486048e3)
        let near = 'L.MultiplyAdd('L.Multiply(x, square), 'L.Divide(p, q), x)

        'L.WhereGreater(Elementary.Constant<'V, 'T, 'L> 0.390625, square, near, far)

    /// eˣ − 1 for x of 0 or less, to full precision near 0 too: 2t / (1 − t) with t = tanh(x/2).
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member ExpLess1<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>(x: 'V) : 'V =
        let t =
            Elementary.Tanh<'V, 'T, 'L>('L.Multiply(x, Elementary.Constant<'V, 'T, 'L> 0.5))

        'L.Divide('L.Add(t, t), 'L.Subtract(Elementary.Constant<'V, 'T, 'L> 1.0, t))

    /// ln(1 + eˣ) = max(x, 0) + ln(1 + u) with u = e^(−|x|), by 2 artanh(u / (2 + u)).
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Softplus<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>(x: 'V) : 'V =
        let zero = Elementary.Constant<'V, 'T, 'L> 0.0
        let two = Elementary.Constant<'V, 'T, 'L> 2.0
        let negative = 'L.Subtract(zero, x)
        let u = Elementary.Exp<'V, 'T, 'L>('L.WhereGreater(x, zero, negative, x))
        let s = 'L.Divide(u, 'L.Add(two, u))
        let square = 'L.Multiply(s, s)

        // s is at most 1/3: terms up to s¹⁵ (single) or s³⁵ (double).
        let last =
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                15
            else
                35

        let mutable series = Elementary.Constant<'V, 'T, 'L>(1.0 / float last)

        for n in last - 2 .. -2 .. 1 do
            series <- Elementary.Horner<'V, 'T, 'L>(series, square, 1.0 / float n)

        let positive = 'L.WhereGreater(x, zero, x, zero)
        'L.MultiplyAdd('L.Multiply(two, s), series, positive)

    /// The normal distribution's density e^(−x²/2) / √(2π).
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member NormalDensity<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>
        (x: 'V)
        : 'V =
        let half = 'L.Multiply(Elementary.Constant<'V, 'T, 'L> -0.5, x)

        'L
            .Multiply(
                Elementary.Constant<'V, 'T, 'L> 0.39894228040143267794,
                Elementary.Exp<'V, 'T, 'L>('L.Multiply(half, x))
            )

    /// The normal distribution's cumulative Φ(x) = ½ erfc(−x/√2).
    static member NormalCumulative<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>
        (x: 'V)
        : 'V =
        let zero = Elementary.Constant<'V, 'T, 'L> 0.0
        let one = Elementary.Constant<'V, 'T, 'L> 1.0
        let two = Elementary.Constant<'V, 'T, 'L> 2.0
        let size = 'L.WhereGreater(zero, x, 'L.Subtract(zero, x), x)
        let w = 'L.Multiply(size, Elementary.Constant<'V, 'T, 'L> 0.70710678118654752440)
        let t = 'L.Divide(two, 'L.Add(two, w))
        let place = 'L.Subtract('L.Add(t, t), one)
        let twice = 'L.Add(place, place)

        let count =
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                NormalTail.SingleCount
            else
                NormalTail.coefficients.Length

        // Clenshaw's rule.
        let mutable above = zero
        let mutable sum = zero

        for n in count - 1 .. -1 .. 1 do
            let next =
                'L
                    .MultiplyAdd(
                        twice,
                        sum,
                        'L
                            .Subtract(
                                Elementary.Constant<'V, 'T, 'L> NormalTail.coefficients[n],
                                above
                            )
                    )

            above <- sum
            sum <- next

        let first = Elementary.Constant<'V, 'T, 'L> NormalTail.coefficients[0]
        let ratio = 'L.MultiplyAdd(place, sum, 'L.Subtract(first, above))
        let half = 'L.Multiply(Elementary.Constant<'V, 'T, 'L> -0.5, x)
        let exponential = Elementary.Exp<'V, 'T, 'L>('L.Multiply(half, x))

        let tail =
            'L
                .Multiply(
                    'L.Multiply(Elementary.Constant<'V, 'T, 'L> 0.5, t),
                    'L.Multiply(exponential, ratio)
                )

        'L.WhereGreater(x, zero, 'L.Subtract(one, tail), tail)

    /// cos πx for x of 0 to 1: −sin π(x − ½), by its Taylor series.
    static member CosPi(x: float) : float =
        let y = Math.PI * (x - 0.5)
        let square = y * y
        let mutable series = 0.0

        for n in 23..-2..3 do
            series <- (1.0 + series) * -square / float (n * (n - 1))

        -y * (1.0 + series)

    /// −1, 0 or 1 with the sign of x; what is not a number stays so.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Sign<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>(x: 'V) : 'V =
        let zero = Elementary.Constant<'V, 'T, 'L> 0.0

        'L
            .WhereGreater(
                x,
                zero,
                Elementary.Constant<'V, 'T, 'L> 1.0,
                'L.WhereGreater(zero, x, Elementary.Constant<'V, 'T, 'L> -1.0, x)
            )

    /// xⁿ for n of 0 or more, by squaring.
    static member Power(x: float, n: int64) : float =
        if n = 0L then 1.0
        elif n % 2L = 0L then Elementary.Power(x * x, n / 2L)
        else x * Elementary.Power(x * x, n / 2L)

    /// ln x = e ln 2 + 2 artanh((m − 1)/(m + 1)) for x = m·2ᵉ with ½√2 ≤ m < √2. −∞ at 0, not a
    /// number below.
    static member Log(x: float) : float =
        if Double.IsNaN x || x < 0.0 then
            nan
        elif x = 0.0 then
            -infinity
        elif Double.IsPositiveInfinity x then
            x
        else
            // Numbers below 2⁻¹⁰²² have no exponent of their own.
            let bits, offset =
                if Double.IsNormal x then
                    BitConverter.DoubleToInt64Bits x, 1023L
                else
                    BitConverter.DoubleToInt64Bits(x * 18014398509481984.0), 1077L

            let significand =
                BitConverter.Int64BitsToDouble((bits &&& 0xFFFFFFFFFFFFFL) ||| 0x3FF0000000000000L)

            let exponent = (bits >>> 52) - offset

            let m, e =
                if significand > 1.4142135623730951 then
                    significand / 2.0, float (exponent + 1L)
                else
                    significand, float exponent

            let s = (m - 1.0) / (m + 1.0)
            let s2 = s * s
            let mutable series = 1.0 / 23.0
            series <- Math.FusedMultiplyAdd(series, s2, 1.0 / 21.0)
            series <- Math.FusedMultiplyAdd(series, s2, 1.0 / 19.0)
            series <- Math.FusedMultiplyAdd(series, s2, 1.0 / 17.0)
            series <- Math.FusedMultiplyAdd(series, s2, 1.0 / 15.0)
            series <- Math.FusedMultiplyAdd(series, s2, 1.0 / 13.0)
            series <- Math.FusedMultiplyAdd(series, s2, 1.0 / 11.0)
            series <- Math.FusedMultiplyAdd(series, s2, 1.0 / 9.0)
            series <- Math.FusedMultiplyAdd(series, s2, 1.0 / 7.0)
            series <- Math.FusedMultiplyAdd(series, s2, 1.0 / 5.0)
            series <- Math.FusedMultiplyAdd(series, s2, 1.0 / 3.0)

            let rest =
                Math.FusedMultiplyAdd(e, 1.90821492927058770002e-10, 2.0 * s * s2 * series)

            Math.FusedMultiplyAdd(e, 0.693147180369123816490, 2.0 * s + rest)
