namespace Pipeline.Learning

open System.Buffers
open System.Runtime.CompilerServices

/// Some columns' numbers of a band of rows, register by register: three planes with a register a column
/// and one with a narrow one, the same each time that a column comes up, and aligned.
[<Struct>]
type internal Planes = {
    /// From one plane to the next.
    Step: nativeint
    Windows: Windows
} with

    /// Room for the planes of a band, with what aligning takes.
    member planes.Room(narrow: int, columns: int) : int =
        3 * int planes.Step + narrow * columns + Simd.LineSpare

    /// Lays the columns of a matrix into planes.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member planes.Lay<'T, 'V, 'L, 'W, 'N when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T>>
        (matrix: byref<'T>, rows: int, columns: int, into: byref<'T>)
        : unit =
        let step, windows = planes.Step, planes.Windows
        let narrow = &Unsafe.Add(&into, 3n * step)

        for column in 0 .. columns - 1 do
            let from = &Unsafe.Add(&matrix, nativeint column * nativeint rows)
            let at = nativeint (column * 'L.Count)
            'L.Store('L.Load(&from, windows.W0), &into, at)
            'L.Store('L.Load(&from, windows.W1), &into, at + step)
            'L.Store('L.Load(&from, windows.W2), &into, at + 2n * step)
            'N.Store('N.Load(&from, windows.W3), &narrow, nativeint (column * 'N.Count))

    /// The columns of a matrix from the sums that lie in planes.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member planes.Gather<'T, 'V, 'L, 'W, 'N when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T>>
        (from: byref<'T>, matrix: byref<'T>, rows: int, columns: int)
        : unit =
        let step, windows = planes.Step, planes.Windows
        let narrow = &Unsafe.Add(&from, 3n * step)

        for column in 0 .. columns - 1 do
            let into = &Unsafe.Add(&matrix, nativeint column * nativeint rows)
            let at = nativeint (column * 'L.Count)
            'L.Store('L.WithoutMinusZero('L.Load(&from, at)), &into, windows.W0)
            'L.Store('L.WithoutMinusZero('L.Load(&from, at + step)), &into, windows.W1)
            'L.Store('L.WithoutMinusZero('L.Load(&from, at + 2n * step)), &into, windows.W2)

            'N
                .Store(
                    'N.WithoutMinusZero('N.Load(&narrow, nativeint (column * 'N.Count))),
                    &into,
                    windows.W3
                )

/// W·X + b for some samples by pairs of inputs, a band of rows at a time: the pair's two columns of W
/// stay in registers while its entries pass. A 0 beside a number adds nothing: x + 0·w is x
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
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> IPart<'V, 'W>>
        (chunk: int, planes: Planes, sums: byref<'T>)
        : unit =
        let rows = nativeint loop.Biases.Length
        let source = loop.Inputs.Batch.Source
        let windows = planes.Windows
        let w = &Simd.start loop.W
        let z0 = &sums
        let z1 = &Unsafe.Add(&sums, planes.Step)
        let z2 = &Unsafe.Add(&sums, 2n * planes.Step)
        let z3 = &Unsafe.Add(&sums, 3n * planes.Step)
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
                let e0 = 'L.Load(&w, even + windows.W0)
                let e1 = 'L.Load(&w, even + windows.W1)
                let e2 = 'L.Load(&w, even + windows.W2)
                let e3 = 'N.Load(&w, even + windows.W3)
                let o0 = 'L.Load(&w, odd + windows.W0)
                let o1 = 'L.Load(&w, odd + windows.W1)
                let o2 = 'L.Load(&w, odd + windows.W2)
                let o3 = 'N.Load(&w, odd + windows.W3)

                while n < count do
                    let entry = Unsafe.Add(&entries, n)
                    let at = nativeint entry.Key * nativeint 'L.Count
                    let narrow = nativeint entry.Key * nativeint 'N.Count
                    let x = 'L.Create(Unsafe.Add(&table, nativeint entry.First))
                    let y = 'L.Create(Unsafe.Add(&table, nativeint entry.Second))
                    let s0 = 'L.MultiplyAdd(e0, x, 'L.Load(&z0, at))
                    let s1 = 'L.MultiplyAdd(e1, x, 'L.Load(&z1, at))
                    let s2 = 'L.MultiplyAdd(e2, x, 'L.Load(&z2, at))
                    let s3 = 'N.MultiplyAdd(e3, 'N.First x, 'N.Load(&z3, narrow))
                    'L.Store('L.MultiplyAdd(o0, y, s0), &z0, at)
                    'L.Store('L.MultiplyAdd(o1, y, s1), &z1, at)
                    'L.Store('L.MultiplyAdd(o2, y, s2), &z2, at)
                    'N.Store('N.MultiplyAdd(o3, 'N.First y, s3), &z3, narrow)
                    n <- n + 1

    /// One chunk's samples in the band of rows from `row` on.
    member loop.Share<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> IPart<'V, 'W>>
        (chunk: int, row: int)
        : unit =
        let rows = loop.Biases.Length
        let struct (first, count) = loop.Inputs.Chunk chunk

        let planes = {
            // An odd number of half pages: no two planes' stores are 4 KiB apart, which would look like
            // the same place to what is loaded next.
            Step = nativeint (160 * 'L.Count)
            Windows = Windows.Of(row, 'L.Count, 'N.Count, rows)
        }

        let memory = ArrayPool<'T>.Shared.Rent(planes.Room('N.Count, count))
        let sums = &Unsafe.Add(&Simd.start memory, Simd.lineStart memory)
        let biases = &Simd.start loop.Biases

        for s in 0 .. count - 1 do
            let sum = &Unsafe.Add(&sums, s * 'L.Count)
            'L.Store('L.Load(&biases, planes.Windows.W0), &sum, 0n)
            'L.Store('L.Load(&biases, planes.Windows.W1), &sum, planes.Step)
            'L.Store('L.Load(&biases, planes.Windows.W2), &sum, 2n * planes.Step)

            'N
                .Store(
                    'N.Load(&biases, planes.Windows.W3),
                    &sums,
                    3n * planes.Step + nativeint (s * 'N.Count)
                )

        loop.Add<'V, 'L, 'W, 'N>(chunk, planes, &sums)
        let result = &Unsafe.Add(&Simd.start loop.Z, first * rows)
        planes.Gather<'T, 'V, 'L, 'W, 'N>(&sums, &result, rows, count)
        ArrayPool<'T>.Shared.Return memory

    interface IBandLoop<'T> with
        member loop.Run<'V, 'L, 'W, 'N
            when 'L :> ISimd<'V, 'T>
            and 'V: struct
            and 'L :> IPart<'V, 'V>
            and 'N :> ISimd<'W, 'T>
            and 'W: struct
            and 'N :> IPart<'V, 'W>>
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
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> IPart<'V, 'W>>
        (first: int, finish: int, row: int)
        : unit =
        let source, samples = loop.Batch.Source, loop.Batch.Samples
        let rows = nativeint loop.InitialSums.Length
        let windows = Windows.Of(row, 'L.Count, 'N.Count, loop.InitialSums.Length)
        let initial = &Simd.start loop.InitialSums
        let w = &Simd.start loop.ColumnsOfW
        let w0 = &Unsafe.Add(&w, windows.W0)
        let w1 = &Unsafe.Add(&w, windows.W1)
        let w2 = &Unsafe.Add(&w, windows.W2)
        let w3 = &Unsafe.Add(&w, windows.W3)
        let table = &Simd.start loop.Bytes
        let pairs = &Simd.start source.Pairs
        // An odd last input has no neighbour: 0 times its own weights adds nothing.
        let last = nativeint (source.Features - 1) * rows

        for s in first .. finish - 1 do
            let mutable s0 = 'L.Load(&initial, windows.W0)
            let mutable s1 = 'L.Load(&initial, windows.W1)
            let mutable s2 = 'L.Load(&initial, windows.W2)
            let mutable s3 = 'N.Load(&initial, windows.W3)
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
                s3 <- 'N.MultiplyAdd('N.Load(&w3, even), 'N.First x, s3)
                s0 <- 'L.MultiplyAdd('L.Load(&w0, odd), y, s0)
                s1 <- 'L.MultiplyAdd('L.Load(&w1, odd), y, s1)
                s2 <- 'L.MultiplyAdd('L.Load(&w2, odd), y, s2)
                s3 <- 'N.MultiplyAdd('N.Load(&w3, odd), 'N.First y, s3)
                n <- n + 1

            let result = &Unsafe.Add(&Simd.start loop.Sums, nativeint s * rows)
            'L.Store('L.WithoutMinusZero s0, &result, windows.W0)
            'L.Store('L.WithoutMinusZero s1, &result, windows.W1)
            'L.Store('L.WithoutMinusZero s2, &result, windows.W2)
            'N.Store('N.WithoutMinusZero s3, &result, windows.W3)

    interface IBandLoop<'T> with
        member loop.Run<'V, 'L, 'W, 'N
            when 'L :> ISimd<'V, 'T>
            and 'V: struct
            and 'L :> IPart<'V, 'V>
            and 'N :> ISimd<'W, 'T>
            and 'W: struct
            and 'N :> IPart<'V, 'W>>
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

