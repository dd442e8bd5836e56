/// Batch.fs: which samples, and the arithmetic of iterations and epochs.
module Pipeline.Properties.BatchLaws

open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law>]
let ``an epoch is ⌈samples / size⌉ iterations`` (SampleCounts(samples, size)) =
    Batch.iterationsPerEpoch samples size = int (ceil (float samples / float size))

[<Law>]
let ``an epoch shows every sample once, the short last batch included``
    (Seed seed)
    (SampleCounts(samples, size))
    (epoch: FsCheck.NonNegativeInt)
    =
    let each = Batch.iterationsPerEpoch samples size
    let order = Batch.order seed samples (int64 epoch.Get)

    let batches = [
        for i in 0 .. each - 1 -> Batch.slice order size (int64 epoch.Get * int64 each + int64 i)
    ]

    Array.concat batches |> Exactly.bits order
    Array.sort order |> Exactly.bits [| 0 .. samples - 1 |]

    for batch in List.take (each - 1) batches do
        Exactly.equal size batch.Length

    Assert.InRange((List.last batches).Length, 1, size)

[<Law>]
let ``the next epoch has another order`` (Seed seed) =
    // The chance that two orders of 60 are the same is 1/60!.
    let orders = [ for epoch in 0L .. 3L -> Batch.order seed 60 epoch ]
    Exactly.equal 4 (List.distinct orders).Length

[<Law>]
let ``a draw has as many samples as asked, all of the data set``
    (Seed seed)
    (SampleCounts(samples, size))
    (iteration: FsCheck.NonNegativeInt)
    =
    let places = Batch.draw seed samples size (int64 iteration.Get)
    Exactly.equal size places.Length
    Assert.All(places, (fun place -> Assert.InRange(place, 0, samples - 1)))

[<Law>]
let ``a larger batch begins as the smaller one does`` (Seed seed) (SampleCounts(samples, size)) =
    Batch.draw seed samples (size + 3) 5L
    |> Array.take size
    |> Exactly.bits (Batch.draw seed samples size 5L)

[<Law>]
let ``every iteration draws anew`` (Seed seed) =
    let draws = [ for iteration in 0L .. 9L -> Batch.draw seed 1000000 8 iteration ]
    Exactly.equal 10 (List.distinct draws).Length

[<Fact>]
let ``draws with replacement repeat some samples`` () =
    let places = Batch.draw 1UL 100 100 0L
    // 1 − 1/e of them on average.
    Assert.InRange((Array.distinct places).Length, 50, 80)

[<Law>]
let ``epochs undo iterations`` (SampleCounts(samples, size)) (epochs: FsCheck.NonNegativeInt) =
    let iterations = Batch.iterations samples size epochs.Get
    Exactly.equal (struct (int64 epochs.Get, 0L)) (Batch.epochs samples size iterations)

    let struct (whole, left) = Batch.epochs samples size (iterations + 1L)

    Exactly.equal (iterations + 1L) (whole * int64 (Batch.iterationsPerEpoch samples size) + left)

    Assert.InRange(left, 0L, int64 (Batch.iterationsPerEpoch samples size) - 1L)

[<Fact>]
let ``10,000 samples in batches of 100: 100 iterations an epoch, 1000 in ten epochs`` () =
    Exactly.equal 100 (Batch.iterationsPerEpoch 10000 100)
    Exactly.equal 1000L (Batch.iterations 10000 100 10)
    Exactly.equal (struct (10L, 0L)) (Batch.epochs 10000 100 1000L)
    Exactly.equal 600 (Batch.iterationsPerEpoch 60000 100)
    Exactly.equal (struct (16L, 400L)) (Batch.epochs 60000 100 10000L)
    Exactly.equal 3 (Batch.iterationsPerEpoch 250 100)
    Exactly.equal 1 (Batch.iterationsPerEpoch 1 100)

[<Fact>]
let ``whole numbers do not overflow`` () =
    let most = System.Int32.MaxValue
    Exactly.equal most (Batch.iterationsPerEpoch most 1)
    Exactly.equal 1 (Batch.iterationsPerEpoch most most)
    Exactly.equal 2 (Batch.iterationsPerEpoch most (most - 1))
    Exactly.equal (int64 most * int64 most) (Batch.iterations most 1 most)

[<Fact>]
let ``no samples, or batches of none, are refused`` () =
    for samples, size in [ 0, 1; 1, 0; -5, 1; 1, -5 ] do
        let name = if samples < 1 then "samples" else "size"

        Exactly.refused [ name; $"{min samples size}" ] (fun () ->
            Batch.iterationsPerEpoch samples size)

        Exactly.refused [ name ] (fun () -> Batch.iterations samples size 1)
        Exactly.refused [ name ] (fun () -> Batch.epochs samples size 1L)

    Exactly.refused [ "samples" ] (fun () -> Batch.slice [||] 1 0L)
    Exactly.refused [ "0" ] (fun () -> Batch.draw 1UL 0 1 0L)

[<Law>]
let ``an iteration learns from as many samples as it draws``
    (SampleCounts(samples, size))
    (Seed seed)
    =
    let order = Batch.order seed samples 0L

    for iteration in 0L .. int64 (3 * Batch.iterationsPerEpoch samples size) do
        Exactly.equal
            (Batch.slice order size iteration).Length
            (Batch.count Sampling.Epoch samples size iteration)

        Exactly.equal
            (Batch.draw seed samples size iteration).Length
            (Batch.count Sampling.Replacement samples size iteration)
