namespace Pipeline.Learning

open System

/// A range that numbers are checked against, whether they come from a caller or from a setting.
type internal NumberRange<'N> = {
    /// The range in words: 1 or more.
    Text: string
    /// Whether a number is within it.
    Holds: 'N -> bool
}

[<RequireQualifiedAccess>]
module internal NumberRange =
    let private range text holds = { Text = text; Holds = holds }

    /// 0 ≤ x &lt; 1.
    let share = range "0 or greater and less than 1" (fun x -> x >= 0.0 && x < 1.0)

    /// 0 &lt; x &lt; ∞.
    let positive =
        range "a finite number greater than 0" (fun x -> x > 0.0 && Double.IsFinite x)

    /// 0 ≤ x &lt; ∞.
    let notNegative =
        range "a finite number, 0 or greater" (fun x -> x >= 0.0 && Double.IsFinite x)

    /// 0 &lt; x &lt; 1.
    let betweenZeroAndOne =
        range "more than 0 and less than 1" (fun x -> x > 0.0 && x < 1.0)

    /// least ≤ x ≤ most.
    let between (least: 'N) (most: 'N) : NumberRange<'N> =
        range $"{string least} to {string most}" (fun x -> x >= least && x <= most)

    /// least ≤ x.
    let atLeast (least: 'N) : NumberRange<'N> =
        range $"{string least} or more" (fun x -> x >= least)

    /// 1 ≤ n.
    let oneOrMore: NumberRange<int> = atLeast 1

    /// A setting's number, for <c>Fault.check</c>.
    let check (subject: string) (range: NumberRange<'N>) (number: 'N) : bool * Fault =
        range.Holds number, Fault.create subject range.Text (string number)

    /// <summary>Refuses a caller's number.</summary>
    /// <exception cref="T:System.ArgumentException">The number is out of range.</exception>
    let require (name: string) (range: NumberRange<'N>) (number: 'N) : unit =
        if not (range.Holds number) then
            invalidArg name $"expected {range.Text}, found {string number}"
