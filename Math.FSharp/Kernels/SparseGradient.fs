namespace Pipeline.Learning

open System.Buffers
open System.Runtime.CompilerServices

/// g = δ·Xᵀ for samples by pairs of inputs: two columns at a time, their sums in registers, over the
/// samples in their order. The result is a function of g and of its weight.
[<Struct>]
type internal PairGradientLoop<'T, 'Op when 'Op :> IMap2<'T>> = {
    Op: 'Op
    Weights: 'T[]
    Upstream: 'T[]
    Rows: int
    /// What each byte stands for.
    Table: 'T[]
    Inputs: BatchByInput
    /// (rows, inputs).
    Result: 'T[]
} with

    /// The columns of the pairs first … finish − 1, in a band of rows.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Sum<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> INarrow<'V, 'W>>
        (first: int, finish: int, packed: PackedBand, upstream: byref<'T>)
        : unit =
        let rows = nativeint loop.Rows
        let source = loop.Inputs.Batch.Source
        let rowBand = packed.RowBand
        let weights = &Simd.start loop.Weights
        let result = &Simd.start loop.Result
        let table = &Simd.start loop.Table
        let op = loop.Op
        let d0 = &upstream
        let d1 = &Unsafe.Add(&upstream, packed.Step)
        let d2 = &Unsafe.Add(&upstream, 2n * packed.Step)
        let d3 = &Unsafe.Add(&upstream, 3n * packed.Step)

        for p in first .. finish - 1 do
            let mutable e0 = 'L.Create Unchecked.defaultof<'T>
            let mutable e1 = e0
            let mutable e2 = e0
            let mutable e3 = 'N.Create Unchecked.defaultof<'T>
            let mutable o0 = e0
            let mutable o1 = e0
            let mutable o2 = e0
            let mutable o3 = e3

            for chunk in 0 .. loop.Inputs.Chunks - 1 do
                let bucket = chunk * source.PairCount + p
                let entries = &loop.Inputs.Bucket bucket
                let count = loop.Inputs.Count bucket
                let before = nativeint (chunk * loop.Inputs.ChunkSize)
                let mutable n = 0

                while n < count do
                    let entry = Unsafe.Add(&entries, n)
                    let sample = before + nativeint entry.Key
                    let at = sample * nativeint 'L.Count
                    let x = 'L.Create(Unsafe.Add(&table, nativeint entry.First))
                    let y = 'L.Create(Unsafe.Add(&table, nativeint entry.Second))
                    let delta = 'L.Load(&d0, at)
                    e0 <- 'L.MultiplyAdd(delta, x, e0)
                    o0 <- 'L.MultiplyAdd(delta, y, o0)
                    let delta = 'L.Load(&d1, at)
                    e1 <- 'L.MultiplyAdd(delta, x, e1)
                    o1 <- 'L.MultiplyAdd(delta, y, o1)
                    let delta = 'L.Load(&d2, at)
                    e2 <- 'L.MultiplyAdd(delta, x, e2)
                    o2 <- 'L.MultiplyAdd(delta, y, o2)
                    let delta = 'N.Load(&d3, sample * nativeint 'N.Count)
                    e3 <- 'N.MultiplyAdd(delta, 'N.Narrow x, e3)
                    o3 <- 'N.MultiplyAdd(delta, 'N.Narrow y, o3)
                    n <- n + 1

            let even = nativeint (2 * p) * rows
            // Without a neighbour of an odd last input, its column overwrites this one.
            let odd = if 2 * p + 1 < source.Features then even + rows else even
            let at = odd + rowBand.R0
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero o0, 'L.Load(&weights, at)), &result, at)
            let at = odd + rowBand.R1
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero o1, 'L.Load(&weights, at)), &result, at)
            let at = odd + rowBand.R2
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero o2, 'L.Load(&weights, at)), &result, at)
            let at = odd + rowBand.R3
            'N.Store(op.Apply<'W, 'N>('N.WithoutMinusZero o3, 'N.Load(&weights, at)), &result, at)
            let at = even + rowBand.R0
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero e0, 'L.Load(&weights, at)), &result, at)
            let at = even + rowBand.R1
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero e1, 'L.Load(&weights, at)), &result, at)
            let at = even + rowBand.R2
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero e2, 'L.Load(&weights, at)), &result, at)
            let at = even + rowBand.R3
            'N.Store(op.Apply<'W, 'N>('N.WithoutMinusZero e3, 'N.Load(&weights, at)), &result, at)

    /// The columns of all pairs in the band of rows from `row` on.
    member loop.Band<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> INarrow<'V, 'W>>
        (row: int, work: int64)
        : unit =
        let loop = loop
        let samples = loop.Inputs.Batch.Samples.Length

        let packed = {
            Step = nativeint (samples * 'L.Count)
            RowBand = RowBand.Of(row, 'L.Count, 'N.Count, loop.Rows)
        }

        let memory = ArrayPool<'T>.Shared.Rent(packed.Room('N.Count, samples))
        let aligned = Simd.lineStart memory
        let laid = &Unsafe.Add(&Simd.start memory, aligned)
        let upstream = &Simd.start loop.Upstream
        packed.Pack<'T, 'V, 'L, 'W, 'N>(&upstream, loop.Rows, samples, &laid)
        let pairs = loop.Inputs.Batch.Source.PairCount
        // Pairs at the edge of a picture have few entries: several shares for each thread balance the work.
        let shares = if ThreadTeam.workers work > 1 then 16 else 1

        ThreadTeam.run work shares (fun share ->
            let laid = &Unsafe.Add(&Simd.start memory, aligned)

            loop.Sum<'V, 'L, 'W, 'N>(
                share * pairs / shares,
                (share + 1) * pairs / shares,
                packed,
                &laid
            ))

        ArrayPool<'T>.Shared.Return memory

    interface IBandLoop<'T> with
        member loop.Run<'V, 'L, 'W, 'N
            when 'L :> ISimd<'V, 'T>
            and 'V: struct
            and 'L :> INarrow<'V, 'V>
            and 'N :> ISimd<'W, 'T>
            and 'W: struct
            and 'N :> INarrow<'V, 'W>>
            ()
            =
            let loop = loop
            let band = 4 * 'L.Count
            let bands = (loop.Rows + band - 1) / band
            let work = loop.Inputs.Batch.Factors * int64 loop.Rows / int64 bands

            for n in 0 .. bands - 2 do
                loop.Band<'V, 'L, 'V, 'L>(n * band, work)

            loop.Band<'V, 'L, 'W, 'N>((bands - 1) * band, work)
