namespace Pipeline.Learning

open System.Runtime.CompilerServices

/// The factor of a row in a sum of products over samples side by side, and what the sum begins with.
type internal ILaneFactor<'T> =
    abstract Load<'V, 'L when 'L :> ISimd<'V, 'T>> : start: byref<'T> * i: nativeint -> 'V

    abstract Initial<'V, 'L when 'L :> ISimd<'V, 'T>> :
        from: byref<'T> * row: nativeint * column: nativeint -> 'V

/// One number for all samples: weights, and biases to begin with.
[<Struct>]
type internal SameFactor<'T> =
    interface ILaneFactor<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Load<'V, 'L when 'L :> ISimd<'V, 'T>>(start: byref<'T>, i: nativeint) : 'V =
            'L.Create(Unsafe.Add(&start, i))

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Initial<'V, 'L when 'L :> ISimd<'V, 'T>>
            (from: byref<'T>, row: nativeint, _: nativeint)
            : 'V =
            'L.Create(Unsafe.Add(&from, row))

/// A number for each sample: gradients, and the sums so far to begin with.
[<Struct>]
type internal LaneFactor<'T> =
    interface ILaneFactor<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Load<'V, 'L when 'L :> ISimd<'V, 'T>>(start: byref<'T>, i: nativeint) : 'V =
            'L.Load(&start, i)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Initial<'V, 'L when 'L :> ISimd<'V, 'T>>
            (from: byref<'T>, row: nativeint, column: nativeint)
            : 'V =
            'L.Load(&from, row + column)

/// The sizes of tiles.
[<RequireQualifiedAccess>]
module internal LaneTileSize =
    /// Rows of a whole tile.
    [<Literal>]
    let Rows = 6

    /// Columns of a tile.
    [<Literal>]
    let Columns = 4

/// Where a tile stands in its arrays: its first row, and each column besides.
[<Struct>]
type internal LanePlaces = {
    A: nativeint
    B: nativeint
    B0: nativeint
    B1: nativeint
    B2: nativeint
    B3: nativeint
    From: nativeint
    Into: nativeint
    Into0: nativeint
    Into1: nativeint
    Into2: nativeint
    Into3: nativeint
}

/// Sums of products for a few rows by a few columns, in registers from the first product to the last, for samples side by
/// side: Into(i, j) = From(i, j) + Σₖ A(i, k)·B(k, j), k ascending; a sum of −0 is stored as 0. B(k, j) stands at
/// the place of column j plus BSteps[k].
[<Struct>]
type internal LaneTile<'T, 'F when 'F :> ILaneFactor<'T>> = {
    Factor: 'F
    A: 'T[]
    /// From row i to i + 1.
    ARow: nativeint
    /// From k to k + 1.
    AStep: nativeint
    B: 'T[]
    BSteps: nativeint[]
    From: 'T[]
    FromRow: nativeint
    /// Not the array `From`: two tiles may share rows.
    Into: 'T[]
    IntoRow: nativeint
    Depth: int
} with

    /// Six rows by four columns: as many sums as 32 registers hold.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Wide<'V, 'L when 'L :> ISimd<'V, 'T>>(at: LanePlaces) : unit =
        let vectors = &Unsafe.Add(&Simd.start t.B, at.B)
        let steps = &Simd.start t.BSteps
        let from = &Unsafe.Add(&Simd.start t.From, at.From)
        let s0 = &Unsafe.Add(&Simd.start t.A, at.A)
        let s1 = &Unsafe.Add(&s0, t.ARow)
        let s2 = &Unsafe.Add(&s1, t.ARow)
        let s3 = &Unsafe.Add(&s2, t.ARow)
        let s4 = &Unsafe.Add(&s3, t.ARow)
        let s5 = &Unsafe.Add(&s4, t.ARow)
        let f0 = &Unsafe.Add(&vectors, at.B0)
        let f1 = &Unsafe.Add(&vectors, at.B1)
        let f2 = &Unsafe.Add(&vectors, at.B2)
        let f3 = &Unsafe.Add(&vectors, at.B3)
        let mutable row = 0n
        let mutable c00 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c01 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        let mutable c02 = t.Factor.Initial<'V, 'L>(&from, row, at.Into2)
        let mutable c03 = t.Factor.Initial<'V, 'L>(&from, row, at.Into3)
        row <- row + t.FromRow
        let mutable c10 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c11 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        let mutable c12 = t.Factor.Initial<'V, 'L>(&from, row, at.Into2)
        let mutable c13 = t.Factor.Initial<'V, 'L>(&from, row, at.Into3)
        row <- row + t.FromRow
        let mutable c20 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c21 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        let mutable c22 = t.Factor.Initial<'V, 'L>(&from, row, at.Into2)
        let mutable c23 = t.Factor.Initial<'V, 'L>(&from, row, at.Into3)
        row <- row + t.FromRow
        let mutable c30 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c31 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        let mutable c32 = t.Factor.Initial<'V, 'L>(&from, row, at.Into2)
        let mutable c33 = t.Factor.Initial<'V, 'L>(&from, row, at.Into3)
        row <- row + t.FromRow
        let mutable c40 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c41 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        let mutable c42 = t.Factor.Initial<'V, 'L>(&from, row, at.Into2)
        let mutable c43 = t.Factor.Initial<'V, 'L>(&from, row, at.Into3)
        row <- row + t.FromRow
        let mutable c50 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c51 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        let mutable c52 = t.Factor.Initial<'V, 'L>(&from, row, at.Into2)
        let mutable c53 = t.Factor.Initial<'V, 'L>(&from, row, at.Into3)
        let mutable ai = 0n

        for k in 0 .. t.Depth - 1 do
            let step = Unsafe.Add(&steps, k)
            let b0 = 'L.Load(&f0, step)
            let b1 = 'L.Load(&f1, step)
            let b2 = 'L.Load(&f2, step)
            let b3 = 'L.Load(&f3, step)
            let a = t.Factor.Load<'V, 'L>(&s0, ai)
            c00 <- 'L.MultiplyAdd(a, b0, c00)
            c01 <- 'L.MultiplyAdd(a, b1, c01)
            c02 <- 'L.MultiplyAdd(a, b2, c02)
            c03 <- 'L.MultiplyAdd(a, b3, c03)
            let a = t.Factor.Load<'V, 'L>(&s1, ai)
            c10 <- 'L.MultiplyAdd(a, b0, c10)
            c11 <- 'L.MultiplyAdd(a, b1, c11)
            c12 <- 'L.MultiplyAdd(a, b2, c12)
            c13 <- 'L.MultiplyAdd(a, b3, c13)
            let a = t.Factor.Load<'V, 'L>(&s2, ai)
            c20 <- 'L.MultiplyAdd(a, b0, c20)
            c21 <- 'L.MultiplyAdd(a, b1, c21)
            c22 <- 'L.MultiplyAdd(a, b2, c22)
            c23 <- 'L.MultiplyAdd(a, b3, c23)
            let a = t.Factor.Load<'V, 'L>(&s3, ai)
            c30 <- 'L.MultiplyAdd(a, b0, c30)
            c31 <- 'L.MultiplyAdd(a, b1, c31)
            c32 <- 'L.MultiplyAdd(a, b2, c32)
            c33 <- 'L.MultiplyAdd(a, b3, c33)
            let a = t.Factor.Load<'V, 'L>(&s4, ai)
            c40 <- 'L.MultiplyAdd(a, b0, c40)
            c41 <- 'L.MultiplyAdd(a, b1, c41)
            c42 <- 'L.MultiplyAdd(a, b2, c42)
            c43 <- 'L.MultiplyAdd(a, b3, c43)
            let a = t.Factor.Load<'V, 'L>(&s5, ai)
            c50 <- 'L.MultiplyAdd(a, b0, c50)
            c51 <- 'L.MultiplyAdd(a, b1, c51)
            c52 <- 'L.MultiplyAdd(a, b2, c52)
            c53 <- 'L.MultiplyAdd(a, b3, c53)
            ai <- ai + t.AStep

        let result = &Unsafe.Add(&Simd.start t.Into, at.Into)
        'L.Store('L.WithoutMinusZero c00, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c01, &result, at.Into1)
        'L.Store('L.WithoutMinusZero c02, &result, at.Into2)
        'L.Store('L.WithoutMinusZero c03, &result, at.Into3)
        let result = &Unsafe.Add(&result, t.IntoRow)
        'L.Store('L.WithoutMinusZero c10, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c11, &result, at.Into1)
        'L.Store('L.WithoutMinusZero c12, &result, at.Into2)
        'L.Store('L.WithoutMinusZero c13, &result, at.Into3)
        let result = &Unsafe.Add(&result, t.IntoRow)
        'L.Store('L.WithoutMinusZero c20, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c21, &result, at.Into1)
        'L.Store('L.WithoutMinusZero c22, &result, at.Into2)
        'L.Store('L.WithoutMinusZero c23, &result, at.Into3)
        let result = &Unsafe.Add(&result, t.IntoRow)
        'L.Store('L.WithoutMinusZero c30, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c31, &result, at.Into1)
        'L.Store('L.WithoutMinusZero c32, &result, at.Into2)
        'L.Store('L.WithoutMinusZero c33, &result, at.Into3)
        let result = &Unsafe.Add(&result, t.IntoRow)
        'L.Store('L.WithoutMinusZero c40, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c41, &result, at.Into1)
        'L.Store('L.WithoutMinusZero c42, &result, at.Into2)
        'L.Store('L.WithoutMinusZero c43, &result, at.Into3)
        let result = &Unsafe.Add(&result, t.IntoRow)
        'L.Store('L.WithoutMinusZero c50, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c51, &result, at.Into1)
        'L.Store('L.WithoutMinusZero c52, &result, at.Into2)
        'L.Store('L.WithoutMinusZero c53, &result, at.Into3)

    /// Six rows by the first two columns: as many sums as 16 registers hold.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Narrow<'V, 'L when 'L :> ISimd<'V, 'T>>(at: LanePlaces) : unit =
        let vectors = &Unsafe.Add(&Simd.start t.B, at.B)
        let steps = &Simd.start t.BSteps
        let from = &Unsafe.Add(&Simd.start t.From, at.From)
        let s0 = &Unsafe.Add(&Simd.start t.A, at.A)
        let s1 = &Unsafe.Add(&s0, t.ARow)
        let s2 = &Unsafe.Add(&s1, t.ARow)
        let s3 = &Unsafe.Add(&s2, t.ARow)
        let s4 = &Unsafe.Add(&s3, t.ARow)
        let s5 = &Unsafe.Add(&s4, t.ARow)
        let f0 = &Unsafe.Add(&vectors, at.B0)
        let f1 = &Unsafe.Add(&vectors, at.B1)
        let mutable row = 0n
        let mutable c00 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c01 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        row <- row + t.FromRow
        let mutable c10 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c11 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        row <- row + t.FromRow
        let mutable c20 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c21 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        row <- row + t.FromRow
        let mutable c30 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c31 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        row <- row + t.FromRow
        let mutable c40 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c41 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        row <- row + t.FromRow
        let mutable c50 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c51 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        let mutable ai = 0n

        for k in 0 .. t.Depth - 1 do
            let step = Unsafe.Add(&steps, k)
            let b0 = 'L.Load(&f0, step)
            let b1 = 'L.Load(&f1, step)
            let a = t.Factor.Load<'V, 'L>(&s0, ai)
            c00 <- 'L.MultiplyAdd(a, b0, c00)
            c01 <- 'L.MultiplyAdd(a, b1, c01)
            let a = t.Factor.Load<'V, 'L>(&s1, ai)
            c10 <- 'L.MultiplyAdd(a, b0, c10)
            c11 <- 'L.MultiplyAdd(a, b1, c11)
            let a = t.Factor.Load<'V, 'L>(&s2, ai)
            c20 <- 'L.MultiplyAdd(a, b0, c20)
            c21 <- 'L.MultiplyAdd(a, b1, c21)
            let a = t.Factor.Load<'V, 'L>(&s3, ai)
            c30 <- 'L.MultiplyAdd(a, b0, c30)
            c31 <- 'L.MultiplyAdd(a, b1, c31)
            let a = t.Factor.Load<'V, 'L>(&s4, ai)
            c40 <- 'L.MultiplyAdd(a, b0, c40)
            c41 <- 'L.MultiplyAdd(a, b1, c41)
            let a = t.Factor.Load<'V, 'L>(&s5, ai)
            c50 <- 'L.MultiplyAdd(a, b0, c50)
            c51 <- 'L.MultiplyAdd(a, b1, c51)
            ai <- ai + t.AStep

        let result = &Unsafe.Add(&Simd.start t.Into, at.Into)
        'L.Store('L.WithoutMinusZero c00, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c01, &result, at.Into1)
        let result = &Unsafe.Add(&result, t.IntoRow)
        'L.Store('L.WithoutMinusZero c10, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c11, &result, at.Into1)
        let result = &Unsafe.Add(&result, t.IntoRow)
        'L.Store('L.WithoutMinusZero c20, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c21, &result, at.Into1)
        let result = &Unsafe.Add(&result, t.IntoRow)
        'L.Store('L.WithoutMinusZero c30, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c31, &result, at.Into1)
        let result = &Unsafe.Add(&result, t.IntoRow)
        'L.Store('L.WithoutMinusZero c40, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c41, &result, at.Into1)
        let result = &Unsafe.Add(&result, t.IntoRow)
        'L.Store('L.WithoutMinusZero c50, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c51, &result, at.Into1)

    /// One row by four columns: where there are fewer than six.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Row<'V, 'L when 'L :> ISimd<'V, 'T>>(at: LanePlaces) : unit =
        let vectors = &Unsafe.Add(&Simd.start t.B, at.B)
        let steps = &Simd.start t.BSteps
        let from = &Unsafe.Add(&Simd.start t.From, at.From)
        let s0 = &Unsafe.Add(&Simd.start t.A, at.A)
        let f0 = &Unsafe.Add(&vectors, at.B0)
        let f1 = &Unsafe.Add(&vectors, at.B1)
        let f2 = &Unsafe.Add(&vectors, at.B2)
        let f3 = &Unsafe.Add(&vectors, at.B3)
        let mutable row = 0n
        let mutable c00 = t.Factor.Initial<'V, 'L>(&from, row, at.Into0)
        let mutable c01 = t.Factor.Initial<'V, 'L>(&from, row, at.Into1)
        let mutable c02 = t.Factor.Initial<'V, 'L>(&from, row, at.Into2)
        let mutable c03 = t.Factor.Initial<'V, 'L>(&from, row, at.Into3)
        let mutable ai = 0n

        for k in 0 .. t.Depth - 1 do
            let step = Unsafe.Add(&steps, k)
            let b0 = 'L.Load(&f0, step)
            let b1 = 'L.Load(&f1, step)
            let b2 = 'L.Load(&f2, step)
            let b3 = 'L.Load(&f3, step)
            let a = t.Factor.Load<'V, 'L>(&s0, ai)
            c00 <- 'L.MultiplyAdd(a, b0, c00)
            c01 <- 'L.MultiplyAdd(a, b1, c01)
            c02 <- 'L.MultiplyAdd(a, b2, c02)
            c03 <- 'L.MultiplyAdd(a, b3, c03)
            ai <- ai + t.AStep

        let result = &Unsafe.Add(&Simd.start t.Into, at.Into)
        'L.Store('L.WithoutMinusZero c00, &result, at.Into0)
        'L.Store('L.WithoutMinusZero c01, &result, at.Into1)
        'L.Store('L.WithoutMinusZero c02, &result, at.Into2)
        'L.Store('L.WithoutMinusZero c03, &result, at.Into3)

    /// A row, or all six, by four columns.
    member t.Run<'V, 'L when 'L :> ISimd<'V, 'T>>(isWhole: bool, at: LanePlaces) : unit =
        if not isWhole then
            t.Row<'V, 'L> at
        elif Unsafe.SizeOf<'V>() = 64 then
            t.Wide<'V, 'L> at
        else
            t.Narrow<'V, 'L> at

            t.Narrow<'V, 'L> {
                at with
                    B0 = at.B2
                    B1 = at.B3
                    Into0 = at.Into2
                    Into1 = at.Into3
            }
