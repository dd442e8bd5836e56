/// Random.fs: Philox as published, and draws that look like chance.
module Pipeline.Properties.RandomLaws

open System
open MathNet.Numerics.Distributions
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

// The known answers of Random123's kat_vectors, "philox4x32 10".
[<Theory>]
[<InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)>]
[<InlineData(0xffffffffu,
             0xffffffffu,
             0xffffffffu,
             0xffffffffu,
             0xffffffffu,
             0xffffffffu,
             0x408f276du,
             0x41c83b0eu,
             0xa20bc7c6u,
             0x6d5451fdu)>]
[<InlineData(0x243f6a88u,
             0x85a308d3u,
             0x13198a2eu,
             0x03707344u,
             0xa4093822u,
             0x299f31d0u,
             0xd16cfe09u,
             0x94fdccebu,
             0x5001e420u,
             0x24126ea1u)>]
let ``Philox4x32-10 gives its published answers``
    (c0: uint32, c1: uint32, c2: uint32, c3: uint32)
    (k0: uint32, k1: uint32)
    (x0: uint32, x1: uint32, x2: uint32, x3: uint32)
    =
    RandomNumbers.philox (struct (k0, k1)) (struct (c0, c1, c2, c3))
    |> Exactly.equal (struct (x0, x1, x2, x3))

[<Law>]
let ``two draws share a block: its words in order, low word first``
    (Seed seed)
    (n: uint32)
    (i: int64)
    =
    let block = int (n >>> 2)
    let iteration = abs (i / 2L) * 7919L

    let struct (x0, x1, x2, x3) =
        RandomNumbers.philox
            (struct (uint32 seed, uint32 (seed >>> 32)))
            (struct (uint32 block, uint32 iteration, uint32 (iteration >>> 32), 2u))

    let bits index =
        RandomNumbers.bits seed RandomStream.EpochOrder iteration index

    Exactly.equal ((uint64 x1 <<< 32) + uint64 x0) (bits (2 * block))
    Exactly.equal ((uint64 x3 <<< 32) + uint64 x2) (bits (2 * block + 1))

[<Law>]
let ``another seed, stream, iteration or index draws other bits`` (Seed seed) =
    let draws = [
        for seed in [ seed; seed + 1UL; seed ^^^ (1UL <<< 40) ] do
            for stream in Enum.GetValues<RandomStream>() do
                for iteration in [ 0L; 1L; 4294967296L ] do
                    for index in 0..5 do
                        RandomNumbers.bits seed stream iteration index
    ]

    Exactly.equal draws.Length (List.distinct draws).Length

[<Law>]
let ``a draw is a function of its arguments`` (Seed seed) (index: FsCheck.NonNegativeInt) =
    Exactly.equal
        (RandomNumbers.bits seed RandomStream.InitialWeights 3L index.Get)
        (RandomNumbers.bits seed RandomStream.InitialWeights 3L index.Get)

[<Law>]
let ``uniform lies between 0 and 1 and is neither`` (Seed seed) (index: FsCheck.NonNegativeInt) =
    let u = RandomNumbers.uniform seed RandomStream.GradientCheck 0L index.Get
    u > 0.0 && u < 1.0

[<Law>]
let ``uniform is the midpoint of the step that the upper 52 bits name`` (Seed seed) =
    let k = RandomNumbers.bits seed RandomStream.GradientCheck 0L 0 >>> 12
    let u = RandomNumbers.uniform seed RandomStream.GradientCheck 0L 0
    // Every part of it is exact; so the last step's midpoint is below 1.
    Exactly.equal (2UL * k + 1UL) (uint64 (u * 9007199254740992.0))
    Exactly.equal 0.0 (u * 9007199254740992.0 % 1.0)

[<Law>]
let ``below lies below`` (Seed seed) (count: FsCheck.PositiveInt) (index: FsCheck.NonNegativeInt) =
    [ count.Get; count.Get * 7919 + 1; Int32.MaxValue ]
    |> List.forall (fun count ->
        let n =
            RandomNumbers.below count seed RandomStream.BatchWithReplacement 5L index.Get

        n >= 0 && n < count)

[<Fact>]
let ``a count below 1 is refused`` () =
    for count in [ 0; -1; Int32.MinValue ] do
        Exactly.refused [ $"{count}" ] (fun () ->
            RandomNumbers.below count 1UL RandomStream.BatchWithReplacement 0L 0)

/// χ² of counts that should be equal, as the probability of a greater one.
let private chance (counts: int[]) =
    let expected = float (Array.sum counts) / float counts.Length

    let chiSquared =
        counts |> Array.sumBy (fun count -> (float count - expected) ** 2.0 / expected)

    1.0 - ChiSquared.CDF(float (counts.Length - 1), chiSquared)

