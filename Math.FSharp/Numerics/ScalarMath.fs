namespace Pipeline.Learning

open System
open System.Runtime.CompilerServices

/// Functions of one number, made of correctly rounded operations: the same bits on every system.
[<AbstractClass; Sealed>]
type internal ScalarMath =
    /// cos πx for x of 0 to 1: −sin π(x − ½), by its Taylor series.
    static member CosPi(x: float) : float =
        let y = Math.PI * (x - 0.5)
        let square = y * y
        let mutable series = 0.0

        for n in 23..-2..3 do
            series <- (1.0 + series) * -square / float (n * (n - 1))

        -y * (1.0 + series)

    /// xⁿ for n of 0 or more, by squaring.
    static member Power(x: float, n: int64) : float =
        if n = 0L then 1.0
        elif n % 2L = 0L then ScalarMath.Power(x * x, n / 2L)
        else x * ScalarMath.Power(x * x, n / 2L)

    /// ln x = e ln 2 + 2 artanh((m − 1)/(m + 1)) for x = m·2ᵉ with ½√2 ≤ m < √2. −∞ at 0, not a
    /// number below. Optimised at its first call: until then each multiply-add would be a call of its own.
    [<MethodImpl(MethodImplOptions.AggressiveOptimization)>]
    static member Log(x: float) : float =
        if Double.IsNaN x || x < 0.0 then
            nan
        elif x = 0.0 then
            -infinity
        elif Double.IsPositiveInfinity x then
            x
        else
            // Subnormal numbers have no exponent: they are scaled by 2⁵⁴ first.
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
