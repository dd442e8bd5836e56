namespace Pipeline.Learning

open System
open System.Buffers
open System.Runtime.CompilerServices

/// Sums of products for a few rows by a few columns, in registers from the first product to the last:
/// Into(i, j) = From(i, j) + Σₖ A(i, k)·B(k, j), k ascending; a sum of −0 is stored as 0. A's rows are
/// contiguous; everything else stands at any step from the next.
[<Struct>]
type internal ProductTile<'T> = {
    A: 'T[]
    /// From k to k + 1.
    AStep: nativeint
    B: 'T[]
    BStep: nativeint
    /// From column j of B to j + 1.
    ColumnStep: nativeint
    From: 'T[]
    FromStep: nativeint
    Into: 'T[]
    IntoStep: nativeint
    Depth: int
} with

    /// Columns of a whole tile.
    static member Columns = 6

    /// Four registers of rows by six columns: as many sums as 32 registers hold.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Tall<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> IPart<'V, 'W>>
        (windows: Windows, a: nativeint, b: nativeint, from: nativeint, into: nativeint)
        : unit =
        // A reference for each row and column: one index moves all of them.
        let sources = &Unsafe.Add(&Simd.start t.A, a)
        let s0 = &Unsafe.Add(&sources, windows.W0)
        let s1 = &Unsafe.Add(&sources, windows.W1)
        let s2 = &Unsafe.Add(&sources, windows.W2)
        let s3 = &Unsafe.Add(&sources, windows.W3)
        let f0 = &Unsafe.Add(&Simd.start t.B, b)
        let f1 = &Unsafe.Add(&f0, t.ColumnStep)
        let f2 = &Unsafe.Add(&f1, t.ColumnStep)
        let f3 = &Unsafe.Add(&f2, t.ColumnStep)
        let f4 = &Unsafe.Add(&f3, t.ColumnStep)
        let f5 = &Unsafe.Add(&f4, t.ColumnStep)
        let start = &Unsafe.Add(&Simd.start t.From, from)
        let result = &Unsafe.Add(&Simd.start t.Into, into)
        let mutable column = 0n
        let mutable c00 = 'L.Load(&start, column + windows.W0)
        let mutable c10 = 'L.Load(&start, column + windows.W1)
        let mutable c20 = 'L.Load(&start, column + windows.W2)
        let mutable c30 = 'N.Load(&start, column + windows.W3)
        column <- column + t.FromStep
        let mutable c01 = 'L.Load(&start, column + windows.W0)
        let mutable c11 = 'L.Load(&start, column + windows.W1)
        let mutable c21 = 'L.Load(&start, column + windows.W2)
        let mutable c31 = 'N.Load(&start, column + windows.W3)
        column <- column + t.FromStep
        let mutable c02 = 'L.Load(&start, column + windows.W0)
        let mutable c12 = 'L.Load(&start, column + windows.W1)
        let mutable c22 = 'L.Load(&start, column + windows.W2)
        let mutable c32 = 'N.Load(&start, column + windows.W3)
        column <- column + t.FromStep
        let mutable c03 = 'L.Load(&start, column + windows.W0)
        let mutable c13 = 'L.Load(&start, column + windows.W1)
        let mutable c23 = 'L.Load(&start, column + windows.W2)
        let mutable c33 = 'N.Load(&start, column + windows.W3)
        column <- column + t.FromStep
        let mutable c04 = 'L.Load(&start, column + windows.W0)
        let mutable c14 = 'L.Load(&start, column + windows.W1)
        let mutable c24 = 'L.Load(&start, column + windows.W2)
        let mutable c34 = 'N.Load(&start, column + windows.W3)
        column <- column + t.FromStep
        let mutable c05 = 'L.Load(&start, column + windows.W0)
        let mutable c15 = 'L.Load(&start, column + windows.W1)
        let mutable c25 = 'L.Load(&start, column + windows.W2)
        let mutable c35 = 'N.Load(&start, column + windows.W3)
        let mutable ai = 0n
        let mutable bi = 0n

        let mutable left = t.Depth

        while left > 0 do
            let a0 = 'L.Load(&s0, ai)
            let a1 = 'L.Load(&s1, ai)
            let a2 = 'L.Load(&s2, ai)
            let a3 = 'N.Load(&s3, ai)
            let b = 'L.Create(Unsafe.Add(&f0, bi))
            c00 <- 'L.MultiplyAdd(a0, b, c00)
            c10 <- 'L.MultiplyAdd(a1, b, c10)
            c20 <- 'L.MultiplyAdd(a2, b, c20)
            c30 <- 'N.MultiplyAdd(a3, 'N.First b, c30)
            let b = 'L.Create(Unsafe.Add(&f1, bi))
            c01 <- 'L.MultiplyAdd(a0, b, c01)
            c11 <- 'L.MultiplyAdd(a1, b, c11)
            c21 <- 'L.MultiplyAdd(a2, b, c21)
            c31 <- 'N.MultiplyAdd(a3, 'N.First b, c31)
            let b = 'L.Create(Unsafe.Add(&f2, bi))
            c02 <- 'L.MultiplyAdd(a0, b, c02)
            c12 <- 'L.MultiplyAdd(a1, b, c12)
            c22 <- 'L.MultiplyAdd(a2, b, c22)
            c32 <- 'N.MultiplyAdd(a3, 'N.First b, c32)
            let b = 'L.Create(Unsafe.Add(&f3, bi))
            c03 <- 'L.MultiplyAdd(a0, b, c03)
            c13 <- 'L.MultiplyAdd(a1, b, c13)
            c23 <- 'L.MultiplyAdd(a2, b, c23)
            c33 <- 'N.MultiplyAdd(a3, 'N.First b, c33)
            let b = 'L.Create(Unsafe.Add(&f4, bi))
            c04 <- 'L.MultiplyAdd(a0, b, c04)
            c14 <- 'L.MultiplyAdd(a1, b, c14)
            c24 <- 'L.MultiplyAdd(a2, b, c24)
            c34 <- 'N.MultiplyAdd(a3, 'N.First b, c34)
            let b = 'L.Create(Unsafe.Add(&f5, bi))
            c05 <- 'L.MultiplyAdd(a0, b, c05)
            c15 <- 'L.MultiplyAdd(a1, b, c15)
            c25 <- 'L.MultiplyAdd(a2, b, c25)
            c35 <- 'N.MultiplyAdd(a3, 'N.First b, c35)
            ai <- ai + t.AStep
            bi <- bi + t.BStep
            left <- left - 1

        column <- 0n
        'L.Store('L.WithoutMinusZero c00, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c10, &result, column + windows.W1)
        'L.Store('L.WithoutMinusZero c20, &result, column + windows.W2)
        'N.Store('N.WithoutMinusZero c30, &result, column + windows.W3)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c01, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c11, &result, column + windows.W1)
        'L.Store('L.WithoutMinusZero c21, &result, column + windows.W2)
        'N.Store('N.WithoutMinusZero c31, &result, column + windows.W3)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c02, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c12, &result, column + windows.W1)
        'L.Store('L.WithoutMinusZero c22, &result, column + windows.W2)
        'N.Store('N.WithoutMinusZero c32, &result, column + windows.W3)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c03, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c13, &result, column + windows.W1)
        'L.Store('L.WithoutMinusZero c23, &result, column + windows.W2)
        'N.Store('N.WithoutMinusZero c33, &result, column + windows.W3)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c04, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c14, &result, column + windows.W1)
        'L.Store('L.WithoutMinusZero c24, &result, column + windows.W2)
        'N.Store('N.WithoutMinusZero c34, &result, column + windows.W3)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c05, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c15, &result, column + windows.W1)
        'L.Store('L.WithoutMinusZero c25, &result, column + windows.W2)
        'N.Store('N.WithoutMinusZero c35, &result, column + windows.W3)

    /// Two registers of rows by six columns: as many sums as 16 registers hold.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Low<'V, 'L when 'L :> ISimd<'V, 'T>>
        (windows: Windows, a: nativeint, b: nativeint, from: nativeint, into: nativeint)
        : unit =
        // A reference for each row and column: one index moves all of them.
        let sources = &Unsafe.Add(&Simd.start t.A, a)
        let s0 = &Unsafe.Add(&sources, windows.W0)
        let s1 = &Unsafe.Add(&sources, windows.W1)
        let f0 = &Unsafe.Add(&Simd.start t.B, b)
        let f1 = &Unsafe.Add(&f0, t.ColumnStep)
        let f2 = &Unsafe.Add(&f1, t.ColumnStep)
        let f3 = &Unsafe.Add(&f2, t.ColumnStep)
        let f4 = &Unsafe.Add(&f3, t.ColumnStep)
        let f5 = &Unsafe.Add(&f4, t.ColumnStep)
        let start = &Unsafe.Add(&Simd.start t.From, from)
        let result = &Unsafe.Add(&Simd.start t.Into, into)
        let mutable column = 0n
        let mutable c00 = 'L.Load(&start, column + windows.W0)
        let mutable c10 = 'L.Load(&start, column + windows.W1)
        column <- column + t.FromStep
        let mutable c01 = 'L.Load(&start, column + windows.W0)
        let mutable c11 = 'L.Load(&start, column + windows.W1)
        column <- column + t.FromStep
        let mutable c02 = 'L.Load(&start, column + windows.W0)
        let mutable c12 = 'L.Load(&start, column + windows.W1)
        column <- column + t.FromStep
        let mutable c03 = 'L.Load(&start, column + windows.W0)
        let mutable c13 = 'L.Load(&start, column + windows.W1)
        column <- column + t.FromStep
        let mutable c04 = 'L.Load(&start, column + windows.W0)
        let mutable c14 = 'L.Load(&start, column + windows.W1)
        column <- column + t.FromStep
        let mutable c05 = 'L.Load(&start, column + windows.W0)
        let mutable c15 = 'L.Load(&start, column + windows.W1)
        let mutable ai = 0n
        let mutable bi = 0n

        let mutable left = t.Depth

        while left > 0 do
            let a0 = 'L.Load(&s0, ai)
            let a1 = 'L.Load(&s1, ai)
            let b = 'L.Create(Unsafe.Add(&f0, bi))
            c00 <- 'L.MultiplyAdd(a0, b, c00)
            c10 <- 'L.MultiplyAdd(a1, b, c10)
            let b = 'L.Create(Unsafe.Add(&f1, bi))
            c01 <- 'L.MultiplyAdd(a0, b, c01)
            c11 <- 'L.MultiplyAdd(a1, b, c11)
            let b = 'L.Create(Unsafe.Add(&f2, bi))
            c02 <- 'L.MultiplyAdd(a0, b, c02)
            c12 <- 'L.MultiplyAdd(a1, b, c12)
            let b = 'L.Create(Unsafe.Add(&f3, bi))
            c03 <- 'L.MultiplyAdd(a0, b, c03)
            c13 <- 'L.MultiplyAdd(a1, b, c13)
            let b = 'L.Create(Unsafe.Add(&f4, bi))
            c04 <- 'L.MultiplyAdd(a0, b, c04)
            c14 <- 'L.MultiplyAdd(a1, b, c14)
            let b = 'L.Create(Unsafe.Add(&f5, bi))
            c05 <- 'L.MultiplyAdd(a0, b, c05)
            c15 <- 'L.MultiplyAdd(a1, b, c15)
            ai <- ai + t.AStep
            bi <- bi + t.BStep
            left <- left - 1

        column <- 0n
        'L.Store('L.WithoutMinusZero c00, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c10, &result, column + windows.W1)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c01, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c11, &result, column + windows.W1)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c02, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c12, &result, column + windows.W1)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c03, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c13, &result, column + windows.W1)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c04, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c14, &result, column + windows.W1)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c05, &result, column + windows.W0)
        'L.Store('L.WithoutMinusZero c15, &result, column + windows.W1)

    /// Four registers of rows in one column: for products of fewer than six.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Column<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> IPart<'V, 'W>>
        (windows: Windows, a: nativeint, b: nativeint, from: nativeint, into: nativeint)
        : unit =
        // A reference for each row and column: one index moves all of them.
        let sources = &Unsafe.Add(&Simd.start t.A, a)
        let s0 = &Unsafe.Add(&sources, windows.W0)
        let s1 = &Unsafe.Add(&sources, windows.W1)
        let s2 = &Unsafe.Add(&sources, windows.W2)
        let s3 = &Unsafe.Add(&sources, windows.W3)
        let f0 = &Unsafe.Add(&Simd.start t.B, b)
        let start = &Unsafe.Add(&Simd.start t.From, from)
        let mutable c0 = 'L.Load(&start, windows.W0)
        let mutable c1 = 'L.Load(&start, windows.W1)
        let mutable c2 = 'L.Load(&start, windows.W2)
        let mutable c3 = 'N.Load(&start, windows.W3)
        let mutable ai = 0n
        let mutable bi = 0n

        let mutable left = t.Depth

        while left > 0 do
            let b = 'L.Create(Unsafe.Add(&f0, bi))
            c0 <- 'L.MultiplyAdd('L.Load(&s0, ai), b, c0)
            c1 <- 'L.MultiplyAdd('L.Load(&s1, ai), b, c1)
            c2 <- 'L.MultiplyAdd('L.Load(&s2, ai), b, c2)
            c3 <- 'N.MultiplyAdd('N.Load(&s3, ai), 'N.First b, c3)
            ai <- ai + t.AStep
            bi <- bi + t.BStep
            left <- left - 1

        let result = &Unsafe.Add(&Simd.start t.Into, into)
        'L.Store('L.WithoutMinusZero c0, &result, windows.W0)
        'L.Store('L.WithoutMinusZero c1, &result, windows.W1)
        'L.Store('L.WithoutMinusZero c2, &result, windows.W2)
        'N.Store('N.WithoutMinusZero c3, &result, windows.W3)

