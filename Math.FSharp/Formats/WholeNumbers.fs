namespace Pipeline.Learning.Formats

open System
open System.Globalization

/// Whole numbers that double precision does not tell apart.
[<RequireQualifiedAccess>]
module internal WholeNumbers =
    /// 2⁵³, the least double that is the nearest of two whole numbers.
    [<Literal>]
    let FirstRounded = 9007199254740992.0

    /// Whether the double of a whole number is that of another one too.
    let isRounded (number: int64) : bool =
        number >= (1L <<< 53) || number <= -(1L <<< 53)

    /// The digits of a whole number; empty for NaN.
    let text (number: float) : string =
        if Double.IsNaN number then
            ""
        else
            number.ToString("F0", CultureInfo.InvariantCulture)
