namespace Pipeline.Learning

open System

/// The distribution of numbers: counts in bins of equal width.
type Histogram = {
    /// The minimum; 0 without numbers.
    Minimum: float
    /// The maximum; 0 without numbers.
    Maximum: float
    /// Their sum.
    Sum: float
    /// The sum of their squares.
    SumOfSquares: float
    /// The upper end of each bin; that of the last is the maximum.
    Limits: float list
    /// How many numbers are in each bin, the upper end included.
    Counts: int list
} with

    /// How many numbers.
    member histogram.Count = List.sum histogram.Counts

/// Counting numbers.
[<RequireQualifiedAccess>]
module Histogram =
    /// <summary>The histogram of the numbers that are finite.</summary>
    /// <param name="bins">The number of bins, 1 or more; one bin if all numbers are equal.</param>
    /// <param name="numbers">Any numbers.</param>
    /// <exception cref="T:System.ArgumentException">There are no bins.</exception>
    [<CompiledName("Create")>]
    let create (bins: int) (numbers: float[]) : Histogram =
        NumberRange.require (nameof bins) NumberRange.oneOrMore bins

        let finite = numbers |> Array.filter Double.IsFinite

        let sum f =
            finite |> Array.fold (fun sum x -> sum + f x) 0.0

        let least, greatest =
            if finite.Length = 0 then
                0.0, 0.0
            else
                Array.min finite, Array.max finite

        // A bin's width that does not overflow.
        let width = greatest / float bins - least / float bins
        let bins = if width > 0.0 then bins else 1

        let limits = [
            for bin in 1..bins -> if bin = bins then greatest else least + float bin * width
        ]

        let ends = Array.ofList limits
        let counts: int[] = Array.zeroCreate bins

        for x in finite do
            // The first end that is not below the number.
            let place = Array.BinarySearch(ends, x)
            let bin = if place < 0 then ~~~place else place
            counts[bin] <- counts[bin] + 1

        {
            Minimum = least
            Maximum = greatest
            Sum = sum id
            SumOfSquares = sum (fun x -> x * x)
            Limits = limits
            Counts = List.ofArray counts
        }
