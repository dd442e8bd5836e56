namespace Pipeline.Learning

open System.Runtime.CompilerServices

/// What sums of products over samples side by side begin with, what their first factors are and where they go.
type internal ILaneSums<'T> =
    /// The factor of a row.
    abstract Load<'V, 'L when 'L :> ISimd<'V, 'T>> : start: byref<'T> * i: nativeint -> 'V

    /// What the sum of a row begins with that goes to a place.
    abstract Initial<'V, 'L when 'L :> ISimd<'V, 'T>> :
        from: byref<'T> * row: nativeint * place: nativeint -> 'V

    /// Puts a sum where it goes.
    abstract Finish<'V, 'L when 'L :> ISimd<'V, 'T>> :
        sum: 'V * into: byref<'T> * place: nativeint -> unit

/// Outputs: weights times inputs, beginning with the biases.
[<Struct>]
type internal OutputSums<'T> =
    interface ILaneSums<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Load<'V, 'L when 'L :> ISimd<'V, 'T>>(start: byref<'T>, i: nativeint) : 'V =
            'L.Create(Unsafe.Add(&start, i))

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Initial<'V, 'L when 'L :> ISimd<'V, 'T>>
            (from: byref<'T>, row: nativeint, _: nativeint)
            : 'V =
            'L.Create(Unsafe.Add(&from, row))

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Finish<'V, 'L when 'L :> ISimd<'V, 'T>>
            (sum: 'V, into: byref<'T>, place: nativeint)
            : unit =
            'L.Store('L.WithoutMinusZero sum, &into, place)

