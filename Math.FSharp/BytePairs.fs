namespace Pipeline.Learning

open System
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics.X86

/// Two neighbouring numbers of a sample, not both 0, in one word, which a register moves at once.
[<Struct>]
type internal BytePair = {
    Bits: uint32
} with

    /// The pair's place (the sample's numbers 2·place and 2·place + 1), or its sample.
    member pair.Key = int (pair.Bits &&& 0xFFFFu)
    member pair.First = int ((pair.Bits >>> 16) &&& 0xFFu)
    member pair.Second = int (pair.Bits >>> 24)

    static member Of(key: int, first: byte, second: byte) : BytePair = {
        Bits = uint32 key ||| (uint32 first <<< 16) ||| (uint32 second <<< 24)
    }

    member pair.WithKey(key: int) : BytePair = {
        Bits = (pair.Bits &&& 0xFFFF0000u) ||| uint32 key
    }

/// Samples of bytes without most of their zeros: sample s has the pairs Starts[s] … Starts[s + 1] − 1,
/// by ascending place. Where a picture is not blank, neighbours seldom are, so pairs take little more
/// room than lone bytes would, and every later loop handles two inputs at once.
type BytePairs = internal {
    Features: int
    Starts: int[]
    Pairs: BytePair[]
} with

    /// How many pairs a whole sample has; an odd last number stands beside a 0.
    member internal bytes.PairCount = (bytes.Features + 1) / 2

/// A few samples by pairs of inputs: place p has the entries Starts[p] … Starts[p + 1] − 1, their keys
/// the samples, ascending.
type internal PairChunk = {
    /// Where in the mini-batch its samples begin.
    FirstSample: int
    Samples: int
    Starts: int[]
    Entries: BytePair[]
}

/// A mini-batch of byte pairs.
type internal PairBatch = {
    Source: BytePairs
    /// Which samples of the source.
    Samples: int[]
    Chunks: PairChunk[]
} with

    /// How many numbers a product multiplies with each row of weights.
    member batch.Factors =
        2L * (batch.Chunks |> Array.sumBy (fun chunk -> int64 chunk.Entries.Length))

/// Making byte pairs and taking samples from them.
[<RequireQualifiedAccess>]
module internal BytePairs =
    /// With more than this share of pairs left a dense product is faster.
    let private densest = 0.5

    /// So many samples' sums fit the first cache.
    [<Literal>]
    let ChunkSize = 128

    /// The samples by pairs, if so many are blank that it pays.
    let create (features: int) (bytes: ReadOnlyMemory<byte>) : BytePairs voption =
        let source = bytes.Span
        let samples = source.Length / features
        let whole = features / 2
        let pairs = (features + 1) / 2
        let starts: int[] = Array.zeroCreate (samples + 1)

        for s in 0 .. samples - 1 do
            let sample = source.Slice(s * features, features)
            let words = MemoryMarshal.Cast<byte, uint16> sample
            let count = whole - words.Slice(0, whole).Count 0us

            let last =
                if whole < pairs && sample[features - 1] <> 0uy then
                    1
                else
                    0

            starts[s + 1] <- starts[s] + count + last

        if pairs > 65536 || float starts[samples] > densest * float pairs * float samples then
            ValueNone
        else
            let found = GC.AllocateUninitializedArray<BytePair> starts[samples]
            let mutable n = 0

            for s in 0 .. samples - 1 do
                let sample = source.Slice(s * features, features)
                let words = MemoryMarshal.Cast<byte, uint16> sample
                let mutable place = 0

                while place < whole do
                    if words[place] <> 0us then
                        found[n] <- BytePair.Of(place, sample[2 * place], sample[2 * place + 1])
                        n <- n + 1
                        place <- place + 1
                    else
                        // To the next pair that is not blank.
                        let blanks = words.Slice(place).IndexOfAnyExcept 0us
                        place <- if blanks < 0 then whole else place + blanks

                if whole < pairs && sample[features - 1] <> 0uy then
                    found[n] <- BytePair.Of(whole, sample[features - 1], 0uy)
                    n <- n + 1

            ValueSome {
                Features = features
                Starts = starts
                Pairs = found
            }

    /// How many samples ahead of their use they are asked for.
    let private ahead = 4

    /// Asks for a sample's pairs ahead of their use: a random sample is seldom in a cache.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let private prefetch (bytes: BytePairs) (sample: int) : unit =
        if Sse.IsSupported then
            let first = bytes.Starts[sample]
            let count = bytes.Starts[sample + 1] - first
            let start = &Unsafe.Add(&Lanes.start bytes.Pairs, first)

            for i in 0..16..count do
                // A prefetch reads nothing, so an array moved meanwhile does no harm.
                Sse.Prefetch0(Unsafe.AsPointer(&Unsafe.Add(&start, i)))

    /// Some of the samples, dealt out to the pairs of inputs: a first pass counts, a second places.
    let private chunk (bytes: BytePairs) (samples: int[]) (first: int) (count: int) : PairChunk =
        // One element further on than they end up, each count moves up while its entries are placed.
        let starts: int[] = Array.zeroCreate (bytes.PairCount + 2)
        let next = &Unsafe.Add(&Lanes.start starts, 1)
        let pairs = &Lanes.start bytes.Pairs

        for s in first .. first + count - 1 do
            if s + ahead < first + count then
                prefetch bytes samples[s + ahead]

            for n in bytes.Starts[samples[s]] .. bytes.Starts[samples[s] + 1] - 1 do
                let pair = &Unsafe.Add(&pairs, n)
                let size = &Unsafe.Add(&next, pair.Key + 1)
                size <- size + 1

        for p in 2 .. starts.Length - 1 do
            starts[p] <- starts[p] + starts[p - 1]

        let found = GC.AllocateUninitializedArray<BytePair> starts[starts.Length - 1]
        let entries = &Lanes.start found

        for s in 0 .. count - 1 do
            let sample = samples[first + s]

            for n in bytes.Starts[sample] .. bytes.Starts[sample + 1] - 1 do
                let pair = &Unsafe.Add(&pairs, n)
                let at = &Unsafe.Add(&next, pair.Key)
                let entry = &Unsafe.Add(&entries, at)
                at <- at + 1

                entry <- pair.WithKey s

        {
            FirstSample = first
            Samples = count
            Starts = starts
            Entries = found
        }

    /// The samples at some places, in that order.
    let take (samples: int[]) (bytes: BytePairs) : PairBatch = {
        Source = bytes
        Samples = samples
        Chunks = [|
            for first in 0..ChunkSize .. samples.Length - 1 do
                chunk bytes samples first (min ChunkSize (samples.Length - first))
        |]
    }

    /// The mini-batch's samples one after the other, each number as the table has it.
    let dense (table: 'T[]) (batch: PairBatch) : 'T[] =
        let features = batch.Source.Features
        let values = Array.zeroCreate (features * batch.Samples.Length)

        for s in 0 .. batch.Samples.Length - 1 do
            let sample = batch.Samples[s]

            for n in batch.Source.Starts[sample] .. batch.Source.Starts[sample + 1] - 1 do
                let pair = batch.Source.Pairs[n]
                let at = s * features + 2 * pair.Key
                values[at] <- table[pair.First]

                if pair.Second <> 0 then
                    values[at + 1] <- table[pair.Second]

        values
