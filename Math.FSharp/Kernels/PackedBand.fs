namespace Pipeline.Learning

open System.Runtime.CompilerServices

/// A band of rows of some columns, packed by register: three planes with one register a column and a fourth
/// with a narrow one. Each column's registers are aligned and stand at the same place every time.
[<Struct>]
type internal PackedBand = {
    /// From one plane to the next.
    Step: nativeint
    RowBand: RowBand
} with

    /// The number of elements to rent, with what alignment takes.
    member packed.Room(narrow: int, columns: int) : int =
        3 * int packed.Step + narrow * columns + Simd.LineSpare

    /// Packs the columns of a matrix.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member packed.Pack<'T, 'V, 'L, 'W, 'N when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T>>
        (matrix: byref<'T>, rows: int, columns: int, into: byref<'T>)
        : unit =
        let step, rowBand = packed.Step, packed.RowBand
        let narrow = &Unsafe.Add(&into, 3n * step)

        for column in 0 .. columns - 1 do
            let from = &Unsafe.Add(&matrix, nativeint column * nativeint rows)
            let at = nativeint (column * 'L.Count)
            'L.Store('L.Load(&from, rowBand.R0), &into, at)
            'L.Store('L.Load(&from, rowBand.R1), &into, at + step)
            'L.Store('L.Load(&from, rowBand.R2), &into, at + 2n * step)
            'N.Store('N.Load(&from, rowBand.R3), &narrow, nativeint (column * 'N.Count))

    /// Unpacks sums into the columns of a matrix.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member packed.Unpack<'T, 'V, 'L, 'W, 'N when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T>>
        (from: byref<'T>, matrix: byref<'T>, rows: int, columns: int)
        : unit =
        let step, rowBand = packed.Step, packed.RowBand
        let narrow = &Unsafe.Add(&from, 3n * step)

        for column in 0 .. columns - 1 do
            let into = &Unsafe.Add(&matrix, nativeint column * nativeint rows)
            let at = nativeint (column * 'L.Count)
            'L.Store('L.WithoutMinusZero('L.Load(&from, at)), &into, rowBand.R0)
            'L.Store('L.WithoutMinusZero('L.Load(&from, at + step)), &into, rowBand.R1)
            'L.Store('L.WithoutMinusZero('L.Load(&from, at + 2n * step)), &into, rowBand.R2)

            'N
                .Store(
                    'N.WithoutMinusZero('N.Load(&narrow, nativeint (column * 'N.Count))),
                    &into,
                    rowBand.R3
                )
