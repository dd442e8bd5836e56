namespace Pipeline.Learning

open System

/// A tensor with the gradient in it, and the function with other elements in its place.
type internal CheckedTensor = {
    Name: string
    /// Row and column of a place in memory.
    Place: int -> struct (int * int)
    /// The rows and columns of a matrix as it lies in memory, column by column.
    Shape: struct (int * int)
    At: float[]
    Gradient: float[]
    Along: float[] -> float
}

/// A derivative by differences, and what it may be off.
type internal DerivativeEstimate = {
    Value: float
    Step: float
    Reason: string
    Error: float
}

/// Derivatives by central differences, and whether a function has a kink.
[<RequireQualifiedAccess>]
module internal DerivativeEstimate =
    let private epsilon = Math.BitIncrement 1.0 - 1.0

    /// The greatest power of 2 that is not above x.
    let rec private powerBelow (power: float) (x: float) : float =
        if power > x then
            powerBelow (power / 2.0) x
        elif 2.0 * power <= x && Double.IsFinite x then
            powerBelow (2.0 * power) x
        else
            power

    /// f(x + h), as a function of h.
    let private axis (part: CheckedTensor) (i: int) (h: float) : float =
        let moved = Array.copy part.At
        moved[i] <- moved[i] + h
        part.Along moved

    let firstLook (part: CheckedTensor) (i: int) : DerivativeEstimate =
        let h = Math.ScaleB(powerBelow 1.0 (max 1.0 (abs part.At[i])), -13)
        let above, below = axis part i h, axis part i -h

        {
            Value = (above - below) / (2.0 * h)
            Step = h
            Reason = "2⁻¹³ of max(1, |x|), small for truncation and large for rounding"
            Error = 16.0 * epsilon * (1.0 + max (abs above) (abs below)) / h
        }

    /// Steps to choose from, the greatest first, with their reasons.
    let private steps (x: float) : (float * string) list = [
        let unit = powerBelow 1.0 (max 1.0 (abs x))

        for k in 4..3..25 do
            Math.ScaleB(unit, -k), invariant $"2^−{k} of max(1, |x|)"

        if x <> 0.0 && abs x < 0.1 then
            let unit = powerBelow 1.0 (abs x)

            for k in 4..3..13 do
                Math.ScaleB(unit, -k),
                invariant $"2^−{k} of |x|, near which the function may change fast"
    ]

    let closeLook (part: CheckedTensor) (i: int) : DerivativeEstimate =
        let f = axis part i
        let here = abs (f 0.0)

        let difference h =
            (8.0 * (f h - f -h) - (f (2.0 * h) - f (-2.0 * h))) / (12.0 * h)

        let found =
            steps part.At[i]
            |> List.map (fun (h, reason) -> struct (h, reason, difference h))

        let estimates =
            List.pairwise found
            |> List.map (fun (struct (h, reason, value), struct (_, _, next)) -> {
                Value = value
                Step = h
                Reason =
                    invariant
                        $"{reason}, of {found.Length} steps the one with the least truncation and rounding together"
                Error =
                    2.0 * abs (value - next)
                    + 8.0 * epsilon * (1.0 + here + abs (value * part.At[i])) / h
            })

        // Not a number is the worst there is.
        estimates
        |> List.minBy (fun estimate ->
            if Double.IsNaN estimate.Error then
                infinity
            else
                estimate.Error)

    /// Whether the function has two slopes at x that stay apart as the step shrinks, and the value is
    /// neither below nor above both.
    let isKink (part: CheckedTensor) (i: int) (value: float) (allowed: float) : bool =
        let f = axis part i
        let unit = powerBelow 1.0 (max 1.0 (abs part.At[i]))

        let slopes k =
            let h = Math.ScaleB(unit, -k)
            let noise = 8.0 * epsilon * (1.0 + abs (f 0.0)) / h

            let slope h =
                (4.0 * f h - f (2.0 * h) - 3.0 * f 0.0) / (2.0 * h)

            struct (slope h, slope -h, noise)

        // A kink that the finer step does not see, half as far away as it reaches, the close look has passed.
        let struct (right, left, noise) = slopes 12
        let struct (finerRight, finerLeft, finerNoise) = slopes 18
        let gap, finerGap = abs (right - left), abs (finerRight - finerLeft)
        // On the side without the kink, the two steps differ by truncation alone.
        let truncation = min (abs (right - finerRight)) (abs (left - finerLeft))
        let slack = 2.0 * truncation + noise + allowed

        finerGap > 0.5 * gap
        && finerGap > 8.0 * finerNoise
        && gap > 8.0 * noise + allowed
        && value >= min right left - slack
        && value <= max right left + slack
