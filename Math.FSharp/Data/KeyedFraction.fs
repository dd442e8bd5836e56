namespace Pipeline.Learning

open System

/// Choosing a fraction of samples by their keys: whether a sample is chosen does not depend on other samples, and
/// samples with equal keys are chosen together.
[<RequireQualifiedAccess>]
module internal KeyedFraction =
    /// A number of 0 up to 1 that depends on seed, stream and key only.
    let uniform (seed: uint64) (stream: RandomStream) (key: uint64) : float =
        let struct (low, high, _, _) =
            RandomNumbers.philox
                (struct (uint32 seed, uint32 (seed >>> 32)))
                (struct (uint32 key, uint32 (key >>> 32), uint32 stream, 0x4B455953u))

        float (((uint64 high <<< 32) ||| uint64 low) >>> 11) * Math.ScaleB(1.0, -53)

    /// Whether each sample is chosen.
    let choose (seed: uint64) (stream: RandomStream) (fraction: float) (keys: uint64[]) : bool[] =
        keys |> Array.map (fun key -> uniform seed stream key < fraction)
