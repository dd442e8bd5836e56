namespace Pipeline.Learning

open System.Buffers
open System.Runtime.CompilerServices

/// W·X + b for some samples by pairs of inputs, a band of rows at a time: the pair's two columns of W
/// stay in registers for all of its entries. The 0 of a half-empty pair adds nothing: x + 0·w is x
/// (0 for a sum of −0, as in `ProductTile`).
[<Struct>]
type internal PairAffineLoop<'T> = {
    W: 'T[]
    Biases: 'T[]
    /// What each byte stands for.
    Table: 'T[]
    Inputs: BatchByInput
    /// The result: (rows, samples).
    Z: 'T[]
} with

    /// Adds a chunk's products to its samples' sums.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Add<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> INarrow<'V, 'W>>
        (chunk: int, packed: PackedBand, sums: byref<'T>)
        : unit =
        let rows = nativeint loop.Biases.Length
        let source = loop.Inputs.Batch.Source
        let rowBand = packed.RowBand
        let w = &Simd.start loop.W
        let z0 = &sums
        let z1 = &Unsafe.Add(&sums, packed.Step)
        let z2 = &Unsafe.Add(&sums, 2n * packed.Step)
        let z3 = &Unsafe.Add(&sums, 3n * packed.Step)
        let table = &Simd.start loop.Table

        for p in 0 .. source.PairCount - 1 do
            let bucket = chunk * source.PairCount + p
            let count = loop.Inputs.Count bucket

            if count > 0 then
                let entries = &loop.Inputs.Bucket bucket
                let mutable n = 0
                let even = nativeint (2 * p) * rows
                // An odd last input has no neighbour.
                let odd = if 2 * p + 1 < source.Features then even + rows else even
                let e0 = 'L.Load(&w, even + rowBand.R0)
                let e1 = 'L.Load(&w, even + rowBand.R1)
                let e2 = 'L.Load(&w, even + rowBand.R2)
                let e3 = 'N.Load(&w, even + rowBand.R3)
                let o0 = 'L.Load(&w, odd + rowBand.R0)
                let o1 = 'L.Load(&w, odd + rowBand.R1)
                let o2 = 'L.Load(&w, odd + rowBand.R2)
                let o3 = 'N.Load(&w, odd + rowBand.R3)

                while n < count do
                    let entry = Unsafe.Add(&entries, n)
                    let at = nativeint entry.Key * nativeint 'L.Count
                    let narrow = nativeint entry.Key * nativeint 'N.Count
                    let x = 'L.Create(Unsafe.Add(&table, nativeint entry.First))
                    let y = 'L.Create(Unsafe.Add(&table, nativeint entry.Second))
                    let s0 = 'L.MultiplyAdd(e0, x, 'L.Load(&z0, at))
                    let s1 = 'L.MultiplyAdd(e1, x, 'L.Load(&z1, at))
                    let s2 = 'L.MultiplyAdd(e2, x, 'L.Load(&z2, at))
                    let s3 = 'N.MultiplyAdd(e3, 'N.Narrow x, 'N.Load(&z3, narrow))
                    'L.Store('L.MultiplyAdd(o0, y, s0), &z0, at)
                    'L.Store('L.MultiplyAdd(o1, y, s1), &z1, at)
                    'L.Store('L.MultiplyAdd(o2, y, s2), &z2, at)
                    'N.Store('N.MultiplyAdd(o3, 'N.Narrow y, s3), &z3, narrow)
                    n <- n + 1

    /// One chunk's samples in the band of rows from `row` on.
    member loop.Share<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> INarrow<'V, 'W>>
        (chunk: int, row: int)
        : unit =
        let rows = loop.Biases.Length
        let struct (first, count) = loop.Inputs.Chunk chunk

        let packed = {
            // An odd number of half pages: no two planes' stores are 4 KiB apart, where the processor would take
            // the next load for one of the same place.
            Step = nativeint (160 * 'L.Count)
            RowBand = RowBand.Of(row, 'L.Count, 'N.Count, rows)
        }

        let memory = ArrayPool<'T>.Shared.Rent(packed.Room('N.Count, count))
        let sums = &Unsafe.Add(&Simd.start memory, Simd.lineStart memory)
        let biases = &Simd.start loop.Biases

        for s in 0 .. count - 1 do
            let sum = &Unsafe.Add(&sums, s * 'L.Count)
            'L.Store('L.Load(&biases, packed.RowBand.R0), &sum, 0n)
            'L.Store('L.Load(&biases, packed.RowBand.R1), &sum, packed.Step)
            'L.Store('L.Load(&biases, packed.RowBand.R2), &sum, 2n * packed.Step)

            'N
                .Store(
                    'N.Load(&biases, packed.RowBand.R3),
                    &sums,
                    3n * packed.Step + nativeint (s * 'N.Count)
                )

        loop.Add<'V, 'L, 'W, 'N>(chunk, packed, &sums)
        let result = &Unsafe.Add(&Simd.start loop.Z, first * rows)
        packed.Unpack<'T, 'V, 'L, 'W, 'N>(&sums, &result, rows, count)
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
            let bands = (loop.Biases.Length + band - 1) / band
            let work = loop.Inputs.Batch.Factors * int64 loop.Biases.Length

            ThreadTeam.run work (loop.Inputs.Chunks * bands) (fun i ->
                let chunk, n = i / bands, i % bands

                if n = bands - 1 then
                    loop.Share<'V, 'L, 'W, 'N>(chunk, n * band)
                else
                    loop.Share<'V, 'L, 'V, 'L>(chunk, n * band))

/// W·X + b for samples by pairs of inputs as they come, a sample at a time: its sums stay in registers.
/// It does not need the pairs grouped by input.
[<Struct>]
type internal PairSumsLoop<'T> = {
    ColumnsOfW: 'T[]
    InitialSums: 'T[]
    /// What each byte stands for.
    Bytes: 'T[]
    Batch: SparseBatch
    /// The result: (rows, samples).
    Sums: 'T[]
} with

    /// The samples first … finish − 1 in the band of rows from `row` on.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member loop.Share<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> INarrow<'V, 'W>>
        (first: int, finish: int, row: int)
        : unit =
        let source, samples = loop.Batch.Source, loop.Batch.Samples
        let rows = nativeint loop.InitialSums.Length
        let rowBand = RowBand.Of(row, 'L.Count, 'N.Count, loop.InitialSums.Length)
        let initial = &Simd.start loop.InitialSums
        let w = &Simd.start loop.ColumnsOfW
        let w0 = &Unsafe.Add(&w, rowBand.R0)
        let w1 = &Unsafe.Add(&w, rowBand.R1)
        let w2 = &Unsafe.Add(&w, rowBand.R2)
        let w3 = &Unsafe.Add(&w, rowBand.R3)
        let table = &Simd.start loop.Bytes
        let pairs = &Simd.start source.Pairs
        // An odd last input has no neighbour: 0 times its own weights adds nothing.
        let last = nativeint (source.Features - 1) * rows

        for s in first .. finish - 1 do
            let mutable s0 = 'L.Load(&initial, rowBand.R0)
            let mutable s1 = 'L.Load(&initial, rowBand.R1)
            let mutable s2 = 'L.Load(&initial, rowBand.R2)
            let mutable s3 = 'N.Load(&initial, rowBand.R3)
            let mutable n = source.Starts[samples[s]]
            let finish = source.Starts[samples[s] + 1]

            while n < finish do
                let pair = Unsafe.Add(&pairs, n)
                let x = 'L.Create(Unsafe.Add(&table, nativeint pair.First))
                let y = 'L.Create(Unsafe.Add(&table, nativeint pair.Second))
                let even = nativeint (2 * pair.Key) * rows
                let odd = min (even + rows) last
                s0 <- 'L.MultiplyAdd('L.Load(&w0, even), x, s0)
                s1 <- 'L.MultiplyAdd('L.Load(&w1, even), x, s1)
                s2 <- 'L.MultiplyAdd('L.Load(&w2, even), x, s2)
                s3 <- 'N.MultiplyAdd('N.Load(&w3, even), 'N.Narrow x, s3)
                s0 <- 'L.MultiplyAdd('L.Load(&w0, odd), y, s0)
                s1 <- 'L.MultiplyAdd('L.Load(&w1, odd), y, s1)
                s2 <- 'L.MultiplyAdd('L.Load(&w2, odd), y, s2)
                s3 <- 'N.MultiplyAdd('N.Load(&w3, odd), 'N.Narrow y, s3)
                n <- n + 1

            let result = &Unsafe.Add(&Simd.start loop.Sums, nativeint s * rows)
            'L.Store('L.WithoutMinusZero s0, &result, rowBand.R0)
            'L.Store('L.WithoutMinusZero s1, &result, rowBand.R1)
            'L.Store('L.WithoutMinusZero s2, &result, rowBand.R2)
            'N.Store('N.WithoutMinusZero s3, &result, rowBand.R3)

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
            let samples = loop.Batch.Samples.Length
            let band = 4 * 'L.Count
            let bands = (loop.InitialSums.Length + band - 1) / band
            let work = loop.Batch.Factors * int64 loop.InitialSums.Length
            let shares = min samples (4 * ThreadTeam.workers work)

            ThreadTeam.run work (bands * shares) (fun i ->
                let n, share = i / shares, i % shares
                let first, finish = share * samples / shares, (share + 1) * samples / shares

                if n = bands - 1 then
                    loop.Share<'V, 'L, 'W, 'N>(first, finish, n * band)
                else
                    loop.Share<'V, 'L, 'V, 'L>(first, finish, n * band))
