namespace Pipeline.Learning

open System.Buffers
open System.Runtime.CompilerServices

/// W·X + b for some samples by pairs of inputs, four registers of rows at a time: the pair's two
/// columns of W stay in registers while its entries pass. A 0 beside a number adds nothing: x + 0·w
/// is x.
[<Struct>]
type internal PairAffineLoop<'T> = {
    W: 'T[]
    Biases: 'T[]
    /// What each byte stands for.
    Table: 'T[]
    Inputs: PairBuckets
    /// The result: (rows, samples).
    Z: 'T[]
} with

    /// The sums of one chunk's samples: four planes, each a register for every sample of the chunk.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Add<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>
        (chunk: int, windows: Windows, sums: byref<'T>)
        : unit =
        let rows = nativeint loop.Biases.Length
        let source = loop.Inputs.Batch.Source
        let features = source.Features
        let w = &Lanes.start loop.W
        let z = &sums
        let table = &Lanes.start loop.Table
        let size = nativeint 'L.Count
        let plane = size * nativeint BytePairs.ChunkSize

        for p in 0 .. source.PairCount - 1 do
            let bucket = chunk * source.PairCount + p
            let count = loop.Inputs.Counts[bucket]

            if count > 0 then
                let entries = &loop.Inputs.Bucket bucket
                let mutable n = 0
                let even = nativeint (2 * p) * rows
                // An odd last input has no neighbour.
                let odd = if 2 * p + 1 < features then even + rows else even
                let e0 = 'L.Load(&w, even + windows.W0)
                let e1 = 'L.Load(&w, even + windows.W1)
                let e2 = 'L.Load(&w, even + windows.W2)
                let e3 = 'L.Load(&w, even + windows.W3)
                let o0 = 'L.Load(&w, odd + windows.W0)
                let o1 = 'L.Load(&w, odd + windows.W1)
                let o2 = 'L.Load(&w, odd + windows.W2)
                let o3 = 'L.Load(&w, odd + windows.W3)

                while n < count do
                    let entry = Unsafe.Add(&entries, n)
                    let at = nativeint entry.Key * size
                    let x = 'L.Create(Unsafe.Add(&table, nativeint entry.First))
                    let y = 'L.Create(Unsafe.Add(&table, nativeint entry.Second))
                    let z0 = 'L.MultiplyAdd(e0, x, 'L.Load(&z, at))
                    let z1 = 'L.MultiplyAdd(e1, x, 'L.Load(&z, at + plane))
                    let z2 = 'L.MultiplyAdd(e2, x, 'L.Load(&z, at + 2n * plane))
                    let z3 = 'L.MultiplyAdd(e3, x, 'L.Load(&z, at + 3n * plane))
                    'L.Store('L.MultiplyAdd(o0, y, z0), &z, at)
                    'L.Store('L.MultiplyAdd(o1, y, z1), &z, at + plane)
                    'L.Store('L.MultiplyAdd(o2, y, z2), &z, at + 2n * plane)
                    'L.Store('L.MultiplyAdd(o3, y, z3), &z, at + 3n * plane)
                    n <- n + 1

    /// One chunk's samples in the four registers of rows from `row` on.
    member loop.Share<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>
        (chunk: int, row: int)
        : unit =
        let rows = loop.Biases.Length
        let windows = Windows.Of(row, 'L.Count, rows)
        let struct (first, count) = BytePairs.chunk loop.Inputs.Batch chunk

        let sums =
            ArrayPool<'T>.Shared.Rent(4 * 'L.Count * BytePairs.ChunkSize + Lanes.LineSpare)

        let z = &Unsafe.Add(&Lanes.start sums, Lanes.lineStart sums)
        let biases = &Lanes.start loop.Biases
        let size = nativeint 'L.Count
        let plane = size * nativeint BytePairs.ChunkSize
        let b0 = 'L.Load(&biases, windows.W0)
        let b1 = 'L.Load(&biases, windows.W1)
        let b2 = 'L.Load(&biases, windows.W2)
        let b3 = 'L.Load(&biases, windows.W3)

        for s in 0 .. count - 1 do
            let at = nativeint s * size
            'L.Store(b0, &z, at)
            'L.Store(b1, &z, at + plane)
            'L.Store(b2, &z, at + 2n * plane)
            'L.Store(b3, &z, at + 3n * plane)

        loop.Add<'V, 'L>(chunk, windows, &z)
        let result = &Unsafe.Add(&Lanes.start loop.Z, first * rows)

        for s in 0 .. count - 1 do
            let at = nativeint s * size
            let column = nativeint (s * rows)
            'L.Store('L.Load(&z, at), &result, column + windows.W0)
            'L.Store('L.Load(&z, at + plane), &result, column + windows.W1)
            'L.Store('L.Load(&z, at + 2n * plane), &result, column + windows.W2)
            'L.Store('L.Load(&z, at + 3n * plane), &result, column + windows.W3)

        ArrayPool<'T>.Shared.Return sums

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>() =
            let loop = loop
            let bands = (loop.Biases.Length + 4 * 'L.Count - 1) / (4 * 'L.Count)
            let work = loop.Inputs.Batch.Factors * int64 loop.Biases.Length

            Work.share work (loop.Inputs.Chunks * bands) (fun i ->
                loop.Share<'V, 'L>(i / bands, i % bands * 4 * 'L.Count))

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
    Inputs: PairBuckets
    /// (rows, inputs).
    Result: 'T[]
} with

    /// The columns of the pairs first … finish − 1, in four registers of rows.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Sum<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>
        (first: int, finish: int, windows: Windows, upstream: byref<'T>)
        : unit =
        let rows = nativeint loop.Rows
        let source = loop.Inputs.Batch.Source
        let features = source.Features
        let size = nativeint 'L.Count
        let weights = &Lanes.start loop.Weights
        let result = &Lanes.start loop.Result
        let table = &Lanes.start loop.Table

        for p in first .. finish - 1 do
            let mutable e0 = 'L.Create Unchecked.defaultof<'T>
            let mutable e1 = e0
            let mutable e2 = e0
            let mutable e3 = e0
            let mutable o0 = e0
            let mutable o1 = e0
            let mutable o2 = e0
            let mutable o3 = e0

            for chunk in 0 .. loop.Inputs.Chunks - 1 do
                let first = chunk * BytePairs.ChunkSize
                let delta = &Unsafe.Add(&upstream, nativeint first * 4n * size)
                let bucket = chunk * source.PairCount + p
                let entries = &loop.Inputs.Bucket bucket
                let count = loop.Inputs.Counts[bucket]
                let mutable n = 0

                while n < count do
                    let entry = Unsafe.Add(&entries, n)
                    let at = nativeint entry.Key * 4n * size
                    let x = 'L.Create(Unsafe.Add(&table, nativeint entry.First))
                    let y = 'L.Create(Unsafe.Add(&table, nativeint entry.Second))
                    let d0 = 'L.Load(&delta, at)
                    e0 <- 'L.MultiplyAdd(d0, x, e0)
                    o0 <- 'L.MultiplyAdd(d0, y, o0)
                    let d1 = 'L.Load(&delta, at + size)
                    e1 <- 'L.MultiplyAdd(d1, x, e1)
                    o1 <- 'L.MultiplyAdd(d1, y, o1)
                    let d2 = 'L.Load(&delta, at + 2n * size)
                    e2 <- 'L.MultiplyAdd(d2, x, e2)
                    o2 <- 'L.MultiplyAdd(d2, y, o2)
                    let d3 = 'L.Load(&delta, at + 3n * size)
                    e3 <- 'L.MultiplyAdd(d3, x, e3)
                    o3 <- 'L.MultiplyAdd(d3, y, o3)
                    n <- n + 1

            let even = nativeint (2 * p) * rows
            // Where an odd last input has no neighbour, its own column follows and stays.
            let odd = if 2 * p + 1 < features then even + rows else even
            let at = odd + windows.W0
            'L.Store(loop.Op.Apply<'V, 'L>(o0, 'L.Load(&weights, at)), &result, at)
            let at = odd + windows.W1
            'L.Store(loop.Op.Apply<'V, 'L>(o1, 'L.Load(&weights, at)), &result, at)
            let at = odd + windows.W2
            'L.Store(loop.Op.Apply<'V, 'L>(o2, 'L.Load(&weights, at)), &result, at)
            let at = odd + windows.W3
            'L.Store(loop.Op.Apply<'V, 'L>(o3, 'L.Load(&weights, at)), &result, at)
            let at = even + windows.W0
            'L.Store(loop.Op.Apply<'V, 'L>(e0, 'L.Load(&weights, at)), &result, at)
            let at = even + windows.W1
            'L.Store(loop.Op.Apply<'V, 'L>(e1, 'L.Load(&weights, at)), &result, at)
            let at = even + windows.W2
            'L.Store(loop.Op.Apply<'V, 'L>(e2, 'L.Load(&weights, at)), &result, at)
            let at = even + windows.W3
            'L.Store(loop.Op.Apply<'V, 'L>(e3, 'L.Load(&weights, at)), &result, at)

    /// Some pairs' columns in four registers of rows.
    member loop.Share<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>
        (first: int, finish: int, row: int)
        : unit =
        let windows = Windows.Of(row, 'L.Count, loop.Rows)
        let samples = loop.Upstream.Length / loop.Rows
        let size = nativeint 'L.Count
        let padded = ArrayPool<'T>.Shared.Rent(4 * 'L.Count * samples + Lanes.LineSpare)
        let delta = &Unsafe.Add(&Lanes.start padded, Lanes.lineStart padded)
        let upstream = &Lanes.start loop.Upstream

        for s in 0 .. samples - 1 do
            let at = nativeint s * 4n * size
            let column = nativeint s * nativeint loop.Rows
            'L.Store('L.Load(&upstream, column + windows.W0), &delta, at)
            'L.Store('L.Load(&upstream, column + windows.W1), &delta, at + size)
            'L.Store('L.Load(&upstream, column + windows.W2), &delta, at + 2n * size)
            'L.Store('L.Load(&upstream, column + windows.W3), &delta, at + 3n * size)

        loop.Sum<'V, 'L>(first, finish, windows, &delta)
        ArrayPool<'T>.Shared.Return padded

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>() =
            let loop = loop
            let pairs = loop.Inputs.Batch.Source.PairCount
            let bands = (loop.Rows + 4 * 'L.Count - 1) / (4 * 'L.Count)

            let work = loop.Inputs.Batch.Factors * int64 loop.Rows
            // Pairs at the rim of a picture have few entries: several shares, not one a thread.
            let shares = if Work.isShared work then max 1 (16 / bands) else 1

            Work.share work (shares * bands) (fun i ->
                let share = i / bands

                loop.Share<'V, 'L>(
                    share * pairs / shares,
                    (share + 1) * pairs / shares,
                    i % bands * 4 * 'L.Count
                ))
