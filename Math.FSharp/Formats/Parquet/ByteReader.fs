namespace Pipeline.Learning.Formats

open System
open System.Text
open Pipeline.Learning

/// Bytes that do not follow their format.
exception internal Damaged of expected: string * found: string

[<AutoOpen>]
module internal Damage =
    let damaged (expected: string) (found: string) : 'V = raise (Damaged(expected, found))

/// Reads bytes from the first to the last; missing bytes are damage.
[<Sealed>]
type internal ByteReader(bytes: ReadOnlyMemory<byte>) =
    let mutable place = 0

    /// How many are still to be read.
    member _.Left = bytes.Length - place

    member reader.Take(count: int64) : ReadOnlyMemory<byte> =
        if count < 0L then
            damaged "a size of 0 bytes or more" (string count)

        if count > int64 reader.Left then
            damaged (invariant $"{count} bytes more") (string reader.Left)

        let taken = bytes.Slice(place, int count)
        place <- place + int count
        taken

    member reader.Byte() : byte = reader.Take(1L).Span[0]

    /// A number in 7 bits a byte, the lowest first; all bytes but the last have their highest bit set
    /// (ULEB128).
    member reader.Unsigned() : uint64 =
        let rec next shift value =
            let part = reader.Byte()

            if shift > 63 || shift = 63 && part > 1uy then
                damaged "a number of 64 bits" "a longer one"

            let value = value ||| (uint64 (part &&& 0x7Fuy) <<< shift)
            if part < 0x80uy then value else next (shift + 7) value

        next 0 0UL

    /// Such a number with its sign in the lowest bit: 0, −1, 1, −2, 2, … (zigzag).
    member reader.Signed() : int64 =
        let number = reader.Unsigned()
        int64 (number >>> 1) ^^^ -(int64 (number &&& 1UL))

/// Texts out of bytes.
[<RequireQualifiedAccess>]
module internal Utf8 =
    let private strict = UTF8Encoding(false, throwOnInvalidBytes = true)

    let read (bytes: ReadOnlyMemory<byte>) : string =
        try
            strict.GetString bytes.Span
        with :? DecoderFallbackException ->
            damaged "a text in UTF-8" "other bytes"
