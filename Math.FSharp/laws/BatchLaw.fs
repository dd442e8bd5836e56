namespace Pipeline.Learning.Laws

open System
open FsCheck.FSharp
open Pipeline.Learning

/// Laws of a way to draw mini-batches: a function of seed, samples, size and iteration, from 0, that gives
/// places among the samples.
[<AbstractClass; Sealed>]
type BatchLaw =
    /// <summary>An epoch of ⌈samples / size⌉ iterations shows every sample once; its last batch may be
    /// short.</summary>
    /// <param name="draw">Places from seed, samples, size and iteration.</param>
    static member EpochShowsEverySampleOnce(draw: Func<uint64, int, int, int64, int[]>) : Law =
        Laws.create
            "an epoch shows every sample once"
            (Arb.zip (Arbitraries.Counts(), Arbitraries.Seed()))
            (fun (Counts(samples, size), Seed seed) ->
                let each = (samples + size - 1) / size

                for epoch in 0..1 do
                    let batches = [
                        for i in 0 .. each - 1 ->
                            draw.Invoke(seed, samples, size, int64 (epoch * each + i))
                    ]

                    for i, batch in List.indexed batches do
                        let expected = min size (samples - i * size)

                        Laws.require
                            (batch.Length = expected)
                            $"batch {i} of epoch {epoch}: expected {expected} samples, found {batch.Length}"

                    Array.concat batches |> Array.sort |> Exactly.bits [| 0 .. samples - 1 |])
