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

    /// The indices of the test rows that equal a training row, byte for byte. A row has `width` values.
    let internal findRows
        (width: int)
        (train: ReadOnlyMemory<'V>)
        (test: ReadOnlyMemory<'V>)
        : int[] when 'V: struct and 'V :> ValueType and 'V: (new: unit -> 'V) =
        let count = test.Length / width
        let found = HashSet<int>()
        // Indices of test rows by their hash: there are fewer test rows than training rows.
        let places = Dictionary<uint64, int list>(count)

        for i in 0 .. count - 1 do
            let key = hash (bytesOf width test i)

            match places.TryGetValue key with
            | true, others -> places[key] <- i :: others
            | false, _ -> places[key] <- [ i ]

        for j in 0 .. train.Length / width - 1 do
            match places.TryGetValue(hash (bytesOf width train j)) with
            | true, candidates ->
                for i in candidates do
                    if (bytesOf width train j).SequenceEqual(bytesOf width test i) then
                        found.Add i |> ignore
            | false, _ -> ()

        found |> Array.ofSeq |> Array.sort

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
                $"expected the size of a row, found %d{size} for %d{train.Length} and %d{test.Length} bytes"

        findRows size train test
