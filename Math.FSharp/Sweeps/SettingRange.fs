namespace Pipeline.Learning

open System
open System.Globalization

/// Numbers from one to another, as a sweep tries them.
type internal NumberSpan = {
    /// The smallest number.
    Low: float
    /// The greatest number.
    High: float
    /// Whether each doubling of a number is as likely as any other.
    IsLogarithmic: bool
    /// Whether only whole numbers are tried.
    IsWhole: bool
    /// How many numbers a grid tries, both ends among them.
    Steps: int voption
}

/// What the values of a range are.
[<RequireQualifiedAccess>]
type internal RangeValues =
    | Texts of string list
    | Span of NumberSpan

/// The values that a sweep tries for a setting: texts, or numbers from one to another.
type SettingRange = private {
    /// <exclude/>
    values: RangeValues
} with

    /// Whether the values are listed, rather than all between two numbers.
    member range.IsListed =
        match range.values with
        | RangeValues.Texts _ -> true
        | RangeValues.Span _ -> false

    /// Whether the numbers are spread evenly over powers of ten.
    member range.IsLogarithmic =
        match range.values with
        | RangeValues.Texts _ -> false
        | RangeValues.Span span -> span.IsLogarithmic

    /// The listed values, or the two ends.
    member range.Corners: string list =
        let text (x: float) =
            x.ToString(CultureInfo.InvariantCulture)

        match range.values with
        | RangeValues.Texts texts -> texts
        | RangeValues.Span span when span.Low = span.High -> [ text span.Low ]
        | RangeValues.Span span -> [ text span.Low; text span.High ]

