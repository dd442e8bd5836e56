namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices

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

/// The standard normal distribution for registers of any width.
[<AbstractClass; Sealed>]
type internal NormalDistribution =
    /// The density e^(−x²/2) / √(2π).
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Density<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>(x: 'V) : 'V =
        let half = 'L.Multiply(Elementary.Constant<'V, 'T, 'L> -0.5, x)

        'L
            .Multiply(
                Elementary.Constant<'V, 'T, 'L> 0.39894228040143267794,
                Elementary.Exp<'V, 'T, 'L>('L.Multiply(half, x))
            )

    /// The cumulative distribution Φ(x) = ½ erfc(−x/√2).
    static member Cumulative<'V, 'T, 'L when 'L :> ISimd<'V, 'T> and 'T :> INumber<'T>>
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