/// g = δ·Xᵀ for samples by pairs of inputs: two columns at a time, their sums in registers, over the
/// samples in their order. What is stored is a function of g and of the weight that it belongs to.
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
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> IPart<'V, 'W>>
        (first: int, finish: int, planes: Planes, upstream: byref<'T>)
        : unit =
        let rows = nativeint loop.Rows
        let source = loop.Inputs.Batch.Source
        let windows = planes.Windows
        let weights = &Simd.start loop.Weights
        let result = &Simd.start loop.Result
        let table = &Simd.start loop.Table
        let op = loop.Op
        let d0 = &upstream
        let d1 = &Unsafe.Add(&upstream, planes.Step)
        let d2 = &Unsafe.Add(&upstream, 2n * planes.Step)
        let d3 = &Unsafe.Add(&upstream, 3n * planes.Step)

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
                    e3 <- 'N.MultiplyAdd(delta, 'N.First x, e3)
                    o3 <- 'N.MultiplyAdd(delta, 'N.First y, o3)
                    n <- n + 1

            let even = nativeint (2 * p) * rows
            // Where an odd last input has no neighbour, its own column follows and stays.
            let odd = if 2 * p + 1 < source.Features then even + rows else even
            let at = odd + windows.W0
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero o0, 'L.Load(&weights, at)), &result, at)
            let at = odd + windows.W1
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero o1, 'L.Load(&weights, at)), &result, at)
            let at = odd + windows.W2
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero o2, 'L.Load(&weights, at)), &result, at)
            let at = odd + windows.W3
            'N.Store(op.Apply<'W, 'N>('N.WithoutMinusZero o3, 'N.Load(&weights, at)), &result, at)
            let at = even + windows.W0
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero e0, 'L.Load(&weights, at)), &result, at)
            let at = even + windows.W1
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero e1, 'L.Load(&weights, at)), &result, at)
            let at = even + windows.W2
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero e2, 'L.Load(&weights, at)), &result, at)
            let at = even + windows.W3
            'N.Store(op.Apply<'W, 'N>('N.WithoutMinusZero e3, 'N.Load(&weights, at)), &result, at)

    /// The columns of all pairs in the band of rows from `row` on.
    member loop.Band<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> IPart<'V, 'W>>
        (row: int, work: int64)
        : unit =
        let loop = loop
        let samples = loop.Inputs.Batch.Samples.Length

        let planes = {
            Step = nativeint (samples * 'L.Count)
            Windows = Windows.Of(row, 'L.Count, 'N.Count, loop.Rows)
        }

        let memory = ArrayPool<'T>.Shared.Rent(planes.Room('N.Count, samples))
        let aligned = Simd.lineStart memory
        let laid = &Unsafe.Add(&Simd.start memory, aligned)
        let upstream = &Simd.start loop.Upstream
        planes.Lay<'T, 'V, 'L, 'W, 'N>(&upstream, loop.Rows, samples, &laid)
        let pairs = loop.Inputs.Batch.Source.PairCount
        // Pairs at the rim of a picture have few entries: several shares, not one a thread.
        let shares = if ThreadTeam.workers work > 1 then 16 else 1

        ThreadTeam.run work shares (fun share ->
            let laid = &Unsafe.Add(&Simd.start memory, aligned)

            loop.Sum<'V, 'L, 'W, 'N>(
                share * pairs / shares,
                (share + 1) * pairs / shares,
                planes,
                &laid
            ))

        ArrayPool<'T>.Shared.Return memory

    interface IBandLoop<'T> with
        member loop.Run<'V, 'L, 'W, 'N
            when 'L :> ISimd<'V, 'T>
            and 'V: struct
            and 'L :> IPart<'V, 'V>
            and 'N :> ISimd<'W, 'T>
            and 'W: struct
            and 'N :> IPart<'V, 'W>>
            ()
            =
            let loop = loop
            let band = 4 * 'L.Count
            let bands = (loop.Rows + band - 1) / band
            let work = loop.Inputs.Batch.Factors * int64 loop.Rows / int64 bands

            for n in 0 .. bands - 2 do
                loop.Band<'V, 'L, 'V, 'L>(n * band, work)

            loop.Band<'V, 'L, 'W, 'N>((bands - 1) * band, work)
