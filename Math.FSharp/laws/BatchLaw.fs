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
            (Arb.zip (Arbitraries.SampleCounts(), Arbitraries.Seed()))
            (fun (SampleCounts(samples, size), Seed seed) ->
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
                            $"batch %d{i} of epoch %d{epoch}: expected %d{expected} samples, found %d{batch.Length}"

                    Array.concat batches |> Array.sort |> Exactly.bits [| 0 .. samples - 1 |])

    /// <summary>The same seed, samples, size and iteration give the same places, whatever was drawn in
    /// between.</summary>
    /// <param name="draw">Places from seed, samples, size and iteration.</param>
    static member IsPure(draw: Func<uint64, int, int, int64, int[]>) : Law =
        Laws.create
            "it is pure"
            (Arb.zip (Arbitraries.SampleCounts(), Arbitraries.Seed()))
            (fun (SampleCounts(samples, size), Seed seed) ->
                let drawn iteration =
                    Array.copy (draw.Invoke(seed, samples, size, iteration))

                let first = [ for i in 0L .. 4L -> drawn i ]

                // The other way round, and after another seed's.
                for i, places in List.rev (List.indexed first) do
                    draw.Invoke(seed + 1UL, samples, size, int64 i) |> ignore
                    drawn (int64 i) |> Exactly.bits places)

    /// <summary>Another seed, and another epoch, give the samples in another order.</summary>
    /// <param name="draw">Places from seed, samples, size and iteration.</param>
    static member OrderIsDrawnAnew(draw: Func<uint64, int, int, int64, int[]>) : Law =
        Laws.create
            "another seed and another epoch give another order"
            (Arb.zip (Arbitraries.SampleCounts(), Arbitraries.Seed()))
            (fun (SampleCounts(_, size), Seed seed) ->
                // So many that the same order twice is no chance.
                let samples = 50
                let size = min size samples
                let each = (samples + size - 1) / size

                let order seed epoch =
                    Array.concat [
                        for i in 0 .. each - 1 ->
                            draw.Invoke(seed, samples, size, int64 (epoch * each + i))
                    ]

                let first = order seed 0

                Laws.require
                    (first <> order (seed + 1UL) 0)
                    $"the seeds {seed} and {seed + 1UL} give the same order"

                Laws.require (first <> order seed 1) "epochs 0 and 1 have the same order")

    /// <summary>The laws of epochs, drawn without replacement: all of these.</summary>
    /// <param name="draw">Places from seed, samples, size and iteration.</param>
    static member All(draw: Func<uint64, int, int, int64, int[]>) : Law list = [
        BatchLaw.EpochShowsEverySampleOnce draw
        BatchLaw.IsPure draw
        BatchLaw.OrderIsDrawnAnew draw
    ]
