namespace Pipeline.Learning

open System
open System.Runtime.CompilerServices

/// Choosing a fraction of samples by their keys: whether a sample is chosen does not depend on other samples, and
/// samples with equal keys are chosen together.
[<RequireQualifiedAccess>]
module internal KeyedFraction =
    /// A number of 0 up to 1 that depends on seed, stream and key only.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let uniform (seed: uint64) (stream: RandomStream) (key: uint64) : float =
        let struct (low, high, _, _) =
            RandomNumbers.philox
                (struct (uint32 seed, uint32 (seed >>> 32)))
                (struct (uint32 key, uint32 (key >>> 32), uint32 stream, 0x4B455953u))

        float (((uint64 high <<< 32) ||| uint64 low) >>> 11) * Math.ScaleB(1.0, -53)

    /// Samples that are chosen by one thread at a time.
    [<Literal>]
    let private Part = 4096

    /// Whether each sample is chosen.
    let choose (seed: uint64) (stream: RandomStream) (fraction: float) (keys: uint64[]) : bool[] =
        let chosen = Array.zeroCreate keys.Length
        let parts = (keys.Length + Part - 1) / Part

        ThreadTeam.run (16L * int64 keys.Length) parts (fun part ->
            for i in part * Part .. min keys.Length ((part + 1) * Part) - 1 do
                chosen[i] <- uniform seed stream keys[i] < fraction)

        chosen