/// C(i, j) = initial(i) + Σₖ A(i, k)·B(k, j): one chain of fused multiply-adds an element, k ascending.
/// A(i, k) stands at i·ARowStep + k·AStep and B(k, j) at k·BStep + j·ColumnStep, so either is read in
/// place as it is or transposed. C is stored by columns.
[<Struct>]
type internal ProductLoop<'T> = {
    A: 'T[]
    ARowStep: int
    AStep: int
    B: 'T[]
    BStep: int
    ColumnStep: int
    Initial: 'T[]
    C: 'T[]
    Depth: int
} with

    /// So many products of a row panel fit the second cache.
    static member Block = 512

    member private p.Rows = p.Initial.Length
    member private p.Columns = p.C.Length / p.Initial.Length

    /// Six columns of B side by side, from the first product to the last.
    member p.PackColumns(packed: 'T[], group: int) : unit =
        let first =
            min (group * ProductTile<'T>.Columns) (p.Columns - ProductTile<'T>.Columns)

        let source = &Unsafe.Add(&Simd.start p.B, first * p.ColumnStep)

        let result =
            &Unsafe.Add(&Simd.start packed, group * ProductTile<'T>.Columns * p.Depth)

        let width = ProductTile<'T>.Columns
        // Along what is contiguous.
        let struct (runs, length, fromRun, fromNext, intoRun, intoNext) =
            if p.ColumnStep = 1 then
                struct (p.Depth, width, p.BStep, 1, width, 1)
            else
                struct (width, p.Depth, p.ColumnStep, p.BStep, 1, width)

        for run in 0 .. runs - 1 do
            let mutable at = nativeint (run * fromRun)
            let mutable into = nativeint (run * intoRun)

            for _ in 1..length do
                let place = &Unsafe.Add(&result, into)
                place <- Unsafe.Add(&source, at)
                at <- at + nativeint fromNext
                into <- into + nativeint intoNext

    /// A panel of rows, column after column.
    member private p.PackRows
        (packed: 'T[], at: int, row: int, height: int, k: int, depth: int)
        : unit =
        if p.ARowStep = 1 then
            for d in 0 .. depth - 1 do
                Array.Copy(p.A, row + (k + d) * p.AStep, packed, at + d * height, height)
        else
            let source = &Unsafe.Add(&Simd.start p.A, row * p.ARowStep + k * p.AStep)
            let result = &Unsafe.Add(&Simd.start packed, at)

            // Some cache lines of every row at a time, and the next rows' asked for: what is written
            // meanwhile stays in the first cache.
            let run = 64
            let step = nativeint p.AStep

            for from in 0..run .. depth - 1 do
                let finish = min depth (from + run)

                for i in 0 .. height - 1 do
                    if i + 4 < height then
                        let next = (row + i + 4) * p.ARowStep + (k + from) * p.AStep
                        Simd.prefetch (&Simd.start p.A, next, finish - from)

                    let mutable at = nativeint (i * p.ARowStep + from * p.AStep)
                    let mutable into = nativeint (from * height + i)

                    for _ in from .. finish - 1 do
                        let place = &Unsafe.Add(&result, into)
                        place <- Unsafe.Add(&source, at)
                        at <- at + step
                        into <- into + nativeint height

    /// A panel of rows by the columns first … finish − 1. Sums rest in memory of their own between
    /// blocks of products: the rows of two panels may overlap.
    member p.Share<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> IPart<'V, 'W>>
        (panel: Windows, first: int, finish: int, packsColumns: bool, packedB: 'T[])
        : unit =
        let row = panel.W0

        let windows = {
            W0 = 0n
            W1 = panel.W1 - row
            W2 = panel.W2 - row
            W3 = panel.W3 - row
        }

        let tall = Unsafe.SizeOf<'V>() = 64
        let height = int windows.W3 + 'N.Count
        let rows, columns = p.Rows, p.Columns
        let packsRows = packsColumns || p.ARowStep <> 1
        let whole = columns >= ProductTile<'T>.Columns
        let width = if whole then ProductTile<'T>.Columns else 1
        let block = if packsRows then ProductLoop<'T>.Block else p.Depth
        let blocks = max 1 ((p.Depth + block - 1) / block)

        let packedA =
            if packsRows then
                ArrayPool<'T>.Shared.Rent(height * min block p.Depth + Simd.LineSpare)
            else
                p.A

        let aligned = if packsRows then Simd.lineStart packedA else 0

        let resting =
            if blocks > 1 then
                ArrayPool<'T>.Shared.Rent(height * (finish - first + width))
            else
                p.C

        for n in 0 .. blocks - 1 do
            let k = n * block
            let depth = min block (p.Depth - k)

            if packsRows then
                p.PackRows(packedA, aligned, int row, height, k, depth)

            let isFirst, isLast = (n = 0), (n = blocks - 1)

            let tile = {
                A = packedA
                AStep = nativeint (if packsRows then height else p.AStep)
                B = packedB
                BStep = nativeint (if packsColumns then width else p.BStep)
                ColumnStep = nativeint (if packsColumns then 1 else p.ColumnStep)
                From = if isFirst then p.Initial else resting
                FromStep = nativeint (if isFirst then 0 else height)
                Into = if isLast then p.C else resting
                IntoStep = nativeint (if isLast then rows else height)
                Depth = depth
            }

            let mutable j = first

            while j < finish do
                let column = min j (columns - width)
                let a = if packsRows then nativeint aligned else row

                let b =
                    if packsColumns then
                        nativeint (j * p.Depth + k * width)
                    else
                        nativeint (column * p.ColumnStep + k * p.BStep)

                let rest = nativeint ((j - first) * height)
                let from = if isFirst then row else rest

                let into =
                    if isLast then
                        nativeint column * nativeint rows + row
                    else
                        rest

                if not whole then
                    tile.Column<'V, 'L, 'W, 'N>(windows, a, b, from, into)
                elif tall then
                    tile.Tall<'V, 'L, 'W, 'N>(windows, a, b, from, into)
                else
                    tile.Low<'V, 'L>(windows, a, b, from, into)

                j <- j + width

        if packsRows then
            ArrayPool<'T>.Shared.Return packedA

        if blocks > 1 then
            ArrayPool<'T>.Shared.Return resting

    interface IBandLoop<'T> with
        member p.Run<'V, 'L, 'W, 'N
            when 'L :> ISimd<'V, 'T>
            and 'V: struct
            and 'L :> IPart<'V, 'V>
            and 'N :> ISimd<'W, 'T>
            and 'W: struct
            and 'N :> IPart<'V, 'W>>
            ()
            =
            let p = p
            let rows, columns = p.Rows, p.Columns
            // 512-bit registers come by 32, narrower ones by 16.
            let registers = if Unsafe.SizeOf<'V>() = 64 then 4 else 2
            let height = registers * 'L.Count
            let panels = (rows + height - 1) / height
            // Rows of no more than some megabytes are as quickly read where they stand, unless there are
            // many columns to read them for.
            let bytes = int64 rows * int64 p.Depth * int64 (Unsafe.SizeOf<'T>())

            let packs =
                panels > 1
                && columns >= 4 * ProductTile<'T>.Columns
                && (bytes > (1L <<< 22) || bytes * int64 columns > (1L <<< 31))

            let groups = (columns + ProductTile<'T>.Columns - 1) / ProductTile<'T>.Columns
            let work = int64 rows * int64 columns * int64 p.Depth

            let packed =
                if packs then
                    ArrayPool<'T>.Shared.Rent(groups * ProductTile<'T>.Columns * p.Depth)
                else
                    p.B

            if packs then
                ThreadTeam.run work groups (fun group -> p.PackColumns(packed, group))

            // Each band of columns packs the panel's rows anew: no more of them than threads need.
            let workers = ThreadTeam.workers work
            let shares = if workers = 1 then 1 else 4 * workers
            let bands = max 1 (min (columns / 48) ((shares + panels - 1) / panels))
            let band = (columns + bands - 1) / bands

            let band =
                (band + ProductTile<'T>.Columns - 1) / ProductTile<'T>.Columns
                * ProductTile<'T>.Columns

            let shares = (columns + band - 1) / band

            ThreadTeam.run work (panels * shares) (fun i ->
                let first = i % shares * band
                let finish = min columns (first + band)
                let row = i / shares * height

                if registers = 4 && row + height >= rows then
                    let windows = Windows.Of(row, 'L.Count, 'N.Count, rows)
                    p.Share<'V, 'L, 'W, 'N>(windows, first, finish, packs, packed)
                else
                    let windows = Windows.Of(row, 'L.Count, 'L.Count, rows)

                    let windows =
                        if registers = 4 then
                            windows
                        else
                            {
                                windows with
                                    W2 = windows.W1
                                    W3 = windows.W1
                            }

                    p.Share<'V, 'L, 'V, 'L>(windows, first, finish, packs, packed))

            if packs then
                ArrayPool<'T>.Shared.Return packed
