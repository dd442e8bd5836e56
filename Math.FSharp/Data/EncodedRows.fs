namespace Pipeline.Learning

open System
open System.Numerics
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

/// Expanding rows to the inputs of a network.
[<RequireQualifiedAccess>]
module internal EncodedRows =
    /// How many inputs a row has.
    let features (encoded: EncodedRows<'T>) : int =
        encoded.Columns.RowCount - encoded.Sizes.Length + Array.sum encoded.Sizes

    /// The inputs of some rows, (features, rows): numbers, then an input for each category, 1 for the row's.
    let expand
        (rows: int[])
        (encoded: EncodedRows<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Matrix<'T> =
        let features = features encoded
        let source = Kernels.values encoded.Columns
        let width = encoded.Columns.RowCount
        let numbers = width - encoded.Sizes.Length
        let values: 'T[] = Kernels.newArray features rows.Length
        Array.Clear values

        for s in 0 .. rows.Length - 1 do
            let from = rows[s] * width
            let into = s * features

            if s + 1 < rows.Length then
                Simd.prefetch (&Simd.start source, rows[s + 1] * width, width)

            for i in 0 .. numbers - 1 do
                values[into + i] <- source[from + i]

            let mutable first = into + numbers

            for k in 0 .. encoded.Sizes.Length - 1 do
                let index = Int32.CreateTruncating source[from + numbers + k]

                if index >= 0 then
                    values[first + index] <- 'T.One

                first <- first + encoded.Sizes[k]

        Kernels.matrix features rows.Length values
