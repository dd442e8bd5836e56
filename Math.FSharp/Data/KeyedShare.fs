namespace Pipeline.Learning

open System

/// Sharing out samples by their keys: a sample stays on its side whatever other samples there are, and samples
/// of equal keys are on the same side.
[<RequireQualifiedAccess>]
module internal KeyedShare =
    /// A number of 0 up to 1 that follows from seed, stream and key alone.
    let uniform (seed: uint64) (stream: Stream) (key: uint64) : float =
        let struct (low, high, _, _) =
            Random.philox
                (struct (uint32 seed, uint32 (seed >>> 32)))
                (struct (uint32 key, uint32 (key >>> 32), uint32 stream, 0x4B455953u))

        float (((uint64 high <<< 32) ||| uint64 low) >>> 11) * Math.ScaleB(1.0, -53)

    /// Whether each sample is of the share that is chosen.
    let choose (seed: uint64) (stream: Stream) (share: float) (keys: uint64[]) : bool[] =
        keys |> Array.map (fun key -> uniform seed stream key < share)