[<Theory>]
[<InlineData(1UL)>]
[<InlineData(2UL)>]
[<InlineData(0xFEDCBA9876543210UL)>]
let ``draws below 10, in every stream, are equally frequent`` (seed: uint64) =
    for stream in Enum.GetValues<RandomStream>() do
        let counts = Array.zeroCreate 10

        for iteration in 0L .. 99L do
            for index in 0..199 do
                let n = RandomNumbers.below 10 seed stream iteration index
                counts[n] <- counts[n] + 1

        Assert.InRange(chance counts, 1e-6, 1.0 - 1e-6)

[<Fact>]
let ``neighbouring draws do not follow each other`` () =
    let counts = Array.zeroCreate 64

    for index in 0..19999 do
        let one = RandomNumbers.below 8 1UL RandomStream.InitialWeights 0L index
        let next = RandomNumbers.below 8 1UL RandomStream.InitialWeights 0L (index + 1)
        counts[8 * one + next] <- counts[8 * one + next] + 1

    Assert.InRange(chance counts, 1e-6, 1.0 - 1e-6)

[<Law>]
let ``a permutation holds every number once`` (Seed seed) (SampleCounts(count, epoch)) =
    RandomNumbers.permutation count seed RandomStream.EpochOrder (int64 epoch)
    |> Array.sort
    |> Exactly.bits [| 0 .. count - 1 |]

[<Fact>]
let ``of nothing, or of one, there is one order`` () =
    Exactly.bits [||] (RandomNumbers.permutation 0 1UL RandomStream.EpochOrder 0L)
    Exactly.bits [| 0 |] (RandomNumbers.permutation 1 1UL RandomStream.EpochOrder 0L)

[<Fact>]
let ``the 24 orders of four numbers are equally frequent`` () =
    let counts =
        Array.init 24000 (fun epoch ->
            RandomNumbers.permutation 4 1UL RandomStream.EpochOrder (int64 epoch))
        |> Array.countBy id
        |> Array.map snd

    Exactly.equal 24 counts.Length
    Assert.InRange(chance counts, 1e-6, 1.0 - 1e-6)

[<Law>]
let ``the normal quantile is Math.NET's`` (Seed seed) =
    for index in 0..9 do
        let u = RandomNumbers.uniform seed RandomStream.GradientCheck 0L index
        // Near 0 as well, where the far tail's formula holds.
        for p in [ u; u * 1e-6; u * 1e-12; u * 1e-30; 1.0 - u * 1e-6 ] do
            // Math.NET's own is right to about 14 digits.
            let expected = Normal.InvCDF(0.0, 1.0, p)
            [| RandomNumbers.normalQuantile p |] |> Approximately.equal 1e-12 [| expected |]

[<Law>]
let ``the normal quantile undoes the distribution`` (Seed seed) =
    let p = RandomNumbers.uniform seed RandomStream.GradientCheck 0L 0

    [| Normal.CDF(0.0, 1.0, RandomNumbers.normalQuantile p) |]
    |> Approximately.equal 1e-14 [| p |]

[<Fact>]
let ``the normal quantile's known values`` () =
    for p, z in
        [
            0.5, 0.0
            0.75, 0.67448975019608174
            0.975, 1.9599639845400542
            0.001, -3.0902323061678132
            1e-20, -9.262340089798408
        ] do
        [| RandomNumbers.normalQuantile p |] |> Approximately.equal 2e-15 [| z |]

[<Law>]
let ``the normal quantile is odd around one half`` (Seed seed) =
    // Distances from ½ that both sides hold exactly.
    let d =
        float (RandomNumbers.below (1 <<< 20) seed RandomStream.GradientCheck 0L 0)
        / float (1 <<< 21)

    RandomNumbers.normalQuantile (0.5 + d) = -(RandomNumbers.normalQuantile (0.5 - d))
    || d = 0.5

[<Fact>]
let ``normal draws have the normal distribution's moments`` () =
    let n = 100000
    let draws = Array.init n (RandomNumbers.normal 1UL RandomStream.InitialWeights 0L)

    let moment k =
        Array.averageBy (fun x -> pown x k) draws
    // Six standard errors each.
    let error variance = 6.0 * sqrt (variance / float n)
    Assert.InRange(moment 1, -error 1.0, error 1.0)
    Assert.InRange(moment 2, 1.0 - error 2.0, 1.0 + error 2.0)
    Assert.InRange(moment 3, -error 15.0, error 15.0)
    Assert.InRange(moment 4, 3.0 - error 96.0, 3.0 + error 96.0)

    let counts =
        draws
        |> Array.countBy (fun x -> int (20.0 * Normal.CDF(0.0, 1.0, x)))
        |> Array.map snd

    Exactly.equal 20 counts.Length
    Assert.InRange(chance counts, 1e-6, 1.0 - 1e-6)
