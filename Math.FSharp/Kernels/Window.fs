namespace Pipeline.Learning

/// Rows and columns.
[<Struct>]
type Extent = {
    /// The number of rows.
    Rows: int
    /// The number of columns.
    Columns: int
} with

    /// As many rows as columns.
    static member Square(size: int) : Extent = { Rows = size; Columns = size }

    /// 5, or 5x3.
    override extent.ToString() =
        if extent.Rows = extent.Columns then
            string extent.Rows
        else
            invariant $"{extent.Rows}x{extent.Columns}"

/// A window that moves over the rows and columns of images.
type Window = {
    /// The rows and columns of numbers that it takes at once.
    Size: Extent
    /// How far it moves.
    Stride: Extent
    /// The rows and columns of zeros before and behind the image's.
    Padding: Extent
    /// From one number that it takes to the next.
    Dilation: Extent
} with

    /// How many places it has along one direction; 0 if it does not fit in.
    static member private PlacesAlong(length, size, stride, padding, dilation) : int =
        let spare =
            int64 length + 2L * int64 padding - (int64 dilation * (int64 size - 1L) + 1L)

        if spare < 0L then
            0
        else
            int (min (spare / int64 stride) (int64 System.Int32.MaxValue - 1L)) + 1

    /// How many places it has in an image of these rows and columns; 0 rows or columns if it does not fit in.
    member internal window.Places(image: Extent) : Extent = {
        Rows =
            Window.PlacesAlong(
                image.Rows,
                window.Size.Rows,
                window.Stride.Rows,
                window.Padding.Rows,
                window.Dilation.Rows
            )
        Columns =
            Window.PlacesAlong(
                image.Columns,
                window.Size.Columns,
                window.Stride.Columns,
                window.Padding.Columns,
                window.Dilation.Columns
            )
    }

    /// A window that moves on by one row and column at a time over images without padding.
    static member Of(size: Extent) : Window = {
        Size = size
        Stride = Extent.Square 1
        Padding = Extent.Square 0
        Dilation = Extent.Square 1
    }

    /// The image with its padding.
    member internal window.Padded(image: Extent) : Extent = {
        Rows = image.Rows + 2 * window.Padding.Rows
        Columns = image.Columns + 2 * window.Padding.Columns
    }
