/// Hypergeometric.fs: tails held to Math.NET's distribution.
module Pipeline.Properties.HypergeometricLaws

open System
open MathNet.Numerics.Distributions
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law>]
let ``tails are those of Math.NET's distribution``
    (NonNegativeInt others)
    (NonNegativeInt marked)
    (PositiveInt draws)
    (seed: NonNegativeInt)
    =
    let population = others + marked + 1
    let draws = 1 + draws % population
    let least, most = max 0 (draws + marked - population), min draws marked
    let x = least + seed.Get % (most - least + 1)

    let struct (lower, upper) =
        Hypergeometric.tails (int64 population) (int64 marked) (int64 draws) (int64 x)

    let law = Hypergeometric(population, marked, draws)

    let below k =
        [ least..k ] |> List.sumBy law.Probability

    Assert.Equal(below x, lower, 1e-9)
    Assert.Equal(1.0 - below (x - 1), upper, 1e-9)

[<Fact>]
let ``of many items, tails are as those of the normal distribution, and of the farthest they are 0``
    ()
    =
    let population, marked, draws = 20_000_000L, 2_000_000L, 1_000_000L
    let mean = 100_000.0
    let deviation = sqrt (mean * 0.9 * (19_000_000.0 / 19_999_999.0))

    for away in [ -4.0; -1.0; 0.0; 2.0; 4.0 ] do
        let x = int64 (mean + away * deviation)
        let struct (lower, upper) = Hypergeometric.tails population marked draws x
        let below = Normal.CDF(0.0, 1.0, (float x + 0.5 - mean) / deviation)
        let above = 1.0 - Normal.CDF(0.0, 1.0, (float x - 0.5 - mean) / deviation)
        Assert.InRange(lower, 0.94 * below, 1.06 * below)
        Assert.InRange(upper, 0.94 * above, 1.06 * above)

    let struct (_, upper) = Hypergeometric.tails population marked draws draws
    Assert.Equal(0.0, upper)
    let struct (lower, _) = Hypergeometric.tails population marked draws 0L
    Assert.Equal(0.0, lower)
