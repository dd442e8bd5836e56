namespace Pipeline.Learning

/// The first rows of the four registers that cover a band of rows. Registers are moved back to end where
/// the column ends; where they overlap, both hold the same numbers.
[<Struct>]
type internal RowBand = {
    R0: nativeint
    R1: nativeint
    R2: nativeint
    R3: nativeint
} with

    /// The band from row `first` on, with registers of `size` rows, the last one of `narrow` rows.
    static member Of(first: int, size: int, narrow: int, rows: int) : RowBand =
        let last = rows - size

        {
            R0 = nativeint (min first last)
            R1 = nativeint (min (first + size) last)
            R2 = nativeint (min (first + 2 * size) last)
            R3 = nativeint (min (first + 3 * size) (rows - narrow))
        }

/// A loop that runs with registers of any width.
type internal ILoop<'T> =
    abstract Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct> : unit -> unit

/// A loop over bands of four registers of rows. The fourth register of the last band has type 'W: a narrow
/// one if it holds few rows, because a wide one costs the same however little of it is used.
type internal IBandLoop<'T> =
    abstract Run<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T>
        and 'V: struct
        and 'L :> INarrow<'V, 'V>
        and 'N :> ISimd<'W, 'T>
        and 'W: struct
        and 'N :> INarrow<'V, 'W>> : unit -> unit

/// An elementwise function of one array, for registers of any width.
type internal IMap<'T> =
    abstract Apply<'V, 'L when 'L :> ISimd<'V, 'T>> : 'V -> 'V

/// An elementwise function of two arrays of one length.
type internal IMap2<'T> =
    abstract Apply<'V, 'L when 'L :> ISimd<'V, 'T>> : 'V * 'V -> 'V

/// An optimizer's update of one element: from its gradient, parameter and two memories to the next parameter
/// and memories.
type internal IUpdate<'T> =
    abstract Apply<'V, 'L when 'L :> ISimd<'V, 'T>> :
        gradient: 'V * parameter: 'V * first: 'V * second: 'V -> struct ('V * 'V * 'V)
