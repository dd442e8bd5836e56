namespace Pipeline.Learning

open System

/// Samples of bytes without their zeros: sample s has the entries Starts[s] … Starts[s + 1] − 1.
type CompressedBytes = internal {
    Starts: int[]
    /// Which number of the sample, ascending.
    Places: uint16[]
    /// What stands there, 1 to 255.
    Values: byte[]
}

/// Leaving out zeros.
[<RequireQualifiedAccess>]
module internal CompressedBytes =
    /// With more non-zeros than this a dense product is faster.
    let private densest = 0.4

    /// The samples without their zeros, if there are so many that it pays.
    let create (features: int) (bytes: ReadOnlyMemory<byte>) : CompressedBytes voption =
        let source = bytes.Span
        let count = source.Length - source.Count 0uy

        if features > 65536 || float count > densest * float source.Length then
            ValueNone
        else
            let starts: int[] = Array.zeroCreate (source.Length / features + 1)
            let places: uint16[] = Array.zeroCreate count
            let values: byte[] = Array.zeroCreate count
            let mutable n = 0

            for s in 0 .. starts.Length - 2 do
                let sample = source.Slice(s * features, features)
                let mutable i = 0

                while i < features do
                    if sample[i] <> 0uy then
                        places[n] <- uint16 i
                        values[n] <- sample[i]
                        n <- n + 1
                        i <- i + 1
                    else
                        // To the next that is none.
                        let zeros = sample.Slice(i).IndexOfAnyExcept 0uy
                        i <- if zeros < 0 then features else i + zeros

                starts[s + 1] <- n

            ValueSome {
                Starts = starts
                Places = places
                Values = values
            }
