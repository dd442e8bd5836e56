namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Formats

/// Hashes of rows, by which a table is split: equal rows have equal hashes.
[<RequireQualifiedAccess>]
module internal RowKey =
    [<Literal>]
    let Multiplier = 0x9E3779B97F4A7C15UL

    /// A hash of 64 bits, mixed with another word.
    let inline mix (hash: uint64) (word: uint64) : uint64 =
        BitOperations.RotateLeft((hash ^^^ word) * Multiplier, 29)

    // Prefixes of a cell's bits.
    [<Literal>]
    let private Missing = 1UL

    [<Literal>]
    let private Truth = 2UL

    [<Literal>]
    let private Text = 3UL

    [<Literal>]
    let private Numeric = 4UL

    /// A number is rounded to single precision, so that files of both precisions agree; a whole number is not, as it may be
    /// that of a customer.
    let inline private ofNumber (hash: uint64) (number: float) : uint64 =
        let single = float32 number

        if
            Single.IsFinite single
            && (single <> 0.0f || number = 0.0)
            && (float single = number || not (Double.IsInteger number))
        then
            mix hash ((uint64 (BitConverter.SingleToUInt32Bits(single + 0.0f)) <<< 8) ||| Numeric)
        else
            mix (mix hash (BitConverter.DoubleToUInt64Bits number)) Text

    let private ofText (text: string) (hash: uint64) : uint64 =
        let mutable hash = mix (mix hash Text) (uint64 text.Length)

        for c in text do
            hash <- mix hash (uint64 c)

        hash

    /// Mixes a text with a hash.
    let private mixText (reader: CellReader) (cell: string) : uint64 -> uint64 =
        match reader.Read cell with
        | CellValue.Missing -> fun hash -> mix hash Missing
        | CellValue.Number number ->
            match reader.RoundedDigits(cell, number) with
            | ValueSome digits -> ofText digits
            | ValueNone -> fun hash -> ofNumber hash number
        | CellValue.Other ->
            match reader.Truth cell with
            | ValueSome isTrue -> fun hash -> mix (mix hash Truth) (if isTrue then 1UL else 0UL)
            | ValueNone -> ofText (cell.Trim())

    /// Rows that are hashed together: their hashes and a column's numbers stay in the cache.
    [<Literal>]
    let private Tile = 4096

    /// Mixes a column's cells with the hashes of the rows from the first to the one before the last.
    let private mixColumn (reader: CellReader) (column: Column) : uint64[] -> int -> int -> unit =
        match column.Cells with
        | Cells.Numbers numbers ->
            fun keys first last ->
                for row in first .. last - 1 do
                    keys[row] <-
                        if reader.IsMissing numbers[row] then
                            mix keys[row] Missing
                        else
                            ofNumber keys[row] numbers[row]
        | NumbersIn reader known ->
            fun keys first last ->
                let numbers: float[] = Array.zeroCreate (last - first)
                known.Numbers.Copy(first, numbers.AsSpan())

                for row in 0 .. numbers.Length - 1 do
                    let key = &keys[first + row]

                    key <-
                        if Double.IsNaN numbers[row] then
                            mix key Missing
                        else
                            ofNumber key numbers[row]
        | Cells.Texts texts ->
            let mixed = Cells.valueOfText (mixText reader) texts

            fun keys first last ->
                for row in first .. last - 1 do
                    keys[row] <- mixed row keys[row]
        | Cells.Unreadable _ -> fun _ _ _ -> ()

    /// <summary>A hash of each row, by the meaning of numbers, truth values, texts and missing cells, not by
    /// their spelling.</summary>
    /// <param name="reader">Reads the cells.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">The columns to hash, in order.</param>
    let ofColumns (reader: CellReader) (rows: int) (columns: Column list) : uint64[] =
        let keys = Array.zeroCreate rows
        let mixes = columns |> List.map (mixColumn reader) |> Array.ofList
        let tiles = (rows + Tile - 1) / Tile

        // Only what this library holds may be read on several threads.
        let mayShare =
            columns
            |> List.forall (fun column ->
                match column.Cells with
                | NumbersIn reader _
                | Cells.Texts(:? RepeatedTexts) -> true
                | Cells.Texts _ -> false
                | _ -> true)

        let work =
            if mayShare then
                8L * int64 rows * int64 mixes.Length
            else
                0L

        ThreadTeam.run work tiles (fun tile ->
            let first = tile * Tile

            for mixed in mixes do
                mixed keys first (min rows (first + Tile)))

        keys
