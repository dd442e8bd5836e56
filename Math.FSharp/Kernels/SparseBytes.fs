namespace Pipeline.Learning

open System
open System.Buffers
open System.Runtime.CompilerServices
open System.Runtime.InteropServices

/// Two neighbouring numbers of a sample, not both 0, in one word, which a register moves at once.
[<Struct>]
type internal BytePair = {
    Bits: uint32
} with

    /// The pair's index (of the sample's numbers 2·index and 2·index + 1), or its sample.
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
/// by ascending index. Non-zero pixels usually have non-zero neighbours, so pairs take little more memory
/// than single bytes, and every later loop handles two inputs at once.
type internal SparseBytes = {
    Features: int
    Starts: int[]
    Pairs: BytePair[]
} with

    /// The number of pairs of a whole sample; an odd last number is paired with 0.
    member bytes.PairCount = (bytes.Features + 1) / 2

/// A mini-batch of byte pairs.
type internal SparseBatch = {
    Source: SparseBytes
    /// Which samples of the source.
    Samples: int[]
} with

    /// About how many numbers a product multiplies with each row of weights.
    member batch.Factors =
        let source = batch.Source

        2L * int64 source.Pairs.Length * int64 batch.Samples.Length
        / int64 (max 1 (source.Starts.Length - 1))

/// The non-zero pairs of a mini-batch, grouped by pair of inputs, chunk by chunk of ChunkSize samples. Group p of
/// chunk c is bucket c·PairCount + p. Its entries begin at the bucket's number times Stride and end before the
/// place in Ends; their keys are the chunk's samples, ascending.
type internal BatchByInput = {
    Batch: SparseBatch
    /// How many samples a chunk has; the last one may have fewer.
    ChunkSize: int
    Chunks: int
    Stride: int
    Ends: int[]
    Entries: BytePair[]
} with

    /// The samples of a chunk: the first, and how many.
    member buckets.Chunk(c: int) : struct (int * int) =
        let first = c * buckets.ChunkSize
        struct (first, min buckets.ChunkSize (buckets.Batch.Samples.Length - first))

    /// A bucket's first entry.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member buckets.Bucket(bucket: int) : byref<BytePair> =
        &Unsafe.Add(&Simd.start buckets.Entries, nativeint bucket * nativeint buckets.Stride)

    /// How many entries a bucket has.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member buckets.Count(bucket: int) : int =
        Unsafe.Add(&Simd.start buckets.Ends, bucket) - bucket * buckets.Stride

/// Making byte pairs and taking samples from them.
[<RequireQualifiedAccess>]
module internal SparseBytes =
    /// With more than this fraction of non-zero pairs a dense product is faster.
    let private densest = 0.5

    /// The sums of this number of samples fit the first-level cache.
    [<Literal>]
    let LargestChunk = 128

    /// The samples by pairs, if enough of them are zero to make products faster.
    let create (features: int) (bytes: ReadOnlyMemory<byte>) : SparseBytes voption =
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
                        // To the next non-zero pair.
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

    /// Groups the pairs of a chunk's samples by input.
    let private groupByInput (buckets: BatchByInput) (c: int) : unit =
        let bytes, samples = buckets.Batch.Source, buckets.Batch.Samples
        let struct (first, count) = buckets.Chunk c
        let place = c * bytes.PairCount
        let ends = &Unsafe.Add(&Simd.start buckets.Ends, place)

        for p in 0 .. bytes.PairCount - 1 do
            let finish = &Unsafe.Add(&ends, p)
            finish <- (place + p) * buckets.Stride

        let entries = &Simd.start buckets.Entries
        let pairs = &Simd.start bytes.Pairs

        for s in 0 .. count - 1 do
            if s + ahead < count then
                let next = samples[first + s + ahead]
                // A random sample is seldom in a cache.
                Simd.prefetch (
                    &pairs,
                    bytes.Starts[next],
                    bytes.Starts[next + 1] - bytes.Starts[next]
                )

            let sample = samples[first + s]

            for n in bytes.Starts[sample] .. bytes.Starts[sample + 1] - 1 do
                let pair = Unsafe.Add(&pairs, n)
                let finish = &Unsafe.Add(&ends, pair.Key)
                let at = finish
                finish <- at + 1
                Unsafe.Add(&entries, at) <- pair.WithKey s

    /// The result of `act` on the mini-batch's pairs grouped by input. The groups are valid only while `act`
    /// runs.
    let withBatchByInput (act: BatchByInput -> 'R) (batch: SparseBatch) : 'R =
        let count = batch.Samples.Length
        // Moving a pair takes the time of some dozens of multiplications.
        let work = 32L * batch.Factors
        // As many chunks for each thread.
        let workers = min count (ThreadTeam.workers work)
        let fewest = (count + LargestChunk - 1) / LargestChunk
        let chunks = (fewest + workers - 1) / workers * workers
        let size = (count + chunks - 1) / chunks
        let chunks = (count + size - 1) / size
        let places = chunks * batch.Source.PairCount
        // Room for every sample; an odd number of cache lines spreads the buckets over the cache.
        let stride = 16 * ((size + 15) / 16 ||| 1)
        let ends = ArrayPool<int>.Shared.Rent places
        let entries = ArrayPool<BytePair>.Shared.Rent(places * stride)

        try
            let buckets = {
                Batch = batch
                ChunkSize = size
                Chunks = chunks
                Stride = stride
                Ends = ends
                Entries = entries
            }

            ThreadTeam.run work chunks (groupByInput buckets)
            act buckets
        finally
            ArrayPool<int>.Shared.Return ends
            ArrayPool<BytePair>.Shared.Return entries

    /// Writes the samples' non-zero numbers, each as the table has it: `place` gives the place of a sample's first
    /// number, from which those of its features are `step` apart.
    let inline private writeNonZeros
        (table: 'T[])
        (batch: SparseBatch)
        (samples: struct (int * int))
        ([<InlineIfLambda>] place: int -> int)
        (step: int)
        (values: 'T[])
        : unit =
        let struct (first, count) = samples

        for s in first .. first + count - 1 do
            let sample = batch.Samples[s]
            let place = place s

            for n in batch.Source.Starts[sample] .. batch.Source.Starts[sample + 1] - 1 do
                let pair = batch.Source.Pairs[n]
                let at = place + 2 * pair.Key * step
                values[at] <- table[pair.First]

                if pair.Second <> 0 then
                    values[at + step] <- table[pair.Second]

    /// The mini-batch's samples one after the other, each number as the table has it.
    let dense (table: 'T[]) (batch: SparseBatch) : 'T[] =
        let features = batch.Source.Features
        let values = ArrayReuse<'T>.Rent(features * batch.Samples.Length)
        Array.Clear values
        let all = struct (0, batch.Samples.Length)
        writeNonZeros table batch all (fun s -> s * features) 1 values
        values

    /// The same numbers side by side.
    let sideBySide (table: 'T[]) (batch: SparseBatch) : LaneBlocks<'T> =
        let features, samples = batch.Source.Features, batch.Samples.Length
        let values = SampleLanes.room features samples
        let size = features * SampleLanes.Count

        SampleLanes.run (int64 values.Length) samples (fun block ->
            Array.Clear(values, block * size, size)
            let first = block * SampleLanes.Count
            let those = struct (first, min SampleLanes.Count (samples - first))

            writeNonZeros
                table
                batch
                those
                (fun s -> block * size + s - first)
                SampleLanes.Count
                values)

        {
            Features = features
            Samples = samples
            Values = values
        }
