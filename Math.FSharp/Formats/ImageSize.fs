namespace Pipeline.Learning

/// The size of an image.
[<Struct>]
type ImageSize = {
    /// The number of channels: 1 of a grey image; 3 of one of red, green and blue.
    Channels: int
    /// The height in pixels.
    Rows: int
    /// The width in pixels.
    Columns: int
} with

    /// <summary>The size of a grey image: one channel.</summary>
    static member Grey(rows: int, columns: int) : ImageSize = {
        Channels = 1
        Rows = rows
        Columns = columns
    }

    /// The number of pixels: rows · columns.
    member size.Area = size.Rows * size.Columns

    /// The number of numbers: channels · rows · columns.
    member size.Count = size.Channels * size.Area

    /// 28 × 28 pixels, or 3 channels of 32 × 32 pixels.
    override size.ToString() =
        let pixels = invariant $"{size.Rows} × {size.Columns} pixels"

        if size.Channels = 1 then
            pixels
        else
            invariant $"{size.Channels} channels of {pixels}"
