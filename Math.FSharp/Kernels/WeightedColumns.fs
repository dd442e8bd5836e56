namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices

/// Loops over the numbers of a sample that are not 0, of which there are few.
[<RequireQualifiedAccess>]
module internal WeightedColumns =
    /// The first index from `from` on, below `until`, of a number that is not 0; `until` if all are 0.
    let rec nextNonZero
        (values: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        (from: int)
        (until: int)
        : int =
        let bytes = MemoryMarshal.AsBytes(ReadOnlySpan(values, from, until - from))
        let found = bytes.IndexOfAnyExcept 0uy

        if found < 0 then
            until
        else
            let index = from + found / Unsafe.SizeOf<'T>()

            // −0 has a bit that is not 0.
            if 'T.IsZero values[index] then
                nextNonZero values (index + 1) until
            else
                index

    /// Adds `count` numbers of an array, each times x, to as many of another one.
    let add
        (source: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        (from: int)
        (count: int)
        (x: 'T)
        (sums: 'T[])
        (into: int)
        : unit =
        for i in 0 .. count - 1 do
            sums[into + i] <- 'T.FusedMultiplyAdd(source[from + i], x, sums[into + i])