/// Making ranges, and the values in them. A position of 0 to 1 stands for each value.
[<RequireQualifiedAccess>]
module SettingRange =
    /// <summary>Values that are listed, or a fault where the list is empty or a value occurs twice.</summary>
    /// <param name="name">The setting, for messages.</param>
    /// <param name="values">The values as a setting's texts.</param>
    [<CompiledName("OfTexts")>]
    let ofTexts (name: string) (values: string seq) : Result<SettingRange, Fault list> =
        let values = List.ofSeq values

        Fault.check
            [
                not values.IsEmpty, Fault.create name "one value or more to try" "none"
                for value, count in List.countBy id values do
                    count = 1,
                    Fault.message name (invariant $"has the value '{value}' {count} times")
            ]
            (fun () -> { values = RangeValues.Texts values })

    /// The most numbers that a grid tries of one range.
    let private mostSteps = 1000

    /// <summary>Numbers from one to another, or everything that is wrong with them.</summary>
    /// <param name="name">The setting, for messages.</param>
    /// <param name="low">The smallest number, finite; on a logarithmic scale greater than 0.</param>
    /// <param name="high">The greatest number, finite, not below <paramref name="low"/>.</param>
    /// <param name="isLogarithmic">Whether each doubling is as likely as any other.</param>
    /// <param name="isWhole">Whether only whole numbers are tried; both ends are whole then.</param>
    /// <param name="steps">How many numbers a grid tries: 2 or more; not needed by other methods, nor by whole
    /// numbers, of which a grid tries all without it.</param>
    [<CompiledName("OfNumbers")>]
    let ofNumbers
        (name: string)
        (low: float)
        (high: float)
        (isLogarithmic: bool)
        (isWhole: bool)
        (steps: Nullable<int>)
        : Result<SettingRange, Fault list> =
        let text (x: float) =
            x.ToString(CultureInfo.InvariantCulture)

        let isWholeNumber (x: float) = x = Math.Floor x && abs x <= 1e9
        let areFinite = Double.IsFinite low && Double.IsFinite high

        Fault.check
            [
                areFinite && low <= high,
                Fault.create
                    name
                    "finite numbers, the first not greater than the last"
                    $"{text low} to {text high}"

                if areFinite then
                    not isLogarithmic || low > 0.0,
                    Fault.create
                        name
                        "numbers greater than 0 on a logarithmic scale"
                        $"{text low} to {text high}"

                    not isWhole || (isWholeNumber low && isWholeNumber high),
                    Fault.create
                        name
                        "whole numbers at both ends, up to a billion"
                        $"{text low} to {text high}"

                if steps.HasValue then
                    NumberRange.check $"{name}, steps" (NumberRange.between 2 mostSteps) steps.Value
            ]
            (fun () -> {
                values =
                    RangeValues.Span {
                        Low = low
                        High = high
                        IsLogarithmic = isLogarithmic
                        IsWhole = isWhole
                        Steps = ValueOption.ofNullable steps
                    }
            })

    let private exp (x: float) : float =
        Elementary.Exp<float, float, Simd1<float>> x

    /// The ends between which a position is spread: those of whole numbers leave each number as much room.
    let private ends (span: NumberSpan) : struct (float * float) =
        let margin = if span.IsWhole then 0.5 else 0.0
        let low, high = span.Low - margin, span.High + margin

        if span.IsLogarithmic then
            struct (ScalarMath.Log low, ScalarMath.Log high)
        else
            struct (low, high)

    let private number (text: string) : float =
        Double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)

    /// The most digits that a number has.
    let private mostDigits = 17

    /// Four digits are enough to find a setting by, and are read easily. Numbers that have their first ones in common get more.
    let private digits (span: NumberSpan) : int =
        let largest = max (abs span.Low) (abs span.High)
        let mutable digits = 4
        let mutable width = 10.0 * (span.High - span.Low)

        while width < largest && digits < mostDigits do
            digits <- digits + 1
            width <- 10.0 * width

        digits

    /// The number at a position, rounded to some digits.
    let private rounded (digits: int) (span: NumberSpan) (position: float) : string =
        let struct (low, high) = ends span
        let x = low + position * (high - low)
        let x = if span.IsLogarithmic then exp x else x

        let x =
            if span.IsWhole then
                Math.Round x
            else
                number (x.ToString("G" + string digits, CultureInfo.InvariantCulture))

        (max span.Low (min span.High x)).ToString(CultureInfo.InvariantCulture)

    let private ofSpan (span: NumberSpan) (position: float) : string =
        rounded (digits span) span position

    /// The value at a position of 0 to 1.
    let internal valueAt (range: SettingRange) (position: float) : string =
        match range.values with
        | RangeValues.Texts texts ->
            let place = int (position * float texts.Length)
            texts[min place (texts.Length - 1)]
        | RangeValues.Span span -> ofSpan span position

    /// <summary>The position of a value, 0 to 1: the middle of its part of the range.</summary>
    /// <exception cref="T:System.ArgumentException">The value is not of the range.</exception>
    [<CompiledName("PositionOf")>]
    let positionOf (range: SettingRange) (value: string) : float =
        match range.values with
        | RangeValues.Texts texts ->
            match List.tryFindIndex ((=) value) texts with
            | Some place -> (float place + 0.5) / float texts.Length
            | None -> invalidArg (nameof value) $"expected a value of the range, found {value}"
        | RangeValues.Span span ->
            let struct (low, high) = ends span
            let x = number value
            let x = if span.IsLogarithmic then ScalarMath.Log x else x

            if high > low then
                max 0.0 (min 1.0 ((x - low) / (high - low)))
            else
                0.5

    /// The whole number at a position between the ends themselves.
    let private betweenEnds (span: NumberSpan) (position: float) : string =
        // The digits of a number up to a billion, and of its fraction.
        rounded mostDigits { span with IsWhole = false } position
        |> number
        |> Math.Round
        |> fun x -> x.ToString(CultureInfo.InvariantCulture)

    /// The values that a grid tries; empty if the range does not give their number.
    let internal grid (range: SettingRange) : string list =
        match range.values with
        | RangeValues.Texts texts -> texts
        | RangeValues.Span { Low = low; High = high } when low = high -> [ valueAt range 0.5 ]
        | RangeValues.Span({ Steps = ValueSome steps } as span) ->
            let rec tried digits =
                let inner = [
                    for step in 1 .. steps - 2 ->
                        float step / float (steps - 1)
                        |> if span.IsWhole then
                               betweenEnds span
                           else
                               rounded digits span
                ]

                // The ends themselves are tried.
                let values = List.distinct (range.Corners.Head :: inner @ range.Corners.Tail)

                if values.Length = steps || span.IsWhole || digits = mostDigits then
                    values
                else
                    tried (digits + 1)

            tried (digits span)
        | RangeValues.Span span when span.IsWhole && span.High - span.Low < float mostSteps -> [
            for x in span.Low .. 1.0 .. span.High -> x.ToString(CultureInfo.InvariantCulture)
          ]
        | RangeValues.Span _ -> []
