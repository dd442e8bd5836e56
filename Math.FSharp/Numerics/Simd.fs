namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open System.Runtime.Intrinsics.X86
open Microsoft.FSharp.NativeInterop

/// Running loops with the widest registers, and access to arrays without checks.
[<RequireQualifiedAccess>]
module internal Simd =
    /// Runs the loop with the widest registers that the machine has and `length` elements fill.
    let run<'T, 'Loop
        when 'Loop :> ILoop<'T>
        and 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (length: int)
        (loop: 'Loop)
        : unit =
        if Vector512.IsHardwareAccelerated && length >= Vector512<'T>.Count then
            loop.Run<Vector512<'T>, Simd512<'T>>()
        elif Vector256.IsHardwareAccelerated && length >= Vector256<'T>.Count then
            loop.Run<Vector256<'T>, Simd256<'T>>()
        elif Vector128.IsHardwareAccelerated && length >= Vector128<'T>.Count then
            loop.Run<Vector128<'T>, Simd128<'T>>()
        else
            loop.Run<'T, Simd1<'T>>()

    /// Whether three registers of `size` rows and a narrow one hold the last band of the rows.
    let private endsNarrow (size: int) (narrow: int) (rows: int) : bool =
        (rows - 1) % (4 * size) < 3 * size + narrow

    /// Runs the loop with the widest registers that the machine has and the rows fill.
    let runBands<'T, 'Loop
        when 'Loop :> IBandLoop<'T>
        and 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (rows: int)
        (loop: 'Loop)
        : unit =
        let narrow = Vector128<'T>.Count

        if Vector512.IsHardwareAccelerated && rows >= Vector512<'T>.Count then
            if endsNarrow Vector512<'T>.Count narrow rows then
                loop.Run<Vector512<'T>, Simd512<'T>, Vector128<'T>, Simd128<'T>>()
            else
                loop.Run<Vector512<'T>, Simd512<'T>, Vector512<'T>, Simd512<'T>>()
        elif Vector256.IsHardwareAccelerated && rows >= Vector256<'T>.Count then
            if endsNarrow Vector256<'T>.Count narrow rows then
                loop.Run<Vector256<'T>, Simd256<'T>, Vector128<'T>, Simd128<'T>>()
            else
                loop.Run<Vector256<'T>, Simd256<'T>, Vector256<'T>, Simd256<'T>>()
        elif Vector128.IsHardwareAccelerated && rows >= narrow then
            loop.Run<Vector128<'T>, Simd128<'T>, Vector128<'T>, Simd128<'T>>()
        else
            loop.Run<'T, Simd1<'T>, 'T, Simd1<'T>>()

    /// A reference to the array's first element, without the check that every index costs.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let start (values: 'T[]) : byref<'T> =
        &MemoryMarshal.GetArrayDataReference values

    /// Loads some elements into the cache ahead of their use.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let prefetch (values: byref<'T>, first: int, count: int) : unit =
        if Sse.IsSupported then
            let start = &Unsafe.Add(&values, first)

            for i in 0 .. 64 / Unsafe.SizeOf<'T>() .. count - 1 do
                // A prefetch reads nothing, so an array moved meanwhile does no harm.
                Sse.Prefetch0(Unsafe.AsPointer(&Unsafe.Add(&start, i)))

    /// More elements than there are before an array's first cache line.
    [<Literal>]
    let LineSpare = 16

    /// How many elements into an array a cache line begins: registers stored from there on touch one
    /// line each. The collector may move the array, which costs speed alone.
    let lineStart (values: 'T[]) : int =
        let address =
            unativeint (
                NativePtr.toNativeInt (NativePtr.ofVoidPtr<byte>(Unsafe.AsPointer(&start values)))
            )

        int ((64un - address % 64un) % 64un) / Unsafe.SizeOf<'T>()
