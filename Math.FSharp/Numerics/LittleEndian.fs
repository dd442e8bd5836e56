namespace Pipeline.Learning

open System
open System.Runtime.CompilerServices
open System.Runtime.InteropServices

/// Numbers as bytes, the low byte first on every machine.
[<RequireQualifiedAccess>]
module internal LittleEndian =
    /// The numbers' bytes at the start of a span.
    let copy (values: 'T[]) (bytes: Span<byte>) : unit =
        MemoryMarshal.AsBytes(ReadOnlySpan values).CopyTo bytes

        if not BitConverter.IsLittleEndian then
            let size = Unsafe.SizeOf<'T>()

            for i in 0 .. values.Length - 1 do
                bytes.Slice(i * size, size).Reverse()

    let bytes (values: 'T[]) : byte[] =
        let bytes = Array.zeroCreate (values.Length * Unsafe.SizeOf<'T>())
        copy values (Span bytes)
        bytes

    /// The numbers in bytes of either order.
    let ordered (isBig: bool) (bytes: ReadOnlySpan<byte>) : 'T[] =
        let copy = bytes.ToArray()

        if isBig = BitConverter.IsLittleEndian then
            let size = Unsafe.SizeOf<'T>()

            for i in 0 .. copy.Length / size - 1 do
                Array.Reverse(copy, i * size, size)

        MemoryMarshal.Cast<byte, 'T>(ReadOnlySpan copy).ToArray()

    let numbers (bytes: ReadOnlySpan<byte>) : 'T[] = ordered false bytes
