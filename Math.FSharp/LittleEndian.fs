namespace Pipeline.Learning

open System
open System.Runtime.CompilerServices
open System.Runtime.InteropServices

/// Numbers as bytes, the low byte first on every machine.
[<RequireQualifiedAccess>]
module internal LittleEndian =
    let bytes (values: 'T[]) : byte[] =
        let bytes = MemoryMarshal.AsBytes(ReadOnlySpan values).ToArray()

        if not BitConverter.IsLittleEndian then
            let size = Unsafe.SizeOf<'T>()

            for i in 0 .. values.Length - 1 do
                Array.Reverse(bytes, i * size, size)

        bytes

    let numbers (bytes: ReadOnlySpan<byte>) : 'T[] =
        let copy = bytes.ToArray()

        if not BitConverter.IsLittleEndian then
            let size = Unsafe.SizeOf<'T>()

            for i in 0 .. copy.Length / size - 1 do
                Array.Reverse(copy, i * size, size)

        MemoryMarshal.Cast<byte, 'T>(ReadOnlySpan copy).ToArray()
