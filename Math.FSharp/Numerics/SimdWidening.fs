namespace Pipeline.Learning

open System
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics

/// Bytes as whole numbers of 32 bits.
[<RequireQualifiedAccess>]
module internal SimdWidening =
    /// The bytes of one word in a register's first lanes.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let load<'W when 'W: struct and 'W: unmanaged and 'W :> ValueType and 'W: (new: unit -> 'W)>
        (start: byref<byte>, i: nativeint)
        : Vector128<byte> =
        Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<'W>(&Unsafe.Add(&start, i))).AsByte()

    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let to128 (bytes: Vector128<byte>) : Vector128<int> =
        Vector128.WidenLower(Vector128.WidenLower bytes).AsInt32()

    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let to256 (bytes: Vector128<byte>) : Vector256<int> =
        Vector256.WidenLower(Vector128.WidenLower(bytes).ToVector256Unsafe()).AsInt32()

    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let to512 (bytes: Vector128<byte>) : Vector512<int> =
        Vector512
            .WidenLower(Vector256.WidenLower(bytes.ToVector256Unsafe()).ToVector512Unsafe())
            .AsInt32()
