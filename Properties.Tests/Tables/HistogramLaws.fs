/// Histogram.fs: every finite number is counted once, in the bin whose ends it is between.
module Pipeline.Properties.HistogramLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law>]
let ``every bin counts the numbers above the end before it, up to its own``
    (numbers: FsCheck.NormalFloat[])
    (bins: FsCheck.PositiveInt)
    =
    let numbers = numbers |> Array.map _.Get
    let histogram = Histogram.create bins.Get numbers
    Exactly.equal numbers.Length histogram.Count
    Exactly.equal histogram.Limits (List.sort histogram.Limits)

    (-infinity :: histogram.Limits |> List.pairwise, histogram.Counts)
    ||> List.zip
    |> List.iter (fun ((above, upTo), count) ->
        Exactly.equal
            (numbers |> Array.filter (fun x -> x > above && x <= upTo) |> Array.length)
            count)

[<Law>]
let ``least, greatest and sums are those of the numbers`` (SameLength(numbers, others)) =
    let numbers = Array.append (numbers.ToArray()) (others.ToArray())
    let histogram = Histogram.create 7 numbers

    Approximately.equal Approximately.rounding [|
        Array.min numbers
        Array.max numbers
        Array.sum numbers
        Array.sumBy (fun x -> x * x) numbers
        Array.max numbers
    |] [|
        histogram.Minimum
        histogram.Maximum
        histogram.Sum
        histogram.SumOfSquares
        List.last histogram.Limits
    |]

[<Fact>]
let ``numbers that are not finite are left out, and equal ones make one bin`` () =
    Exactly.equal [ 2 ] (Histogram.create 5 [| nan; 3.0; infinity; 3.0 |]).Counts
    Exactly.equal 0 (Histogram.create 5 [| nan |]).Count
    Exactly.equal 2 (Histogram.create 5 [| Double.MinValue; Double.MaxValue |]).Count
    Exactly.refused [ "0" ] (fun () -> Histogram.create 0 [| 1.0 |])
