namespace Pipeline.Learning

open System

/// Texts with values in them.
[<AutoOpen>]
module internal InvariantText =
    /// <summary>The text of an interpolated string, in the invariant culture.</summary>
    /// <remarks>Without it, F# formats <c>$"…"</c> by reflection where it holds anything but strings, or more than four
    /// parts: NativeAOT and trimming do not support that.</remarks>
    let invariant (text: FormattableString) : string = FormattableString.Invariant text
