namespace Pipeline.Learning

open System

/// Means and deviations of numbers of any size: squares of numbers beyond 10¹⁵⁴ would be infinite.
[<RequireQualifiedAccess>]
module internal Spread =
    /// A power of two near the largest number; division by it is exact.
    let private unit (values: float[]) : float =
        let largest = values |> Array.fold (fun most x -> max most (abs x)) 0.0

        if largest = 0.0 then
            1.0
        else
            // The exponent as it is stored; subnormal numbers have the lowest one.
            let exponent =
                int ((BitConverter.DoubleToInt64Bits largest >>> 52) &&& 0x7FFL) - 1023

            Math.ScaleB(1.0, max -1022 exponent)

    /// The mean, summed in order.
    let private plainMean (values: float[]) : float =
        Array.fold (+) 0.0 values / float values.Length

    /// The mean.
    let mean (values: float[]) : float =
        let unit = unit values
        unit * plainMean (values |> Array.map (fun x -> x / unit))

    /// The standard deviation √(Σ(x − mean)²/n).
    let deviation (mean: float) (values: float[]) : float =
        let unit = unit values
        let square (x: float) = x * x

        let variance =
            values |> Array.map (fun x -> square (x / unit - mean / unit)) |> plainMean

        unit * Math.Sqrt variance

    /// The median.
    let median (values: float[]) : float =
        let sorted = Array.sort values
        let half = sorted.Length / 2

        if sorted.Length % 2 = 1 then
            sorted[half]
        else
            unit values
            * ((sorted[half - 1] / unit values + sorted[half] / unit values) / 2.0)

    /// Whether a deviation or range is within the rounding errors of numbers of that size.
    let isRounding (spread: float) (values: float[]) : bool =
        let largest = values |> Array.fold (fun most x -> max most (abs x)) 0.0
        spread <= 10.0 * (Math.BitIncrement 1.0 - 1.0) * largest

    /// The number that becomes 0 and the difference that becomes 1. Numbers that do not vary become 0. The difference
    /// is infinite for a range that a double does not hold.
    let centreAndScale (scaling: Scaling) (numbers: float[]) : struct (float * float) =
        let least, most = Array.min numbers, Array.max numbers

        let unlessRounding (centre: float) (spread: float) =
            struct (centre, (if isRounding spread numbers then 1.0 else spread))

        match scaling with
        | Scaling.None -> struct (0.0, 1.0)
        | _ when least = most -> struct (least, 1.0)
        | Scaling.MinMax -> unlessRounding least (most - least)
        | Scaling.Standard ->
            let mean = mean numbers
            unlessRounding mean (deviation mean numbers)
