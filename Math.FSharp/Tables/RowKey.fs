namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Formats

/// Hashes of rows, by which a table is split: equal rows have equal hashes.
[<RequireQualifiedAccess>]
module internal RowKey =
    let private multiplier = 0x9E3779B97F4A7C15UL

    /// A hash of 64 bits, mixed with another word.
    let mix (hash: uint64) (word: uint64) : uint64 =
        BitOperations.RotateLeft((hash ^^^ word) * multiplier, 29)

    // Prefixes of a cell's bits.
    let private missing, truth, text, numeric = 1UL, 2UL, 3UL, 4UL

    /// A number is rounded to single precision, so that files of both precisions agree.
    let private ofNumber (hash: uint64) (number: float) : uint64 =
        let single = float32 number

        if Single.IsFinite single && (single <> 0.0f || number = 0.0) then
            mix hash ((uint64 (BitConverter.SingleToUInt32Bits(single + 0.0f)) <<< 8) ||| numeric)
        else
            mix (mix hash (BitConverter.DoubleToUInt64Bits number)) text

    let private ofText (reader: CellReader) (hash: uint64) (cell: string) : uint64 =
        match reader.Read cell with
        | CellValue.Missing -> mix hash missing
        | CellValue.Number number -> ofNumber hash number
        | CellValue.Other ->
            match reader.Truth cell with
            | ValueSome isTrue -> mix (mix hash truth) (if isTrue then 1UL else 0UL)
            | ValueNone ->
                let trimmed = cell.AsSpan().Trim()
                let mutable hash = mix (mix hash text) (uint64 trimmed.Length)

                for c in trimmed do
                    hash <- mix hash (uint64 c)

                hash

    /// <summary>A hash of each row, by the meaning of numbers, truth values, texts and missing cells, not by
    /// their spelling.</summary>
    /// <param name="reader">Reads the cells.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">The columns to hash, in order.</param>
    let ofColumns (reader: CellReader) (rows: int) (columns: Column list) : uint64[] =
        let keys = Array.zeroCreate rows

        for column in columns do
            match column.Cells with
            | Cells.Numbers numbers ->
                for row in 0 .. rows - 1 do
                    keys[row] <-
                        if reader.IsMissing numbers[row] then
                            mix keys[row] missing
                        else
                            ofNumber keys[row] numbers[row]
            | NumbersIn reader known ->
                for row in 0 .. rows - 1 do
                    let number = known.Number row

                    keys[row] <-
                        if Double.IsNaN number then
                            mix keys[row] missing
                        else
                            ofNumber keys[row] number
            | Cells.Texts texts ->
                for row in 0 .. rows - 1 do
                    keys[row] <- ofText reader keys[row] texts[row]
            | Cells.Unreadable _ -> ()

        keys