/// Gradients in inputs: weights times gradients in outputs, each sum being added to what stands there.
[<Struct>]
type internal InputGradientSums<'T> =
    interface ILaneSums<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Load<'V, 'L when 'L :> ISimd<'V, 'T>>(start: byref<'T>, i: nativeint) : 'V =
            'L.Create(Unsafe.Add(&start, i))

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Initial<'V, 'L when 'L :> ISimd<'V, 'T>>
            (_: byref<'T>, _: nativeint, _: nativeint)
            : 'V =
            'L.Create Unchecked.defaultof<'T>

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Finish<'V, 'L when 'L :> ISimd<'V, 'T>>
            (sum: 'V, into: byref<'T>, place: nativeint)
            : unit =
            'L.Store('L.Add('L.Load(&into, place), sum), &into, place)

/// Gradients in weights, a number for each lane: gradients in outputs times inputs, beginning with the sums so far.
[<Struct>]
type internal WeightGradientSums<'T> =
    interface ILaneSums<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Load<'V, 'L when 'L :> ISimd<'V, 'T>>(start: byref<'T>, i: nativeint) : 'V =
            'L.Load(&start, i)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Initial<'V, 'L when 'L :> ISimd<'V, 'T>>
            (from: byref<'T>, row: nativeint, place: nativeint)
            : 'V =
            'L.Load(&from, row + place)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Finish<'V, 'L when 'L :> ISimd<'V, 'T>>
            (sum: 'V, into: byref<'T>, place: nativeint)
            : unit =
            'L.Store('L.WithoutMinusZero sum, &into, place)

/// The sizes of tiles.
[<RequireQualifiedAccess>]
module internal LaneTileSize =
    /// Rows of a whole tile.
    [<Literal>]
    let Rows = 6

    /// Columns of a tile.
    [<Literal>]
    let Columns = 4

/// Where a tile stands.
[<Struct>]
type internal LanePlace = {
    /// Its first row and column.
    Row: int
    Column: int
    /// How many columns it has: one to four.
    Width: int
    /// What is added to the places in A, in B and of the sums.
    A: nativeint
    B: nativeint
    Into: nativeint
}

/// Sums of products for a few rows by a few columns, in registers from the first product to the last, for samples side by
/// side: Into(i, j) = From(i, j) + Σₖ A(i, k)·B(k, j), k ascending; a sum of −0 counts as 0. A(i, k) stands at
/// ARows[i] + ASteps[k], B(k, j) at BSteps[k] + BColumns[j], Into(i, j) at IntoRows[i] + IntoColumns[j].
[<Struct; IsReadOnly>]
type internal LaneTile<'T, 'S when 'S :> ILaneSums<'T>> = {
    Sums: 'S
    A: 'T[]
    ARows: nativeint[]
    ASteps: nativeint[]
    B: 'T[]
    BSteps: nativeint[]
    BColumns: nativeint[]
    From: 'T[]
    FromRows: nativeint[]
    /// Not the array `From`: two tiles may share rows.
    Into: 'T[]
    IntoRows: nativeint[]
    IntoColumns: nativeint[]
    Depth: int
} with

    /// Puts the sums of a row where they go.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member t.Finish<'V, 'L when 'L :> ISimd<'V, 'T>>
        (at: LanePlace, row: int, c0: 'V, c1: 'V, c2: 'V, c3: 'V)
        : unit =
        let into =
            &
                Unsafe.Add(
                    &Simd.start t.Into,
                    at.Into + Unsafe.Add(&Simd.start t.IntoRows, at.Row + row)
                )

        let columns = &Unsafe.Add(&Simd.start t.IntoColumns, at.Column)
        t.Sums.Finish<'V, 'L>(c0, &into, columns)

        if at.Width > 1 then
            t.Sums.Finish<'V, 'L>(c1, &into, Unsafe.Add(&columns, 1))

        if at.Width > 2 then
            t.Sums.Finish<'V, 'L>(c2, &into, Unsafe.Add(&columns, 2))

        if at.Width > 3 then
            t.Sums.Finish<'V, 'L>(c3, &into, Unsafe.Add(&columns, 3))

    /// Puts the sums of a row's first two columns where they go.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member t.FinishPair<'V, 'L when 'L :> ISimd<'V, 'T>>
        (at: LanePlace, row: int, c0: 'V, c1: 'V)
        : unit =
        let into =
            &
                Unsafe.Add(
                    &Simd.start t.Into,
                    at.Into + Unsafe.Add(&Simd.start t.IntoRows, at.Row + row)
                )

        let columns = &Unsafe.Add(&Simd.start t.IntoColumns, at.Column)
        t.Sums.Finish<'V, 'L>(c0, &into, columns)

        if at.Width > 1 then
            t.Sums.Finish<'V, 'L>(c1, &into, Unsafe.Add(&columns, 1))

    /// Six rows by four columns: as many sums as 32 registers hold.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Wide<'V, 'L when 'L :> ISimd<'V, 'T>>(at: LanePlace) : unit =
        let numbers = &Unsafe.Add(&Simd.start t.A, at.A)
        let vectors = &Unsafe.Add(&Simd.start t.B, at.B)
        let from = &Simd.start t.From
        let rowPlaces = &Unsafe.Add(&Simd.start t.ARows, at.Row)
        let columnPlaces = &Unsafe.Add(&Simd.start t.BColumns, at.Column)
        let fromRows = &Unsafe.Add(&Simd.start t.FromRows, at.Row)
        let intoColumns = &Unsafe.Add(&Simd.start t.IntoColumns, at.Column)
        let j1 = min 1 (at.Width - 1)
        let j2 = min 2 (at.Width - 1)
        let j3 = min 3 (at.Width - 1)
        let s0 = &Unsafe.Add(&numbers, rowPlaces)
        let s1 = &Unsafe.Add(&numbers, Unsafe.Add(&rowPlaces, 1))
        let s2 = &Unsafe.Add(&numbers, Unsafe.Add(&rowPlaces, 2))
        let s3 = &Unsafe.Add(&numbers, Unsafe.Add(&rowPlaces, 3))
        let s4 = &Unsafe.Add(&numbers, Unsafe.Add(&rowPlaces, 4))
        let s5 = &Unsafe.Add(&numbers, Unsafe.Add(&rowPlaces, 5))
        let f0 = &Unsafe.Add(&vectors, columnPlaces)
        let f1 = &Unsafe.Add(&vectors, Unsafe.Add(&columnPlaces, j1))
        let f2 = &Unsafe.Add(&vectors, Unsafe.Add(&columnPlaces, j2))
        let f3 = &Unsafe.Add(&vectors, Unsafe.Add(&columnPlaces, j3))
        let place0 = at.Into + intoColumns
        let place1 = at.Into + Unsafe.Add(&intoColumns, j1)
        let place2 = at.Into + Unsafe.Add(&intoColumns, j2)
        let place3 = at.Into + Unsafe.Add(&intoColumns, j3)
        let row = fromRows
        let mutable c00 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c01 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let mutable c02 = t.Sums.Initial<'V, 'L>(&from, row, place2)
        let mutable c03 = t.Sums.Initial<'V, 'L>(&from, row, place3)
        let row = Unsafe.Add(&fromRows, 1)
        let mutable c10 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c11 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let mutable c12 = t.Sums.Initial<'V, 'L>(&from, row, place2)
        let mutable c13 = t.Sums.Initial<'V, 'L>(&from, row, place3)
        let row = Unsafe.Add(&fromRows, 2)
        let mutable c20 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c21 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let mutable c22 = t.Sums.Initial<'V, 'L>(&from, row, place2)
        let mutable c23 = t.Sums.Initial<'V, 'L>(&from, row, place3)
        let row = Unsafe.Add(&fromRows, 3)
        let mutable c30 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c31 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let mutable c32 = t.Sums.Initial<'V, 'L>(&from, row, place2)
        let mutable c33 = t.Sums.Initial<'V, 'L>(&from, row, place3)
        let row = Unsafe.Add(&fromRows, 4)
        let mutable c40 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c41 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let mutable c42 = t.Sums.Initial<'V, 'L>(&from, row, place2)
        let mutable c43 = t.Sums.Initial<'V, 'L>(&from, row, place3)
        let row = Unsafe.Add(&fromRows, 5)
        let mutable c50 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c51 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let mutable c52 = t.Sums.Initial<'V, 'L>(&from, row, place2)
        let mutable c53 = t.Sums.Initial<'V, 'L>(&from, row, place3)
        let aSteps = &Simd.start t.ASteps
        let bSteps = &Simd.start t.BSteps

        for k in 0 .. t.Depth - 1 do
            let step = Unsafe.Add(&bSteps, k)
            let b0 = 'L.Load(&f0, step)
            let b1 = 'L.Load(&f1, step)
            let b2 = 'L.Load(&f2, step)
            let b3 = 'L.Load(&f3, step)
            let step = Unsafe.Add(&aSteps, k)
            let a = t.Sums.Load<'V, 'L>(&s0, step)
            c00 <- 'L.MultiplyAdd(a, b0, c00)
            c01 <- 'L.MultiplyAdd(a, b1, c01)
            c02 <- 'L.MultiplyAdd(a, b2, c02)
            c03 <- 'L.MultiplyAdd(a, b3, c03)
            let a = t.Sums.Load<'V, 'L>(&s1, step)
            c10 <- 'L.MultiplyAdd(a, b0, c10)
            c11 <- 'L.MultiplyAdd(a, b1, c11)
            c12 <- 'L.MultiplyAdd(a, b2, c12)
            c13 <- 'L.MultiplyAdd(a, b3, c13)
            let a = t.Sums.Load<'V, 'L>(&s2, step)
            c20 <- 'L.MultiplyAdd(a, b0, c20)
            c21 <- 'L.MultiplyAdd(a, b1, c21)
            c22 <- 'L.MultiplyAdd(a, b2, c22)
            c23 <- 'L.MultiplyAdd(a, b3, c23)
            let a = t.Sums.Load<'V, 'L>(&s3, step)
            c30 <- 'L.MultiplyAdd(a, b0, c30)
            c31 <- 'L.MultiplyAdd(a, b1, c31)
            c32 <- 'L.MultiplyAdd(a, b2, c32)
            c33 <- 'L.MultiplyAdd(a, b3, c33)
            let a = t.Sums.Load<'V, 'L>(&s4, step)
            c40 <- 'L.MultiplyAdd(a, b0, c40)
            c41 <- 'L.MultiplyAdd(a, b1, c41)
            c42 <- 'L.MultiplyAdd(a, b2, c42)
            c43 <- 'L.MultiplyAdd(a, b3, c43)
            let a = t.Sums.Load<'V, 'L>(&s5, step)
            c50 <- 'L.MultiplyAdd(a, b0, c50)
            c51 <- 'L.MultiplyAdd(a, b1, c51)
            c52 <- 'L.MultiplyAdd(a, b2, c52)
            c53 <- 'L.MultiplyAdd(a, b3, c53)

        t.Finish<'V, 'L>(at, 0, c00, c01, c02, c03)
        t.Finish<'V, 'L>(at, 1, c10, c11, c12, c13)
        t.Finish<'V, 'L>(at, 2, c20, c21, c22, c23)
        t.Finish<'V, 'L>(at, 3, c30, c31, c32, c33)
        t.Finish<'V, 'L>(at, 4, c40, c41, c42, c43)
        t.Finish<'V, 'L>(at, 5, c50, c51, c52, c53)

    /// Six rows by the first two columns: as many sums as 16 registers hold.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Narrow<'V, 'L when 'L :> ISimd<'V, 'T>>(at: LanePlace) : unit =
        let numbers = &Unsafe.Add(&Simd.start t.A, at.A)
        let vectors = &Unsafe.Add(&Simd.start t.B, at.B)
        let from = &Simd.start t.From
        let rowPlaces = &Unsafe.Add(&Simd.start t.ARows, at.Row)
        let columnPlaces = &Unsafe.Add(&Simd.start t.BColumns, at.Column)
        let fromRows = &Unsafe.Add(&Simd.start t.FromRows, at.Row)
        let intoColumns = &Unsafe.Add(&Simd.start t.IntoColumns, at.Column)
        let j1 = min 1 (at.Width - 1)
        let s0 = &Unsafe.Add(&numbers, rowPlaces)
        let s1 = &Unsafe.Add(&numbers, Unsafe.Add(&rowPlaces, 1))
        let s2 = &Unsafe.Add(&numbers, Unsafe.Add(&rowPlaces, 2))
        let s3 = &Unsafe.Add(&numbers, Unsafe.Add(&rowPlaces, 3))
        let s4 = &Unsafe.Add(&numbers, Unsafe.Add(&rowPlaces, 4))
        let s5 = &Unsafe.Add(&numbers, Unsafe.Add(&rowPlaces, 5))
        let f0 = &Unsafe.Add(&vectors, columnPlaces)
        let f1 = &Unsafe.Add(&vectors, Unsafe.Add(&columnPlaces, j1))
        let place0 = at.Into + intoColumns
        let place1 = at.Into + Unsafe.Add(&intoColumns, j1)
        let row = fromRows
        let mutable c00 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c01 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let row = Unsafe.Add(&fromRows, 1)
        let mutable c10 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c11 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let row = Unsafe.Add(&fromRows, 2)
        let mutable c20 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c21 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let row = Unsafe.Add(&fromRows, 3)
        let mutable c30 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c31 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let row = Unsafe.Add(&fromRows, 4)
        let mutable c40 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c41 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let row = Unsafe.Add(&fromRows, 5)
        let mutable c50 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c51 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let aSteps = &Simd.start t.ASteps
        let bSteps = &Simd.start t.BSteps

        for k in 0 .. t.Depth - 1 do
            let step = Unsafe.Add(&bSteps, k)
            let b0 = 'L.Load(&f0, step)
            let b1 = 'L.Load(&f1, step)
            let step = Unsafe.Add(&aSteps, k)
            let a = t.Sums.Load<'V, 'L>(&s0, step)
            c00 <- 'L.MultiplyAdd(a, b0, c00)
            c01 <- 'L.MultiplyAdd(a, b1, c01)
            let a = t.Sums.Load<'V, 'L>(&s1, step)
            c10 <- 'L.MultiplyAdd(a, b0, c10)
            c11 <- 'L.MultiplyAdd(a, b1, c11)
            let a = t.Sums.Load<'V, 'L>(&s2, step)
            c20 <- 'L.MultiplyAdd(a, b0, c20)
            c21 <- 'L.MultiplyAdd(a, b1, c21)
            let a = t.Sums.Load<'V, 'L>(&s3, step)
            c30 <- 'L.MultiplyAdd(a, b0, c30)
            c31 <- 'L.MultiplyAdd(a, b1, c31)
            let a = t.Sums.Load<'V, 'L>(&s4, step)
            c40 <- 'L.MultiplyAdd(a, b0, c40)
            c41 <- 'L.MultiplyAdd(a, b1, c41)
            let a = t.Sums.Load<'V, 'L>(&s5, step)
            c50 <- 'L.MultiplyAdd(a, b0, c50)
            c51 <- 'L.MultiplyAdd(a, b1, c51)

        t.FinishPair<'V, 'L>(at, 0, c00, c01)
        t.FinishPair<'V, 'L>(at, 1, c10, c11)
        t.FinishPair<'V, 'L>(at, 2, c20, c21)
        t.FinishPair<'V, 'L>(at, 3, c30, c31)
        t.FinishPair<'V, 'L>(at, 4, c40, c41)
        t.FinishPair<'V, 'L>(at, 5, c50, c51)

    /// One row by four columns: where there are fewer than six.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member t.Row<'V, 'L when 'L :> ISimd<'V, 'T>>(at: LanePlace) : unit =
        let numbers = &Unsafe.Add(&Simd.start t.A, at.A)
        let vectors = &Unsafe.Add(&Simd.start t.B, at.B)
        let from = &Simd.start t.From
        let rowPlaces = &Unsafe.Add(&Simd.start t.ARows, at.Row)
        let columnPlaces = &Unsafe.Add(&Simd.start t.BColumns, at.Column)
        let fromRows = &Unsafe.Add(&Simd.start t.FromRows, at.Row)
        let intoColumns = &Unsafe.Add(&Simd.start t.IntoColumns, at.Column)
        let j1 = min 1 (at.Width - 1)
        let j2 = min 2 (at.Width - 1)
        let j3 = min 3 (at.Width - 1)
        let s0 = &Unsafe.Add(&numbers, rowPlaces)
        let f0 = &Unsafe.Add(&vectors, columnPlaces)
        let f1 = &Unsafe.Add(&vectors, Unsafe.Add(&columnPlaces, j1))
        let f2 = &Unsafe.Add(&vectors, Unsafe.Add(&columnPlaces, j2))
        let f3 = &Unsafe.Add(&vectors, Unsafe.Add(&columnPlaces, j3))
        let place0 = at.Into + intoColumns
        let place1 = at.Into + Unsafe.Add(&intoColumns, j1)
        let place2 = at.Into + Unsafe.Add(&intoColumns, j2)
        let place3 = at.Into + Unsafe.Add(&intoColumns, j3)
        let row = fromRows
        let mutable c00 = t.Sums.Initial<'V, 'L>(&from, row, place0)
        let mutable c01 = t.Sums.Initial<'V, 'L>(&from, row, place1)
        let mutable c02 = t.Sums.Initial<'V, 'L>(&from, row, place2)
        let mutable c03 = t.Sums.Initial<'V, 'L>(&from, row, place3)
        let aSteps = &Simd.start t.ASteps
        let bSteps = &Simd.start t.BSteps

        for k in 0 .. t.Depth - 1 do
            let step = Unsafe.Add(&bSteps, k)
            let b0 = 'L.Load(&f0, step)
            let b1 = 'L.Load(&f1, step)
            let b2 = 'L.Load(&f2, step)
            let b3 = 'L.Load(&f3, step)
            let step = Unsafe.Add(&aSteps, k)
            let a = t.Sums.Load<'V, 'L>(&s0, step)
            c00 <- 'L.MultiplyAdd(a, b0, c00)
            c01 <- 'L.MultiplyAdd(a, b1, c01)
            c02 <- 'L.MultiplyAdd(a, b2, c02)
            c03 <- 'L.MultiplyAdd(a, b3, c03)

        t.Finish<'V, 'L>(at, 0, c00, c01, c02, c03)

    /// Six rows.
    member t.Rows<'V, 'L when 'L :> ISimd<'V, 'T>>(at: LanePlace) : unit =
        if Unsafe.SizeOf<'V>() = 64 then
            t.Wide<'V, 'L> at
        else
            t.Narrow<'V, 'L> at

            if at.Width > 2 then
                t.Narrow<'V, 'L> {
                    at with
                        Column = at.Column + 2
                        Width = at.Width - 2
                }
