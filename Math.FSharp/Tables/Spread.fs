namespace Pipeline.Learning

open System

/// Means and deviations of numbers of any size: squares of numbers beyond 10¹⁵⁴ would be infinite.
[<RequireQualifiedAccess>]
module internal Spread =
    /// The largest absolute value.
    let private largest (values: ReadOnlySpan<float>) : float =
        let mutable most = 0.0

        for x in values do
            most <- max most (abs x)

        most

    /// The inverse of a power of two near the largest number; multiplication by it is exact.
    let private inverse (largest: float) : float =
        if largest = 0.0 then
            1.0
        elif not (Double.IsFinite largest) then
            // Products with infinite numbers are NaN.
            0.0
        else
            // The exponent as it is stored; subnormal numbers have the lowest one.
            let exponent =
                int ((BitConverter.DoubleToInt64Bits largest >>> 52) &&& 0x7FFL) - 1023

            Math.ScaleB(1.0, -(max -1022 exponent))

    let private meanOf (inverse: float) (values: ReadOnlySpan<float>) : float =
        let mutable sum = 0.0

        for x in values do
            sum <- sum + x * inverse

        sum / float values.Length / inverse

    let private deviationOf (inverse: float) (mean: float) (values: ReadOnlySpan<float>) : float =
        let centre = mean * inverse
        let mutable sum = 0.0

        for x in values do
            let difference = x * inverse - centre
            sum <- sum + difference * difference

        Math.Sqrt(sum / float values.Length) / inverse

    /// The mean, between the least and the largest number.
    let mean (values: ReadOnlySpan<float>) : float =
        let mutable least, most = infinity, -infinity

        for x in values do
            least <- min least x
            most <- max most x

        meanOf (inverse (max (abs least) (abs most))) values |> max least |> min most

    /// The standard deviation √(Σ(x − mean)²/n).
    let deviation (mean: float) (values: ReadOnlySpan<float>) : float =
        deviationOf (inverse (largest values)) mean values

    /// The median.
    let median (values: ReadOnlySpan<float>) : float =
        let sorted = values.ToArray()
        Array.sortInPlace sorted
        let half = sorted.Length / 2

        if sorted.Length % 2 = 1 then
            sorted[half]
        else
            let inverse = inverse (largest values)
            (sorted[half - 1] * inverse + sorted[half] * inverse) / 2.0 / inverse

    /// The number that becomes 0 and the difference that becomes 1. Numbers that do not vary become 0. The difference
    /// is infinite for a range that a double does not hold.
    let centreAndScale (scaling: Scaling) (numbers: ReadOnlySpan<float>) : struct (float * float) =
        let mutable least, most = numbers[0], numbers[0]

        for x in numbers do
            if x < least then
                least <- x

            if x > most then
                most <- x

        let least, most = least, most
        let largest = max (abs least) (abs most)

        // A deviation or range may be within the rounding errors of numbers of that size; what is left then stays near 0.
        let unlessRounding (centre: float) (spread: float) =
            let isRounding = spread <= 10.0 * (Math.BitIncrement 1.0 - 1.0) * largest
            struct (centre, (if isRounding then max 1.0 largest else spread))

        match scaling with
        | Scaling.None -> struct (0.0, 1.0)
        | _ when least = most -> struct (least, 1.0)
        | Scaling.MinMax -> unlessRounding least (most - least)
        | Scaling.Standard ->
            let inverse = inverse largest
            let mean = meanOf inverse numbers
            unlessRounding mean (deviationOf inverse mean numbers)
