namespace Pipeline.Learning

open System
open System.Collections.Generic
open System.Numerics
open System.Runtime.InteropServices

/// <summary>Finding test samples that are among the training samples too: they do not show what a network has
/// learned.</summary>
[<RequireQualifiedAccess>]
module Leakage =
    /// A hash of 64 bits: words of eight bytes, each mixed in by a product with an odd number.
    let private hash (row: ReadOnlySpan<byte>) : uint64 =
        let words = MemoryMarshal.Cast<byte, uint64> row
        let mutable h = uint64 row.Length

        for word in words do
            h <- BitOperations.RotateLeft((h ^^^ word) * 0x9E3779B97F4A7C15UL, 29)

        for b in row.Slice(8 * words.Length) do
            h <- BitOperations.RotateLeft((h ^^^ uint64 b) * 0x9E3779B97F4A7C15UL, 29)

        h

    /// The bytes of row i, of `width` values.
    let private bytesOf<'V when 'V: struct and 'V :> ValueType and 'V: (new: unit -> 'V)>
        (width: int)
        (rows: ReadOnlyMemory<'V>)
        (i: int)
        : ReadOnlySpan<byte> =
        MemoryMarshal.AsBytes(rows.Span.Slice(i * width, width))

    /// Training rows that one thread compares at a time.
    [<Literal>]
    let private Tile = 4096

    /// The indices of the test rows that equal a training row, byte for byte. A row has `width` values.
    let internal findRows
        (width: int)
        (train: ReadOnlyMemory<'V>)
        (test: ReadOnlyMemory<'V>)
        : int[] when 'V: struct and 'V :> ValueType and 'V: (new: unit -> 'V) =
        let count, rows = test.Length / width, train.Length / width
        // The last test row of each hash, and the one of the same hash before each of them: there are fewer test rows
        // than training rows.
        let last = Dictionary<uint64, int>(count)
        let before: int[] = Array.zeroCreate count
        // Some bits of every hash that there is: most training rows need no search.
        let mask =
            int (BitOperations.RoundUpToPowerOf2(uint32 (min count (1 <<< 24)) * 8u + 64u))
            - 1

        let known: uint64[] = Array.zeroCreate ((mask + 1) / 64)

        for i in 0 .. count - 1 do
            let key = hash (bytesOf width test i)

            before[i] <-
                match last.TryGetValue key with
                | true, other -> other
                | false, _ -> -1

            last[key] <- i
            let bit = int key &&& mask
            known[bit >>> 6] <- known[bit >>> 6] ||| (1UL <<< bit)

        let found: bool[] = Array.zeroCreate count
        let tiles = (rows + Tile - 1) / Tile

        ThreadTeam.run (int64 train.Length) tiles (fun tile ->
            for j in tile * Tile .. min rows ((tile + 1) * Tile) - 1 do
                let row = bytesOf width train j
                let key = hash row
                let bit = int key &&& mask

                if (known[bit >>> 6] >>> bit) &&& 1UL <> 0UL then
                    let mutable i =
                        match last.TryGetValue key with
                        | true, place -> place
                        | false, _ -> -1

                    while i >= 0 do
                        if row.SequenceEqual(bytesOf width test i) then
                            found[i] <- true

                        i <- before[i])

        [|
            for i in 0 .. count - 1 do
                if found[i] then
                    i
        |]

    /// <summary>The indices of the test rows that equal a training row, byte for byte.</summary>
    /// <param name="size">Bytes of a row, 1 or more.</param>
    /// <param name="train">The training rows, one after the other.</param>
    /// <param name="test">The test rows.</param>
    /// <exception cref="T:System.ArgumentException">The bytes are not a whole number of
    /// rows.</exception>
    [<CompiledName("Find")>]
    let find (size: int) (train: ReadOnlyMemory<byte>) (test: ReadOnlyMemory<byte>) : int[] =
        if size < 1 || train.Length % size <> 0 || test.Length % size <> 0 then
            invalidArg
                (nameof size)
                (invariant
                    $"expected the size of a row, found {size} for {train.Length} and {test.Length} bytes")

        findRows size train test
