namespace Pipeline.Learning

open System

/// A point of a line search.
[<Struct>]
type internal LinePoint<'Place> = {
    /// α: how far from the start, in lengths of the direction.
    Length: float
    /// φ(α): the function there; infinity where it is not a number.
    Value: float
    /// φ′(α): the slope along the direction.
    Slope: float
    /// What the caller knows of the point: parameters and gradient, for example.
    Place: 'Place
}

/// <summary>Finds a step length along a direction in which a function falls.</summary>
/// <remarks>Source: Nocedal and Wright, Numerical optimization, 2nd ed. (2006), algorithms 3.5 and 3.6, with
/// the cubic interpolation of equation 3.59. The constants and the bounds of the interpolation are those of
/// PyTorch's LBFGS with <c>strong_wolfe</c> (and of minFunc, where they come from).</remarks>
[<RequireQualifiedAccess>]
module internal LineSearch =
    /// c₁ of the sufficient decrease: φ(α) ≤ φ(0) + c₁αφ′(0).
    let Decrease = 1e-4

    /// c₂ of the curvature condition: |φ′(α)| ≤ −c₂φ′(0).
    let Curvature = 0.9

    /// The most evaluations after the first.
    let private most = 25

    /// A bracket in which no parameter differs by more than this is not divided further.
    let private narrowest = 1e-9

    /// The minimum of the cubic through two points with their slopes, within bounds; the middle of the bounds
    /// where the cubic has no minimum.
    let private cubicMinimum
        (one: LinePoint<'Place>)
        (other: LinePoint<'Place>)
        (lowest: float)
        (highest: float)
        : float =
        let d1 =
            one.Slope + other.Slope
            - 3.0 * (one.Value - other.Value) / (one.Length - other.Length)

        let d2 = Math.Sqrt(d1 * d1 - one.Slope * other.Slope)

        let struct (left, right) =
            if one.Length <= other.Length then
                struct (one, other)
            else
                struct (other, one)

        let found =
            right.Length
            - (right.Length - left.Length)
              * ((right.Slope + d2 - d1) / (right.Slope - left.Slope + 2.0 * d2))

        if Double.IsFinite found then
            Math.Clamp(found, lowest, highest)
        else
            (lowest + highest) / 2.0

    /// <summary>A point that meets both conditions of Wolfe, the second one in its strong form.</summary>
    /// <param name="evaluate">The point of a length.</param>
    /// <param name="size">The largest absolute element of the direction.</param>
    /// <param name="start">The point of length 0; its slope is below 0.</param>
    /// <param name="first">The first length to try, greater than 0.</param>
    /// <returns>The point. After 26 evaluations or in a bracket too narrow to divide, the lowest point found that
    /// meets the condition of sufficient decrease; without such a point, the start.</returns>
    let strongWolfe
        (evaluate: float -> LinePoint<'Place>)
        (size: float)
        (start: LinePoint<'Place>)
        (first: float)
        : LinePoint<'Place> =
        // Not a number is neither low nor flat.
        let isLow point =
            point.Value <= start.Value + Decrease * point.Length * start.Slope

        let isFlat point =
            Math.Abs point.Slope <= -Curvature * start.Slope

        // Algorithm 3.6: low is the lowest point so far with sufficient decrease, and its slope points to high.
        // Of two guesses near an end of the bracket, the second is moved a tenth of the bracket inwards.
        let rec zoom count wasNear low high =
            let left = min low.Length high.Length
            let right = max low.Length high.Length

            if count = most || (right - left) * size < narrowest then
                low
            else
                let guess = cubicMinimum low high left right
                let margin = 0.1 * (right - left)
                let isNear = min (right - guess) (guess - left) < margin

                let struct (length, isNear) =
                    if isNear && (wasNear || guess >= right || guess <= left) then
                        struct ((if right - guess < guess - left then
                                     right - margin
                                 else
                                     left + margin),
                                false)
                    else
                        struct (guess, isNear)

                let next = evaluate length

                if not (isLow next) || next.Value >= low.Value then
                    zoom (count + 1) isNear low next
                elif isFlat next then
                    next
                elif next.Slope * (high.Length - low.Length) >= 0.0 then
                    zoom (count + 1) isNear next low
                else
                    zoom (count + 1) isNear next high

        // Algorithm 3.5: longer and longer steps until a bracket holds a point that meets both conditions.
        let rec widen count before point =
            if not (isLow point) || count > 0 && point.Value >= before.Value then
                zoom count false before point
            elif isFlat point || count = most then
                point
            elif point.Slope >= 0.0 then
                zoom count false point before
            else
                let length =
                    cubicMinimum
                        before
                        point
                        (point.Length + 0.01 * (point.Length - before.Length))
                        (10.0 * point.Length)

                widen (count + 1) point (evaluate length)

        widen 0 start (evaluate first)
