namespace Pipeline.Learning

open System.Buffers
open System.Numerics
open System.Runtime.CompilerServices

/// Softmax of every column, a register of columns at a time. Each lane does what a loop over its column
/// would, from the first row to the last. The last register is moved back to end where the columns end.
[<Struct>]
type internal SoftmaxLoop<'T when 'T :> INumber<'T>> = {
    /// z: (rows, columns).
    Logits: 'T[]
    Rows: int
    /// For e^(zₖ − max z) / Σⱼ e^(zⱼ − max z): (rows, columns).
    Shares: 'T[]
    /// For the greatest element of every column. What is not a number is not greater than any.
    Greatest: 'T[]
    /// For Σⱼ e^(zⱼ − max z) of every column.
    Sums: 'T[]
} with

    /// The columns from `first` on, by rows in `memory`, and back.
    member private loop.Columns<'V, 'L when 'L :> ISimd<'V, 'T>>
        (first: int, memory: byref<'T>)
        : unit =
        let rows, size = loop.Rows, 'L.Count
        let z = &Unsafe.Add(&Simd.start loop.Logits, first * rows)

        for lane in 0 .. size - 1 do
            for k in 0 .. rows - 1 do
                let place = &Unsafe.Add(&memory, k * size + lane)
                place <- Unsafe.Add(&z, lane * rows + k)

        let mutable greatest = 'L.Load(&memory, 0n)

        for k in 1 .. rows - 1 do
            let z = 'L.Load(&memory, nativeint (k * size))
            greatest <- 'L.WhereGreater(z, greatest, z, greatest)

        let mutable sum = 'L.Create Unchecked.defaultof<'T>

        for k in 0 .. rows - 1 do
            let at = nativeint (k * size)
            let below = 'L.Subtract('L.Load(&memory, at), greatest)
            let exponential = Elementary.Exp<'V, 'T, 'L> below
            'L.Store(exponential, &memory, at)
            sum <- 'L.Add(sum, exponential)

        for k in 0 .. rows - 1 do
            let at = nativeint (k * size)
            'L.Store('L.Divide('L.Load(&memory, at), sum), &memory, at)

        'L.Store(greatest, &Simd.start loop.Greatest, nativeint first)
        'L.Store(sum, &Simd.start loop.Sums, nativeint first)
        let shares = &Unsafe.Add(&Simd.start loop.Shares, first * rows)

        for lane in 0 .. size - 1 do
            for k in 0 .. rows - 1 do
                let place = &Unsafe.Add(&shares, lane * rows + k)
                place <- Unsafe.Add(&memory, k * size + lane)

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let loop = loop
            let columns = loop.Sums.Length
            let blocks = (columns + 'L.Count - 1) / 'L.Count
            // An exponential and a quotient are some dozens of multiplications.
            let work = 64L * int64 loop.Logits.Length
            let shares = min blocks (ThreadTeam.workers work)

            ThreadTeam.run work shares (fun share ->
                let memory = ArrayPool<'T>.Shared.Rent(loop.Rows * 'L.Count)

                for block in share * blocks / shares .. (share + 1) * blocks / shares - 1 do
                    let first = min (block * 'L.Count) (columns - 'L.Count)
                    loop.Columns<'V, 'L>(first, &Simd.start memory)

                ArrayPool<'T>.Shared.Return memory)
