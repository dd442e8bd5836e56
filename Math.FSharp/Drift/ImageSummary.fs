namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics

/// <summary>Six figures of each channel of an image: how much ink it has, where, and how far it spreads.</summary>
/// <remarks>They are made of whole sums of the pixels x at row r and column c: Σx, Σxr, Σxr², Σxc, Σxc². The order of the
/// additions does not change them.</remarks>
[<RequireQualifiedAccess>]
module internal ImageSummary =
    /// The figures' names.
    let private names = [
        "ink"
        "pixels with ink"
        "centre from the left"
        "centre from the top"
        "width"
        "height"
    ]

    /// The number of figures of a channel.
    let figures = names.Length

    /// The channels that have figures: all, or as many as there may be at even distances.
    let channels (size: ImageSize) : int[] =
        let most = WatchedColumns.Most / figures

        if size.Channels <= most then
            [| 0 .. size.Channels - 1 |]
        else
            Array.init most (fun i -> int (int64 i * int64 size.Channels / int64 most))

    /// The names of an image's figures, channel after channel.
    let namesOf (size: ImageSize) : string list =
        if size.Channels = 1 then
            names
        else
            [
                for channel in channels size do
                    for name in names -> invariant $"{name}, channel {channel + 1}"
            ]

    /// Rows whose sums of a column 16 bits hold.
    [<Literal>]
    let private MostRows = 256

    /// Σx, Σxr, Σxr², Σxc, Σxc².
    [<Struct>]
    type private Sums = {
        mutable All: int64
        mutable Row: int64
        mutable RowSquare: int64
        mutable Column: int64
        mutable ColumnSquare: int64
    }

    /// Adds the sums of a column.
    let inline private addColumn (sums: byref<Sums>) (column: int) (sum: int64) : unit =
        let place = int64 column
        sums.Column <- sums.Column + place * sum
        sums.ColumnSquare <- sums.ColumnSquare + place * place * sum

    /// Adds the sums of a part of a row.
    let inline private addRow (sums: byref<Sums>) (row: int) (sum: int64) : unit =
        let place = int64 row
        sums.All <- sums.All + sum
        sums.Row <- sums.Row + place * sum
        sums.RowSquare <- sums.RowSquare + place * place * sum

    /// The sum of four 16-bit numbers, below 2¹⁶: it is the highest of the product's.
    let inline private sumOfFour (numbers: uint64) : int64 =
        int64 ((numbers * 0x0001_0001_0001_0001UL) >>> 48)

    let inline private sumOf (numbers: Vector128<uint16>) : int64 =
        let words = numbers.AsUInt64()
        sumOfFour (words.GetElement 0) + sumOfFour (words.GetElement 1)

    /// Adds 16 neighbouring columns of some rows; the pixels that `kept` masks do not count.
    [<MethodImpl(MethodImplOptions.AggressiveOptimization)>]
    let private addColumns
        (sums: byref<Sums>)
        (pixels: ReadOnlySpan<byte>)
        (columns: int)
        (rows: struct (int * int))
        (first: int)
        (kept: Vector128<byte>)
        : unit =
        let struct (from, until) = rows
        let start = &MemoryMarshal.GetReference pixels
        let mutable lower = Vector128<uint16>.Zero
        let mutable upper = Vector128<uint16>.Zero

        for row in from .. until - 1 do
            let found =
                Vector128.BitwiseAnd(
                    Vector128.LoadUnsafe(&start, unativeint (row * columns + first)),
                    kept
                )

            let low = Vector128.WidenLower found
            let high = Vector128.WidenUpper found
            lower <- Vector128.Add(lower, low)
            upper <- Vector128.Add(upper, high)
            addRow &sums row (sumOf (Vector128.Add(low, high)))

        for lane in 0..7 do
            addColumn &sums (first + lane) (int64 (lower.GetElement lane))
            addColumn &sums (first + 8 + lane) (int64 (upper.GetElement lane))

    let private lanes = Vector128.Create<byte>(values = Array.init 16 byte)

    let private sumsOf (columns: int) (pixels: ReadOnlySpan<byte>) : Sums =
        let rows = pixels.Length / columns
        let mutable sums = Unchecked.defaultof<Sums>

        if columns < 16 then
            for row in 0 .. rows - 1 do
                let mutable sum = 0

                for column in 0 .. columns - 1 do
                    let pixel = int pixels[row * columns + column]
                    sum <- sum + pixel
                    addColumn &sums column (int64 pixel)

                addRow &sums row (int64 sum)
        else
            for part in 0 .. (rows - 1) / MostRows do
                let some = struct (part * MostRows, min rows ((part + 1) * MostRows))

                for first in 0..16 .. columns - 1 do
                    // The last columns overlap those before them.
                    let at = min first (columns - 16)
                    let seen = Vector128.Create(byte (first - at))

                    addColumns
                        &sums
                        pixels
                        columns
                        some
                        at
                        (Vector128.GreaterThanOrEqual(lanes, seen))

        sums

    /// <summary>The figures of a channel, in the order of their names: the share of full ink; the share of pixels that are
    /// not 0; the mean column and row of the ink; its standard deviation over columns and over rows. The last four are NaN
    /// for a channel without ink.</summary>
    /// <param name="columns">The number of columns.</param>
    /// <param name="pixels">A byte a pixel, row after row: 0 is the background, 255 full ink.</param>
    let create
        (columns: int)
        (pixels: ReadOnlySpan<byte>)
        : struct (float * float * float * float * float * float) =
        let sums = sumsOf columns pixels
        let count = float pixels.Length
        let ink = float sums.All
        let inked = pixels.Length - MemoryExtensions.Count(pixels, 0uy)
        let left, top = float sums.Column / ink, float sums.Row / ink

        let deviation (mean: float) (squares: int64) =
            Math.Sqrt(Math.Max(0.0, float squares / ink - mean * mean))

        struct (ink / (255.0 * count),
                float inked / count,
                left,
                top,
                deviation left sums.ColumnSquare,
                deviation top sums.RowSquare)
