namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices

/// Elementary functions for registers of any width, made of sums, products and fused multiply-adds alone.
/// Those of the C library differ from system to system in their last bit; these do not.
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
        // NaN passes every comparison here unchanged.
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

        // 2ⁿ as 2·2ⁿ⁻¹: n = 128 (1024) is outside the range of PowerOfTwo.
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
