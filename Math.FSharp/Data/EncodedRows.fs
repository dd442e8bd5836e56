namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra

/// Rows of a table in a few numbers each: of a column of categories the index of the row's category, which stands for
/// as many inputs as there are categories.
type internal EncodedRows<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// (columns, rows): numbers, then the index of each category, −1 where all of the column's inputs are 0. Single
    /// precision holds every index below 16,777,216.
    Columns: Matrix<'T>
    /// How many categories each column of categories has.
    Sizes: int[]
}

/// Numbers of either precision as indices of categories, and the 1 that an index stands for.
[<AbstractClass; Sealed>]
type internal CategoryIndex<'T> private () =
    static let one =
        if typeof<'T> = typeof<float32> then
            unbox<'T>(box 1.0f)
        else
            unbox<'T>(box 1.0)

    static member One: 'T = one

    /// The index that a number holds.
    static member Of(number: byref<'T>) : int =
        if typeof<'T> = typeof<float32> then
            int (Unsafe.As<'T, float32> &number)
        else
            int (Unsafe.As<'T, float> &number)

/// Expanding rows to the inputs of a network.
[<RequireQualifiedAccess>]
module internal EncodedRows =
    /// How many inputs a row has.
    let features (encoded: EncodedRows<'T>) : int =
        encoded.Columns.RowCount - encoded.Sizes.Length + Array.sum encoded.Sizes

    /// Whether most inputs of a row are 0.
    let isSparse (encoded: EncodedRows<'T>) : bool =
        features encoded >= 8 * encoded.Columns.RowCount

    /// Some of the rows, in an order.
    let take (rows: int[]) (encoded: EncodedRows<'T>) : EncodedRows<'T> =
        let source = Kernels.values encoded.Columns
        let width = encoded.Columns.RowCount
        let values: 'T[] = Kernels.newArray width rows.Length

        for s in 0 .. rows.Length - 1 do
            Array.blit source (rows[s] * width) values (s * width) width

        {
            encoded with
                Columns = Kernels.matrix width rows.Length values
        }

    /// Writes the places of a row's inputs that are not 0 and their numbers to two arrays, from an index on, and returns
    /// the next index.
    let writeNonZeros
        (places: int[])
        (values: 'T[])
        (index: int)
        (row: int)
        (encoded: EncodedRows<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : int =
        let source = Kernels.values encoded.Columns
        let width = encoded.Columns.RowCount
        let numbers = width - encoded.Sizes.Length
        let mutable next = index

        for i in 0 .. numbers - 1 do
            let value = source[row * width + i]

            if not ('T.IsZero value) then
                places[next] <- i
                values[next] <- value
                next <- next + 1

        let mutable first = numbers

        for k in 0 .. encoded.Sizes.Length - 1 do
            let category = CategoryIndex<'T>.Of &source[row * width + numbers + k]

            if category >= 0 then
                places[next] <- first + category
                values[next] <- 'T.One
                next <- next + 1

            first <- first + encoded.Sizes[k]

        next

    /// The inputs of some rows, (features, rows): numbers, then an input for each category, 1 for the row's.
    let expand (rows: int[]) (encoded: EncodedRows<'T>) : Matrix<'T> =
        let features = features encoded
        let source = Kernels.values encoded.Columns
        let width = encoded.Columns.RowCount
        let numbers = width - encoded.Sizes.Length
        let values: 'T[] = Kernels.newArray features rows.Length
        Array.Clear values

        for s in 0 .. rows.Length - 1 do
            let from = rows[s] * width
            let into = s * features

            for i in 0 .. numbers - 1 do
                values[into + i] <- source[from + i]

            let mutable first = into + numbers

            for k in 0 .. encoded.Sizes.Length - 1 do
                let index = CategoryIndex<'T>.Of &source[from + numbers + k]

                if index >= 0 then
                    values[first + index] <- CategoryIndex<'T>.One

                first <- first + encoded.Sizes[k]

        Kernels.matrix features rows.Length values
