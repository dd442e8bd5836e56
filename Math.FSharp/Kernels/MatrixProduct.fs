namespace Pipeline.Learning

open System
open System.Buffers
open System.Runtime.CompilerServices

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

    /// The depth at which a row panel fits the second-level cache.
    static member Block = 512

    member private p.Rows = p.Initial.Length
    member private p.Columns = p.C.Length / p.Initial.Length

    /// How many registers of rows a tile has for the rows that are left, and how many columns. 512-bit registers
    /// come by 32, narrower ones by 16.
    member private p.Tile<'V, 'L when 'L :> ISimd<'V, 'T>>
        (rows: int, packsColumns: bool)
        : struct (int * int) =
        let hasMany = Unsafe.SizeOf<'V>() = 64
        let columns = if packsColumns then ProductTile<'T>.Columns else p.Columns

        if rows <= 'L.Count && hasMany && columns >= ProductTile<'T>.WideColumns then
            struct (1, ProductTile<'T>.WideColumns)
        elif rows <= 'L.Count && columns >= ProductTile<'T>.FlatColumns then
            struct (1, ProductTile<'T>.FlatColumns)
        elif columns < ProductTile<'T>.Columns then
            struct ((if hasMany then 4 else 2), 1)
        elif rows <= 2 * 'L.Count || not hasMany then
            struct (2, ProductTile<'T>.Columns)
        elif rows <= 3 * 'L.Count && columns >= ProductTile<'T>.MiddleColumns then
            struct (3, ProductTile<'T>.MiddleColumns)
        else
            struct (4, ProductTile<'T>.Columns)

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

            // Some cache lines of every row at a time, with the next rows prefetched: what is written
            // stays in the first-level cache.
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

    /// The panel from a row on, by the columns first … finish − 1. The fourth register of its rows is of type 'W. Sums are
    /// kept in separate memory between blocks of products, because the rows of two panels may overlap.
    member p.Share<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> INarrow<'V, 'W>>
        (start: int, first: int, finish: int, packsColumns: bool, packedB: 'T[])
        : unit =
        let rows, columns = p.Rows, p.Columns
        let struct (registers, width) = p.Tile<'V, 'L>(rows - start, packsColumns)
        let panel = RowBand.Of(start, 'L.Count, 'N.Count, rows)
        let row = panel.R0

        let last =
            match registers with
            | 4 -> panel.R3
            | 3 -> panel.R2
            | _ -> panel.R1

        let rowBand = {
            R0 = 0n
            R1 = panel.R1 - row
            R2 = min panel.R2 last - row
            R3 = min panel.R3 last - row
        }

        let height = int rowBand.R3 + (if registers = 4 then 'N.Count else 'L.Count)
        let packsRows = packsColumns || p.ARowStep <> 1
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

                if width = 1 then
                    tile.Column<'V, 'L, 'W, 'N>(rowBand, a, b, from, into)
                elif registers = 4 then
                    tile.Tall<'V, 'L, 'W, 'N>(rowBand, a, b, from, into)
                elif registers = 3 then
                    tile.Middle<'V, 'L>(rowBand, a, b, from, into)
                elif registers = 2 then
                    tile.Low<'V, 'L>(rowBand, a, b, from, into)
                elif width = ProductTile<'T>.WideColumns then
                    tile.Wide<'V, 'L>(rowBand, a, b, from, into)
                else
                    tile.Flat<'V, 'L>(rowBand, a, b, from, into)

                j <- j + width

        if packsRows then
            ArrayPool<'T>.Shared.Return packedA

        if blocks > 1 then
            ArrayPool<'T>.Shared.Return resting

    interface IBandLoop<'T> with
        member p.Run<'V, 'L, 'W, 'N
            when 'L :> ISimd<'V, 'T>
            and 'V: struct
            and 'L :> INarrow<'V, 'V>
            and 'N :> ISimd<'W, 'T>
            and 'W: struct
            and 'N :> INarrow<'V, 'W>>
            ()
            =
            let p = p
            let rows, columns = p.Rows, p.Columns
            let struct (registers, width) = p.Tile<'V, 'L>(rows, false)
            let height = registers * 'L.Count
            let panels = (rows + height - 1) / height
            // Packing pays for more than some megabytes of rows, or for many columns.
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

            // Each band of columns packs the panel's rows again: no more bands than threads need.
            let workers = ThreadTeam.workers work
            let shares = if workers = 1 then 1 else 4 * workers
            let bands = max 1 (min (columns / 48) ((shares + panels - 1) / panels))
            let band = (columns + bands - 1) / bands

            let band = (band + width - 1) / width * width

            let shares = (columns + band - 1) / band

            ThreadTeam.run work (panels * shares) (fun i ->
                let first = i % shares * band
                let finish = min columns (first + band)
                let row = i / shares * height

                if row + height >= rows then
                    p.Share<'V, 'L, 'W, 'N>(row, first, finish, packs, packed)
                else
                    p.Share<'V, 'L, 'V, 'L>(row, first, finish, packs, packed))

            if packs then
                ArrayPool<'T>.Shared.Return packed
