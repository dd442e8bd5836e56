namespace Pipeline.Learning.Formats

open System
open Pipeline.Learning

/// What the bytes of a number mean.
[<RequireQualifiedAccess>]
type internal NumberKind =
    /// A truth value: 0 or 1.
    | Truth
    /// A whole number of 0 or more.
    | Unsigned
    /// A whole number in two's complement.
    | Signed
    /// IEEE 754's binary16, binary32 or binary64.
    | Floating
    /// The upper half of a binary32 number (bfloat16).
    | Brain

/// <summary>Numbers of files, each kind in the smallest of <c>Elements</c> that holds it
/// exactly.</summary>
[<RequireQualifiedAccess>]
module internal NumberBytes =
    /// <summary>The numbers, or nothing where there is no such kind of that size.</summary>
    /// <param name="isBig">Whether the high byte comes first.</param>
    /// <param name="kind">What the bytes mean.</param>
    /// <param name="size">Bytes of a number.</param>
    /// <param name="data">A whole number of them. Single bytes are kept there, not copied.</param>
    /// <remarks>Whole numbers of 64 bits without a sign that are above 2⁶³ − 1 become the nearest ones
    /// in double precision, and so do those beside them.</remarks>
    let read
        (isBig: bool)
        (kind: NumberKind)
        (size: int)
        (data: ReadOnlyMemory<byte>)
        : Elements voption =
        let integers (convert: 'N -> int64) =
            LittleEndian.ordered isBig data.Span
            |> Array.map convert
            |> Elements.Integers
            |> ValueSome

        let singles (convert: 'N -> float32) =
            LittleEndian.ordered isBig data.Span
            |> Array.map convert
            |> Elements.Singles
            |> ValueSome

        match kind, size with
        | NumberKind.Truth, 1
        | NumberKind.Unsigned, 1 -> ValueSome(Elements.Bytes data)
        | NumberKind.Unsigned, 2 -> integers (fun (x: uint16) -> int64 x)
        | NumberKind.Unsigned, 4 -> integers (fun (x: uint32) -> int64 x)
        | NumberKind.Unsigned, 8 ->
            let numbers: uint64[] = LittleEndian.ordered isBig data.Span

            if numbers |> Array.exists (fun x -> x > uint64 Int64.MaxValue) then
                ValueSome(Elements.Doubles(Array.map float numbers))
            else
                ValueSome(Elements.Integers(Array.map int64 numbers))
        | NumberKind.Signed, 1 -> integers (fun (x: sbyte) -> int64 x)
        | NumberKind.Signed, 2 -> integers (fun (x: int16) -> int64 x)
        | NumberKind.Signed, 4 -> integers (fun (x: int32) -> int64 x)
        | NumberKind.Signed, 8 -> ValueSome(Elements.Integers(LittleEndian.ordered isBig data.Span))
        | NumberKind.Floating, 2 -> singles (fun (x: Half) -> float32 x)
        | NumberKind.Floating, 4 ->
            ValueSome(Elements.Singles(LittleEndian.ordered isBig data.Span))
        | NumberKind.Floating, 8 ->
            ValueSome(Elements.Doubles(LittleEndian.ordered isBig data.Span))
        | NumberKind.Brain, 2 ->
            singles (fun (x: uint16) -> BitConverter.UInt32BitsToSingle(uint32 x <<< 16))
        | _ -> ValueNone
