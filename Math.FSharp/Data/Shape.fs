namespace Pipeline.Learning

open System

/// The shape of a sample, or of a layer's output for one sample.
[<RequireQualifiedAccess>]
type Shape =
    /// A vector of numbers.
    | Vector of size: int
    /// Channels of rows and columns: one channel after the other, each row by row.
    | Image of channels: int * rows: int * columns: int

    /// The number of numbers.
    member shape.Size =
        match shape with
        | Vector size -> size
        | Image(channels, rows, columns) -> channels * rows * columns

    /// Whether each dimension is 1 or more, and an array can hold the numbers.
    member internal shape.IsPossible =
        match shape with
        | Vector size -> size >= 1 && size <= Array.MaxLength
        | Image(channels, rows, columns) ->
            channels >= 1
            && rows >= 1
            && columns >= 1
            && Math.BigMul(channels, rows) <= int64 Array.MaxLength
            && Math.BigMul(channels, rows) * int64 columns <= int64 Array.MaxLength

    /// The number of channels; each number of a vector is one.
    member shape.Channels =
        match shape with
        | Vector size -> size
        | Image(channels, _, _) -> channels

    /// The size of an image; no value for a vector.
    member internal shape.ImageSize: ImageSize voption =
        match shape with
        | Vector _ -> ValueNone
        | Image(channels, rows, columns) ->
            ValueSome {
                Channels = channels
                Rows = rows
                Columns = columns
            }

    /// 784, or 3x32x32.
    override shape.ToString() =
        match shape with
        | Vector size -> string size
        | Image(channels, rows, columns) -> invariant $"{channels}x{rows}x{columns}"
