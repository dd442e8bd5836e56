namespace Pipeline.Learning

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

    /// Columns of a tile with two or four registers of rows.
    static member Columns = 6

    /// Columns of a tile with three registers of rows.
    static member MiddleColumns = 8

    /// Columns of a tile with one register of rows.
    static member FlatColumns = 8

    /// The same where there are 32 registers.
    static member WideColumns = 16

    /// Four registers of rows by six columns: as many sums as 32 registers hold.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Tall<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> INarrow<'V, 'W>>
        (rowBand: RowBand, a: nativeint, b: nativeint, from: nativeint, into: nativeint)
        : unit =
        // A reference for each row and column: one index moves all of them.
        let sources = &Unsafe.Add(&Simd.start t.A, a)
        let s0 = &Unsafe.Add(&sources, rowBand.R0)
        let s1 = &Unsafe.Add(&sources, rowBand.R1)
        let s2 = &Unsafe.Add(&sources, rowBand.R2)
        let s3 = &Unsafe.Add(&sources, rowBand.R3)
        let f0 = &Unsafe.Add(&Simd.start t.B, b)
        let f1 = &Unsafe.Add(&f0, t.ColumnStep)
        let f2 = &Unsafe.Add(&f1, t.ColumnStep)
        let f3 = &Unsafe.Add(&f2, t.ColumnStep)
        let f4 = &Unsafe.Add(&f3, t.ColumnStep)
        let f5 = &Unsafe.Add(&f4, t.ColumnStep)
        let start = &Unsafe.Add(&Simd.start t.From, from)
        let result = &Unsafe.Add(&Simd.start t.Into, into)
        let mutable column = 0n
        let mutable c00 = 'L.Load(&start, column + rowBand.R0)
        let mutable c10 = 'L.Load(&start, column + rowBand.R1)
        let mutable c20 = 'L.Load(&start, column + rowBand.R2)
        let mutable c30 = 'N.Load(&start, column + rowBand.R3)
        column <- column + t.FromStep
        let mutable c01 = 'L.Load(&start, column + rowBand.R0)
        let mutable c11 = 'L.Load(&start, column + rowBand.R1)
        let mutable c21 = 'L.Load(&start, column + rowBand.R2)
        let mutable c31 = 'N.Load(&start, column + rowBand.R3)
        column <- column + t.FromStep
        let mutable c02 = 'L.Load(&start, column + rowBand.R0)
        let mutable c12 = 'L.Load(&start, column + rowBand.R1)
        let mutable c22 = 'L.Load(&start, column + rowBand.R2)
        let mutable c32 = 'N.Load(&start, column + rowBand.R3)
        column <- column + t.FromStep
        let mutable c03 = 'L.Load(&start, column + rowBand.R0)
        let mutable c13 = 'L.Load(&start, column + rowBand.R1)
        let mutable c23 = 'L.Load(&start, column + rowBand.R2)
        let mutable c33 = 'N.Load(&start, column + rowBand.R3)
        column <- column + t.FromStep
        let mutable c04 = 'L.Load(&start, column + rowBand.R0)
        let mutable c14 = 'L.Load(&start, column + rowBand.R1)
        let mutable c24 = 'L.Load(&start, column + rowBand.R2)
        let mutable c34 = 'N.Load(&start, column + rowBand.R3)
        column <- column + t.FromStep
        let mutable c05 = 'L.Load(&start, column + rowBand.R0)
        let mutable c15 = 'L.Load(&start, column + rowBand.R1)
        let mutable c25 = 'L.Load(&start, column + rowBand.R2)
        let mutable c35 = 'N.Load(&start, column + rowBand.R3)
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
            c30 <- 'N.MultiplyAdd(a3, 'N.Narrow b, c30)
            let b = 'L.Create(Unsafe.Add(&f1, bi))
            c01 <- 'L.MultiplyAdd(a0, b, c01)
            c11 <- 'L.MultiplyAdd(a1, b, c11)
            c21 <- 'L.MultiplyAdd(a2, b, c21)
            c31 <- 'N.MultiplyAdd(a3, 'N.Narrow b, c31)
            let b = 'L.Create(Unsafe.Add(&f2, bi))
            c02 <- 'L.MultiplyAdd(a0, b, c02)
            c12 <- 'L.MultiplyAdd(a1, b, c12)
            c22 <- 'L.MultiplyAdd(a2, b, c22)
            c32 <- 'N.MultiplyAdd(a3, 'N.Narrow b, c32)
            let b = 'L.Create(Unsafe.Add(&f3, bi))
            c03 <- 'L.MultiplyAdd(a0, b, c03)
            c13 <- 'L.MultiplyAdd(a1, b, c13)
            c23 <- 'L.MultiplyAdd(a2, b, c23)
            c33 <- 'N.MultiplyAdd(a3, 'N.Narrow b, c33)
            let b = 'L.Create(Unsafe.Add(&f4, bi))
            c04 <- 'L.MultiplyAdd(a0, b, c04)
            c14 <- 'L.MultiplyAdd(a1, b, c14)
            c24 <- 'L.MultiplyAdd(a2, b, c24)
            c34 <- 'N.MultiplyAdd(a3, 'N.Narrow b, c34)
            let b = 'L.Create(Unsafe.Add(&f5, bi))
            c05 <- 'L.MultiplyAdd(a0, b, c05)
            c15 <- 'L.MultiplyAdd(a1, b, c15)
            c25 <- 'L.MultiplyAdd(a2, b, c25)
            c35 <- 'N.MultiplyAdd(a3, 'N.Narrow b, c35)
            ai <- ai + t.AStep
            bi <- bi + t.BStep
            left <- left - 1

        column <- 0n
        'L.Store('L.WithoutMinusZero c00, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c10, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c20, &result, column + rowBand.R2)
        'N.Store('N.WithoutMinusZero c30, &result, column + rowBand.R3)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c01, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c11, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c21, &result, column + rowBand.R2)
        'N.Store('N.WithoutMinusZero c31, &result, column + rowBand.R3)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c02, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c12, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c22, &result, column + rowBand.R2)
        'N.Store('N.WithoutMinusZero c32, &result, column + rowBand.R3)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c03, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c13, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c23, &result, column + rowBand.R2)
        'N.Store('N.WithoutMinusZero c33, &result, column + rowBand.R3)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c04, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c14, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c24, &result, column + rowBand.R2)
        'N.Store('N.WithoutMinusZero c34, &result, column + rowBand.R3)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c05, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c15, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c25, &result, column + rowBand.R2)
        'N.Store('N.WithoutMinusZero c35, &result, column + rowBand.R3)

    /// Three registers of rows by eight columns: as many sums as 32 registers hold.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Middle<'V, 'L when 'L :> ISimd<'V, 'T>>
        (rowBand: RowBand, a: nativeint, b: nativeint, from: nativeint, into: nativeint)
        : unit =
        // A reference for each row and for half of the columns, which two indices move.
        let sources = &Unsafe.Add(&Simd.start t.A, a)
        let s0 = &Unsafe.Add(&sources, rowBand.R0)
        let s1 = &Unsafe.Add(&sources, rowBand.R1)
        let s2 = &Unsafe.Add(&sources, rowBand.R2)
        let f0 = &Unsafe.Add(&Simd.start t.B, b)
        let f1 = &Unsafe.Add(&f0, t.ColumnStep)
        let f2 = &Unsafe.Add(&f1, t.ColumnStep)
        let f3 = &Unsafe.Add(&f2, t.ColumnStep)
        let start = &Unsafe.Add(&Simd.start t.From, from)
        let result = &Unsafe.Add(&Simd.start t.Into, into)
        let mutable column = 0n
        let mutable c00 = 'L.Load(&start, column + rowBand.R0)
        let mutable c10 = 'L.Load(&start, column + rowBand.R1)
        let mutable c20 = 'L.Load(&start, column + rowBand.R2)
        column <- column + t.FromStep
        let mutable c01 = 'L.Load(&start, column + rowBand.R0)
        let mutable c11 = 'L.Load(&start, column + rowBand.R1)
        let mutable c21 = 'L.Load(&start, column + rowBand.R2)
        column <- column + t.FromStep
        let mutable c02 = 'L.Load(&start, column + rowBand.R0)
        let mutable c12 = 'L.Load(&start, column + rowBand.R1)
        let mutable c22 = 'L.Load(&start, column + rowBand.R2)
        column <- column + t.FromStep
        let mutable c03 = 'L.Load(&start, column + rowBand.R0)
        let mutable c13 = 'L.Load(&start, column + rowBand.R1)
        let mutable c23 = 'L.Load(&start, column + rowBand.R2)
        column <- column + t.FromStep
        let mutable c04 = 'L.Load(&start, column + rowBand.R0)
        let mutable c14 = 'L.Load(&start, column + rowBand.R1)
        let mutable c24 = 'L.Load(&start, column + rowBand.R2)
        column <- column + t.FromStep
        let mutable c05 = 'L.Load(&start, column + rowBand.R0)
        let mutable c15 = 'L.Load(&start, column + rowBand.R1)
        let mutable c25 = 'L.Load(&start, column + rowBand.R2)
        column <- column + t.FromStep
        let mutable c06 = 'L.Load(&start, column + rowBand.R0)
        let mutable c16 = 'L.Load(&start, column + rowBand.R1)
        let mutable c26 = 'L.Load(&start, column + rowBand.R2)
        column <- column + t.FromStep
        let mutable c07 = 'L.Load(&start, column + rowBand.R0)
        let mutable c17 = 'L.Load(&start, column + rowBand.R1)
        let mutable c27 = 'L.Load(&start, column + rowBand.R2)
        let mutable ai = 0n
        let mutable bi = 0n
        let mutable bj = 4n * t.ColumnStep
        let mutable left = t.Depth

        while left > 0 do
            let a0 = 'L.Load(&s0, ai)
            let a1 = 'L.Load(&s1, ai)
            let a2 = 'L.Load(&s2, ai)
            let b = 'L.Create(Unsafe.Add(&f0, bi))
            c00 <- 'L.MultiplyAdd(a0, b, c00)
            c10 <- 'L.MultiplyAdd(a1, b, c10)
            c20 <- 'L.MultiplyAdd(a2, b, c20)
            let b = 'L.Create(Unsafe.Add(&f1, bi))
            c01 <- 'L.MultiplyAdd(a0, b, c01)
            c11 <- 'L.MultiplyAdd(a1, b, c11)
            c21 <- 'L.MultiplyAdd(a2, b, c21)
            let b = 'L.Create(Unsafe.Add(&f2, bi))
            c02 <- 'L.MultiplyAdd(a0, b, c02)
            c12 <- 'L.MultiplyAdd(a1, b, c12)
            c22 <- 'L.MultiplyAdd(a2, b, c22)
            let b = 'L.Create(Unsafe.Add(&f3, bi))
            c03 <- 'L.MultiplyAdd(a0, b, c03)
            c13 <- 'L.MultiplyAdd(a1, b, c13)
            c23 <- 'L.MultiplyAdd(a2, b, c23)
            let b = 'L.Create(Unsafe.Add(&f0, bj))
            c04 <- 'L.MultiplyAdd(a0, b, c04)
            c14 <- 'L.MultiplyAdd(a1, b, c14)
            c24 <- 'L.MultiplyAdd(a2, b, c24)
            let b = 'L.Create(Unsafe.Add(&f1, bj))
            c05 <- 'L.MultiplyAdd(a0, b, c05)
            c15 <- 'L.MultiplyAdd(a1, b, c15)
            c25 <- 'L.MultiplyAdd(a2, b, c25)
            let b = 'L.Create(Unsafe.Add(&f2, bj))
            c06 <- 'L.MultiplyAdd(a0, b, c06)
            c16 <- 'L.MultiplyAdd(a1, b, c16)
            c26 <- 'L.MultiplyAdd(a2, b, c26)
            let b = 'L.Create(Unsafe.Add(&f3, bj))
            c07 <- 'L.MultiplyAdd(a0, b, c07)
            c17 <- 'L.MultiplyAdd(a1, b, c17)
            c27 <- 'L.MultiplyAdd(a2, b, c27)
            ai <- ai + t.AStep
            bi <- bi + t.BStep
            bj <- bj + t.BStep
            left <- left - 1

        column <- 0n
        'L.Store('L.WithoutMinusZero c00, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c10, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c20, &result, column + rowBand.R2)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c01, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c11, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c21, &result, column + rowBand.R2)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c02, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c12, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c22, &result, column + rowBand.R2)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c03, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c13, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c23, &result, column + rowBand.R2)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c04, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c14, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c24, &result, column + rowBand.R2)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c05, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c15, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c25, &result, column + rowBand.R2)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c06, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c16, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c26, &result, column + rowBand.R2)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c07, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c17, &result, column + rowBand.R1)
        'L.Store('L.WithoutMinusZero c27, &result, column + rowBand.R2)

    /// Two registers of rows by six columns: as many sums as 16 registers hold.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Low<'V, 'L when 'L :> ISimd<'V, 'T>>
        (rowBand: RowBand, a: nativeint, b: nativeint, from: nativeint, into: nativeint)
        : unit =
        // A reference for each row and column: one index moves all of them.
        let sources = &Unsafe.Add(&Simd.start t.A, a)
        let s0 = &Unsafe.Add(&sources, rowBand.R0)
        let s1 = &Unsafe.Add(&sources, rowBand.R1)
        let f0 = &Unsafe.Add(&Simd.start t.B, b)
        let f1 = &Unsafe.Add(&f0, t.ColumnStep)
        let f2 = &Unsafe.Add(&f1, t.ColumnStep)
        let f3 = &Unsafe.Add(&f2, t.ColumnStep)
        let f4 = &Unsafe.Add(&f3, t.ColumnStep)
        let f5 = &Unsafe.Add(&f4, t.ColumnStep)
        let start = &Unsafe.Add(&Simd.start t.From, from)
        let result = &Unsafe.Add(&Simd.start t.Into, into)
        let mutable column = 0n
        let mutable c00 = 'L.Load(&start, column + rowBand.R0)
        let mutable c10 = 'L.Load(&start, column + rowBand.R1)
        column <- column + t.FromStep
        let mutable c01 = 'L.Load(&start, column + rowBand.R0)
        let mutable c11 = 'L.Load(&start, column + rowBand.R1)
        column <- column + t.FromStep
        let mutable c02 = 'L.Load(&start, column + rowBand.R0)
        let mutable c12 = 'L.Load(&start, column + rowBand.R1)
        column <- column + t.FromStep
        let mutable c03 = 'L.Load(&start, column + rowBand.R0)
        let mutable c13 = 'L.Load(&start, column + rowBand.R1)
        column <- column + t.FromStep
        let mutable c04 = 'L.Load(&start, column + rowBand.R0)
        let mutable c14 = 'L.Load(&start, column + rowBand.R1)
        column <- column + t.FromStep
        let mutable c05 = 'L.Load(&start, column + rowBand.R0)
        let mutable c15 = 'L.Load(&start, column + rowBand.R1)
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
        'L.Store('L.WithoutMinusZero c00, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c10, &result, column + rowBand.R1)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c01, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c11, &result, column + rowBand.R1)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c02, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c12, &result, column + rowBand.R1)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c03, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c13, &result, column + rowBand.R1)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c04, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c14, &result, column + rowBand.R1)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c05, &result, column + rowBand.R0)
        'L.Store('L.WithoutMinusZero c15, &result, column + rowBand.R1)

    /// One register of rows by sixteen columns: for products of few rows, with 32 registers.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Wide<'V, 'L when 'L :> ISimd<'V, 'T>>
        (rowBand: RowBand, a: nativeint, b: nativeint, from: nativeint, into: nativeint)
        : unit =
        // A reference for each row and for half of the columns, which two indices move.
        let s0 = &Unsafe.Add(&Unsafe.Add(&Simd.start t.A, a), rowBand.R0)
        let f0 = &Unsafe.Add(&Simd.start t.B, b)
        let f1 = &Unsafe.Add(&f0, t.ColumnStep)
        let f2 = &Unsafe.Add(&f1, t.ColumnStep)
        let f3 = &Unsafe.Add(&f2, t.ColumnStep)
        let f4 = &Unsafe.Add(&f3, t.ColumnStep)
        let f5 = &Unsafe.Add(&f4, t.ColumnStep)
        let f6 = &Unsafe.Add(&f5, t.ColumnStep)
        let f7 = &Unsafe.Add(&f6, t.ColumnStep)
        let start = &Unsafe.Add(&Simd.start t.From, from)
        let result = &Unsafe.Add(&Simd.start t.Into, into)
        let mutable column = rowBand.R0
        let mutable c0 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c1 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c2 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c3 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c4 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c5 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c6 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c7 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c8 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c9 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c10 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c11 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c12 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c13 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c14 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c15 = 'L.Load(&start, column)
        let mutable ai = 0n
        let mutable bi = 0n
        let mutable bj = 8n * t.ColumnStep
        let mutable left = t.Depth

        while left > 0 do
            let a = 'L.Load(&s0, ai)
            c0 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f0, bi)), c0)
            c1 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f1, bi)), c1)
            c2 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f2, bi)), c2)
            c3 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f3, bi)), c3)
            c4 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f4, bi)), c4)
            c5 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f5, bi)), c5)
            c6 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f6, bi)), c6)
            c7 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f7, bi)), c7)
            c8 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f0, bj)), c8)
            c9 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f1, bj)), c9)
            c10 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f2, bj)), c10)
            c11 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f3, bj)), c11)
            c12 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f4, bj)), c12)
            c13 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f5, bj)), c13)
            c14 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f6, bj)), c14)
            c15 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f7, bj)), c15)
            ai <- ai + t.AStep
            bi <- bi + t.BStep
            bj <- bj + t.BStep
            left <- left - 1

        column <- rowBand.R0
        'L.Store('L.WithoutMinusZero c0, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c1, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c2, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c3, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c4, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c5, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c6, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c7, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c8, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c9, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c10, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c11, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c12, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c13, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c14, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c15, &result, column)

    /// One register of rows by eight columns: for products of few rows.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Flat<'V, 'L when 'L :> ISimd<'V, 'T>>
        (rowBand: RowBand, a: nativeint, b: nativeint, from: nativeint, into: nativeint)
        : unit =
        // A reference for each column: one index moves all of them.
        let s0 = &Unsafe.Add(&Unsafe.Add(&Simd.start t.A, a), rowBand.R0)
        let f0 = &Unsafe.Add(&Simd.start t.B, b)
        let f1 = &Unsafe.Add(&f0, t.ColumnStep)
        let f2 = &Unsafe.Add(&f1, t.ColumnStep)
        let f3 = &Unsafe.Add(&f2, t.ColumnStep)
        let f4 = &Unsafe.Add(&f3, t.ColumnStep)
        let f5 = &Unsafe.Add(&f4, t.ColumnStep)
        let f6 = &Unsafe.Add(&f5, t.ColumnStep)
        let f7 = &Unsafe.Add(&f6, t.ColumnStep)
        let start = &Unsafe.Add(&Simd.start t.From, from)
        let result = &Unsafe.Add(&Simd.start t.Into, into)
        let mutable column = rowBand.R0
        let mutable c0 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c1 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c2 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c3 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c4 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c5 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c6 = 'L.Load(&start, column)
        column <- column + t.FromStep
        let mutable c7 = 'L.Load(&start, column)
        let mutable ai = 0n
        let mutable bi = 0n
        let mutable left = t.Depth

        while left > 0 do
            let a = 'L.Load(&s0, ai)
            c0 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f0, bi)), c0)
            c1 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f1, bi)), c1)
            c2 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f2, bi)), c2)
            c3 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f3, bi)), c3)
            c4 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f4, bi)), c4)
            c5 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f5, bi)), c5)
            c6 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f6, bi)), c6)
            c7 <- 'L.MultiplyAdd(a, 'L.Create(Unsafe.Add(&f7, bi)), c7)
            ai <- ai + t.AStep
            bi <- bi + t.BStep
            left <- left - 1

        column <- rowBand.R0
        'L.Store('L.WithoutMinusZero c0, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c1, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c2, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c3, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c4, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c5, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c6, &result, column)
        column <- column + t.IntoStep
        'L.Store('L.WithoutMinusZero c7, &result, column)

    /// Four registers of rows in one column: for products of fewer than six.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Column<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> INarrow<'V, 'W>>
        (rowBand: RowBand, a: nativeint, b: nativeint, from: nativeint, into: nativeint)
        : unit =
        // A reference for each row and column: one index moves all of them.
        let sources = &Unsafe.Add(&Simd.start t.A, a)
        let s0 = &Unsafe.Add(&sources, rowBand.R0)
        let s1 = &Unsafe.Add(&sources, rowBand.R1)
        let s2 = &Unsafe.Add(&sources, rowBand.R2)
        let s3 = &Unsafe.Add(&sources, rowBand.R3)
        let f0 = &Unsafe.Add(&Simd.start t.B, b)
        let start = &Unsafe.Add(&Simd.start t.From, from)
        let mutable c0 = 'L.Load(&start, rowBand.R0)
        let mutable c1 = 'L.Load(&start, rowBand.R1)
        let mutable c2 = 'L.Load(&start, rowBand.R2)
        let mutable c3 = 'N.Load(&start, rowBand.R3)
        let mutable ai = 0n
        let mutable bi = 0n

        let mutable left = t.Depth

        while left > 0 do
            let b = 'L.Create(Unsafe.Add(&f0, bi))
            c0 <- 'L.MultiplyAdd('L.Load(&s0, ai), b, c0)
            c1 <- 'L.MultiplyAdd('L.Load(&s1, ai), b, c1)
            c2 <- 'L.MultiplyAdd('L.Load(&s2, ai), b, c2)
            c3 <- 'N.MultiplyAdd('N.Load(&s3, ai), 'N.Narrow b, c3)
            ai <- ai + t.AStep
            bi <- bi + t.BStep
            left <- left - 1

        let result = &Unsafe.Add(&Simd.start t.Into, into)
        'L.Store('L.WithoutMinusZero c0, &result, rowBand.R0)
        'L.Store('L.WithoutMinusZero c1, &result, rowBand.R1)
        'L.Store('L.WithoutMinusZero c2, &result, rowBand.R2)
        'N.Store('N.WithoutMinusZero c3, &result, rowBand.R3)
