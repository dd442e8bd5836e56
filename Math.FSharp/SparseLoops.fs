namespace Pipeline.Learning

open System.Runtime.CompilerServices

/// A matrix of few non-zeros by compressed rows: row i's entries stand at Starts[i] … Starts[i + 1] − 1,
/// their columns ascending. Leaving out a zero changes no bit of a sum: x + 0·y is x.
[<Struct>]
type internal CompressedRows<'T> = {
    Starts: int[]
    Columns: int[]
    Values: 'T[]
} with

    member rows.Count = rows.Starts.Length - 1

/// Sums of W·X for a sparse X of one column a sample, on top of biases: every entry of X takes a
/// column of W, which stays in registers for a whole row of X. Sums lie in windows of one register
/// each; the last window is moved back to end where the column ends, and its overlap is computed twice.
[<Struct>]
type internal SparseAffineLoop<'T> = {
    W: 'T[]
    Biases: 'T[]
    X: CompressedRows<'T>
    Batch: int
    Z: 'T[]
} with

    /// Four windows at once, or one.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.AddFour<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>
        (sums: 'T[], windows: int, first: int)
        : unit =
        let rows = loop.Biases.Length
        let last = rows - 'L.Count
        let at0 = nativeint (min (first * 'L.Count) last)
        let at1 = nativeint (min ((first + 1) * 'L.Count) last)
        let at2 = nativeint (min ((first + 2) * 'L.Count) last)
        let at3 = nativeint (min ((first + 3) * 'L.Count) last)
        let w = &Lanes.start loop.W
        let z = &Unsafe.Add(&Lanes.start sums, first * 'L.Count)
        let columns = &Lanes.start loop.X.Columns
        let values = &Lanes.start loop.X.Values
        let size = nativeint 'L.Count
        let stride = nativeint windows * size

        for i in 0 .. loop.X.Count - 1 do
            let finish = loop.X.Starts[i + 1]
            let mutable entry = loop.X.Starts[i]

            if entry < finish then
                let column = nativeint i * nativeint rows
                let w0 = 'L.Load(&w, column + at0)
                let w1 = 'L.Load(&w, column + at1)
                let w2 = 'L.Load(&w, column + at2)
                let w3 = 'L.Load(&w, column + at3)

                while entry < finish do
                    let at = nativeint (Unsafe.Add(&columns, entry)) * stride
                    let x = 'L.Create(Unsafe.Add(&values, entry))
                    'L.Store('L.MultiplyAdd(w0, x, 'L.Load(&z, at)), &z, at)
                    let at = at + size
                    'L.Store('L.MultiplyAdd(w1, x, 'L.Load(&z, at)), &z, at)
                    let at = at + size
                    'L.Store('L.MultiplyAdd(w2, x, 'L.Load(&z, at)), &z, at)
                    let at = at + size
                    'L.Store('L.MultiplyAdd(w3, x, 'L.Load(&z, at)), &z, at)
                    entry <- entry + 1

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.AddOne<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>
        (sums: 'T[], windows: int, first: int)
        : unit =
        let rows = loop.Biases.Length
        let at0 = nativeint (min (first * 'L.Count) (rows - 'L.Count))
        let w = &Lanes.start loop.W
        let z = &Unsafe.Add(&Lanes.start sums, first * 'L.Count)
        let columns = &Lanes.start loop.X.Columns
        let values = &Lanes.start loop.X.Values
        let stride = nativeint (windows * 'L.Count)

        for i in 0 .. loop.X.Count - 1 do
            let finish = loop.X.Starts[i + 1]
            let mutable entry = loop.X.Starts[i]

            if entry < finish then
                let w0 = 'L.Load(&w, nativeint i * nativeint rows + at0)

                while entry < finish do
                    let at = nativeint (Unsafe.Add(&columns, entry)) * stride
                    let x = 'L.Create(Unsafe.Add(&values, entry))
                    'L.Store('L.MultiplyAdd(w0, x, 'L.Load(&z, at)), &z, at)
                    entry <- entry + 1

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>() =
            let rows = loop.Biases.Length
            let windows = (rows + 'L.Count - 1) / 'L.Count
            let sums: 'T[] = Array.zeroCreate (windows * 'L.Count * loop.Batch)

            let place k =
                nativeint (min (k * 'L.Count) (rows - 'L.Count))

            let biases = &Lanes.start loop.Biases
            let z = &Lanes.start sums

            for s in 0 .. loop.Batch - 1 do
                for k in 0 .. windows - 1 do
                    'L
                        .Store(
                            'L.Load(&biases, place k),
                            &z,
                            nativeint ((s * windows + k) * 'L.Count)
                        )

            let mutable k = 0

            while k + 4 <= windows do
                loop.AddFour<'V, 'L>(sums, windows, k)
                k <- k + 4

            while k < windows do
                loop.AddOne<'V, 'L>(sums, windows, k)
                k <- k + 1

            let result = &Lanes.start loop.Z

            for s in 0 .. loop.Batch - 1 do
                for k in 0 .. windows - 1 do
                    let sum = 'L.Load(&z, nativeint ((s * windows + k) * 'L.Count))
                    'L.Store(sum, &result, nativeint (s * rows) + place k)

/// δ·Xᵀ for a sparse X: a column of the result for each row of X, its sum in registers.
[<Struct>]
type internal SparseWeightGradientLoop<'T> = {
    Upstream: 'T[]
    Rows: int
    Inputs: CompressedRows<'T>
    Gradient: 'T[]
} with

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.SumFour<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>
        (first: int)
        : unit =
        let last = loop.Rows - 'L.Count
        let at0 = nativeint (min first last)
        let at1 = nativeint (min (first + 'L.Count) last)
        let at2 = nativeint (min (first + 2 * 'L.Count) last)
        let at3 = nativeint (min (first + 3 * 'L.Count) last)
        let upstream = &Lanes.start loop.Upstream
        let gradient = &Lanes.start loop.Gradient
        let columns = &Lanes.start loop.Inputs.Columns
        let values = &Lanes.start loop.Inputs.Values
        let rows = nativeint loop.Rows

        for i in 0 .. loop.Inputs.Count - 1 do
            let finish = loop.Inputs.Starts[i + 1]
            let mutable entry = loop.Inputs.Starts[i]

            if entry < finish then
                let mutable g0 = 'L.Create Unchecked.defaultof<'T>
                let mutable g1 = g0
                let mutable g2 = g0
                let mutable g3 = g0

                while entry < finish do
                    let sample = nativeint (Unsafe.Add(&columns, entry)) * rows
                    let x = 'L.Create(Unsafe.Add(&values, entry))
                    g0 <- 'L.MultiplyAdd('L.Load(&upstream, sample + at0), x, g0)
                    g1 <- 'L.MultiplyAdd('L.Load(&upstream, sample + at1), x, g1)
                    g2 <- 'L.MultiplyAdd('L.Load(&upstream, sample + at2), x, g2)
                    g3 <- 'L.MultiplyAdd('L.Load(&upstream, sample + at3), x, g3)
                    entry <- entry + 1

                let column = nativeint i * rows
                'L.Store(g0, &gradient, column + at0)
                'L.Store(g1, &gradient, column + at1)
                'L.Store(g2, &gradient, column + at2)
                'L.Store(g3, &gradient, column + at3)

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>() =
            // Sums are written, never added to, so a window may overlap any other.
            for first in 0 .. 4 * 'L.Count .. loop.Rows - 1 do
                loop.SumFour<'V, 'L> first
