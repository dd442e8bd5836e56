namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open System.Runtime.Intrinsics.X86
open Microsoft.FSharp.NativeInterop

/// What a loop needs of a SIMD register of any width. One loop, written against it, serves both
/// precisions and every machine; a lone number is a register of one lane. Every member rounds each
/// lane as IEEE 754 says, so the width never changes a bit.
type internal ISimd<'V, 'T> =
    static abstract Count: int
    static abstract Create: 'T -> 'V
    static abstract Load: byref<'T> * nativeint -> 'V
    /// So many bytes as numbers.
    static abstract LoadBytes: byref<byte> * nativeint -> 'V
    static abstract Store: 'V * byref<'T> * nativeint -> unit
    static abstract Add: 'V * 'V -> 'V
    static abstract Subtract: 'V * 'V -> 'V
    static abstract Multiply: 'V * 'V -> 'V
    static abstract Divide: 'V * 'V -> 'V
    static abstract SquareRoot: 'V -> 'V
    /// x·y + z, rounded once.
    static abstract MultiplyAdd: 'V * 'V * 'V -> 'V
    /// Per lane: a > b ? x : y. False where either is not a number.
    static abstract WhereGreater: 'V * 'V * 'V * 'V -> 'V
    /// The same numbers, 0 for −0. Whether a sum of zeros is 0 or −0 follows from the signs of its zero
    /// products; loops that leave zeros out agree with those that do not once both store 0.
    static abstract WithoutMinusZero: 'V -> 'V
    /// A bit a lane, the first the lowest: whether it is anything but 0.
    static abstract NonZero: 'V -> uint64
    /// 2ⁿ for a whole n in the low bits of the significand, as adding 1.5·2^(significand bits) leaves it.
    static abstract PowerOfTwo: 'V -> 'V

/// Bytes as whole numbers of 32 bits.
[<RequireQualifiedAccess>]
module internal Widening =
    /// As many bytes as the word has, in a register's first lanes.
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

/// A register's first lanes as a narrower register, or the register itself.
type internal IPart<'V, 'W> =
    static abstract First: 'V -> 'W

[<Struct>]
type internal Simd512<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>> =
    interface ISimd<Vector512<'T>, 'T> with
        static member Count = Vector512<'T>.Count

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Create x = Vector512.Create<'T>(x)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Load(start, i) =
            Vector512.LoadUnsafe<'T>(&start, unativeint i)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member LoadBytes(start, i) =
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                Vector512
                    .ConvertToSingle(Widening.to512 (Vector128.LoadUnsafe(&start, unativeint i)))
                    .As<float32, 'T>()
            else
                let whole = Widening.to256 (Widening.load<uint64>(&start, i))

                Vector512
                    .ConvertToDouble(Vector512.WidenLower(whole.ToVector512Unsafe()))
                    .As<float, 'T>()

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Store(v, start, i) =
            Vector512.StoreUnsafe<'T>(v, &start, unativeint i)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Add(x, y) = Vector512.Add<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Subtract(x, y) = Vector512.Subtract<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Multiply(x: Vector512<'T>, y: Vector512<'T>) = Vector512.Multiply<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Divide(x: Vector512<'T>, y: Vector512<'T>) = Vector512.Divide<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member SquareRoot x = Vector512.Sqrt<'T>(x)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member MultiplyAdd(x, y, z) =
            // The comparison of types is resolved when the method is compiled for 'T.
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                Vector512
                    .FusedMultiplyAdd(x.AsSingle(), y.AsSingle(), z.AsSingle())
                    .As<float32, 'T>()
            else
                Vector512.FusedMultiplyAdd(x.AsDouble(), y.AsDouble(), z.AsDouble()).As<float, 'T>()

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member WhereGreater(a, b, x, y) =
            Vector512.ConditionalSelect<'T>(Vector512.GreaterThan<'T>(a, b), x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member WithoutMinusZero x =
            Vector512.Add<'T>(x, Vector512<'T>.Zero)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member NonZero x =
            uint64 (
                Vector512.ExtractMostSignificantBits<'T>(
                    Vector512.OnesComplement<'T>(Vector512.Equals<'T>(x, Vector512<'T>.Zero))
                )
            )

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member PowerOfTwo n =
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                Vector512
                    .ShiftLeft(Vector512.Add<int>(n.AsInt32(), Vector512.Create 127), 23)
                    .As<int, 'T>()
            else
                Vector512
                    .ShiftLeft(Vector512.Add<int64>(n.AsInt64(), Vector512.Create 1023L), 52)
                    .As<int64, 'T>()

    interface IPart<Vector512<'T>, Vector512<'T>> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member First x = x

[<Struct>]
type internal Simd256<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>> =
    interface ISimd<Vector256<'T>, 'T> with
        static member Count = Vector256<'T>.Count

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Create x = Vector256.Create<'T>(x)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Load(start, i) =
            Vector256.LoadUnsafe<'T>(&start, unativeint i)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member LoadBytes(start, i) =
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                Vector256
                    .ConvertToSingle(Widening.to256 (Widening.load<uint64>(&start, i)))
                    .As<float32, 'T>()
            else
                let whole = Widening.to128 (Widening.load<uint32>(&start, i))

                Vector256
                    .ConvertToDouble(Vector256.WidenLower(whole.ToVector256Unsafe()))
                    .As<float, 'T>()

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Store(v, start, i) =
            Vector256.StoreUnsafe<'T>(v, &start, unativeint i)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Add(x, y) = Vector256.Add<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Subtract(x, y) = Vector256.Subtract<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Multiply(x: Vector256<'T>, y: Vector256<'T>) = Vector256.Multiply<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Divide(x: Vector256<'T>, y: Vector256<'T>) = Vector256.Divide<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member SquareRoot x = Vector256.Sqrt<'T>(x)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member MultiplyAdd(x, y, z) =
            // The comparison of types is resolved when the method is compiled for 'T.
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                Vector256
                    .FusedMultiplyAdd(x.AsSingle(), y.AsSingle(), z.AsSingle())
                    .As<float32, 'T>()
            else
                Vector256.FusedMultiplyAdd(x.AsDouble(), y.AsDouble(), z.AsDouble()).As<float, 'T>()

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member WhereGreater(a, b, x, y) =
            Vector256.ConditionalSelect<'T>(Vector256.GreaterThan<'T>(a, b), x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member WithoutMinusZero x =
            Vector256.Add<'T>(x, Vector256<'T>.Zero)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member NonZero x =
            uint64 (
                Vector256.ExtractMostSignificantBits<'T>(
                    Vector256.OnesComplement<'T>(Vector256.Equals<'T>(x, Vector256<'T>.Zero))
                )
            )

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member PowerOfTwo n =
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                Vector256
                    .ShiftLeft(Vector256.Add<int>(n.AsInt32(), Vector256.Create 127), 23)
                    .As<int, 'T>()
            else
                Vector256
                    .ShiftLeft(Vector256.Add<int64>(n.AsInt64(), Vector256.Create 1023L), 52)
                    .As<int64, 'T>()

    interface IPart<Vector256<'T>, Vector256<'T>> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member First x = x

[<Struct>]
type internal Simd128<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>> =
    interface ISimd<Vector128<'T>, 'T> with
        static member Count = Vector128<'T>.Count

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Create x = Vector128.Create<'T>(x)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Load(start, i) =
            Vector128.LoadUnsafe<'T>(&start, unativeint i)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member LoadBytes(start, i) =
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                Vector128
                    .ConvertToSingle(Widening.to128 (Widening.load<uint32>(&start, i)))
                    .As<float32, 'T>()
            else
                let whole = Widening.to128 (Widening.load<uint16>(&start, i))

                Vector128.ConvertToDouble(Vector128.WidenLower(whole)).As<float, 'T>()

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Store(v, start, i) =
            Vector128.StoreUnsafe<'T>(v, &start, unativeint i)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Add(x, y) = Vector128.Add<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Subtract(x, y) = Vector128.Subtract<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Multiply(x: Vector128<'T>, y: Vector128<'T>) = Vector128.Multiply<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Divide(x: Vector128<'T>, y: Vector128<'T>) = Vector128.Divide<'T>(x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member SquareRoot x = Vector128.Sqrt<'T>(x)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member MultiplyAdd(x, y, z) =
            // The comparison of types is resolved when the method is compiled for 'T.
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                Vector128
                    .FusedMultiplyAdd(x.AsSingle(), y.AsSingle(), z.AsSingle())
                    .As<float32, 'T>()
            else
                Vector128.FusedMultiplyAdd(x.AsDouble(), y.AsDouble(), z.AsDouble()).As<float, 'T>()

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member WhereGreater(a, b, x, y) =
            Vector128.ConditionalSelect<'T>(Vector128.GreaterThan<'T>(a, b), x, y)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member WithoutMinusZero x =
            Vector128.Add<'T>(x, Vector128<'T>.Zero)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member NonZero x =
            uint64 (
                Vector128.ExtractMostSignificantBits<'T>(
                    Vector128.OnesComplement<'T>(Vector128.Equals<'T>(x, Vector128<'T>.Zero))
                )
            )

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member PowerOfTwo n =
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                Vector128
                    .ShiftLeft(Vector128.Add<int>(n.AsInt32(), Vector128.Create 127), 23)
                    .As<int, 'T>()
            else
                Vector128
                    .ShiftLeft(Vector128.Add<int64>(n.AsInt64(), Vector128.Create 1023L), 52)
                    .As<int64, 'T>()

    interface IPart<Vector512<'T>, Vector128<'T>> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member First x = x.GetLower().GetLower()

    interface IPart<Vector256<'T>, Vector128<'T>> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member First x = x.GetLower()

    interface IPart<Vector128<'T>, Vector128<'T>> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member First x = x

/// One number: the path of machines without SIMD, and of vectors shorter than a register.
[<Struct>]
type internal Lanes1<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>> =
    interface ISimd<'T, 'T> with
        static member Count = 1

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Create x = x

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Load(start, i) = Unsafe.Add(&start, i)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member LoadBytes(start, i) =
            'T.CreateTruncating(Unsafe.Add(&start, i))

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Store(v, start, i) =
            let place = &Unsafe.Add(&start, i)
            place <- v

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Add(x, y) = x + y

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Subtract(x, y) = x - y

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Multiply(x, y) = x * y

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Divide(x, y) = x / y

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member SquareRoot x = 'T.Sqrt x

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member MultiplyAdd(x, y, z) = 'T.FusedMultiplyAdd(x, y, z)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member WhereGreater(a, b, x, y) =
            if 'T.op_GreaterThan (a, b) then x else y

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member WithoutMinusZero x = x + 'T.Zero

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member NonZero x = if 'T.IsZero x then 0UL else 1UL

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member PowerOfTwo n =
            if Type.op_Equality (typeof<'T>, typeof<float32>) then
                Unsafe.BitCast<int, 'T>((Unsafe.BitCast<'T, int> n + 127) <<< 23)
            else
                Unsafe.BitCast<int64, 'T>((Unsafe.BitCast<'T, int64> n + 1023L) <<< 52)

    interface IPart<'T, 'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member First x = x

/// A band of four registers of rows, moved back to end where the column ends: their overlap holds the
/// same numbers twice.
[<Struct>]
type internal Windows = {
    W0: nativeint
    W1: nativeint
    W2: nativeint
    W3: nativeint
} with

    /// The windows from row `first` on, a register `size` rows, the last one `narrow` rows.
    static member Of(first: int, size: int, narrow: int, rows: int) : Windows =
        let last = rows - size

        {
            W0 = nativeint (min first last)
            W1 = nativeint (min (first + size) last)
            W2 = nativeint (min (first + 2 * size) last)
            W3 = nativeint (min (first + 3 * size) (rows - narrow))
        }

/// A loop that runs with registers of any width.
type internal ILoop<'T> =
    abstract Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct> : unit -> unit

/// A loop over bands of four registers of rows. The fourth of the last band is of type 'W: a narrow one
/// where it has few rows to hold, as a wide one costs as much however little of it is used.
type internal IBandLoop<'T> =
    abstract Run<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T>
        and 'V: struct
        and 'L :> IPart<'V, 'V>
        and 'N :> ISimd<'W, 'T>
        and 'W: struct
        and 'N :> IPart<'V, 'W>> : unit -> unit

/// An elementwise function of one array, for registers of any width.
type internal IMap<'T> =
    abstract Apply<'V, 'L when 'L :> ISimd<'V, 'T>> : 'V -> 'V

/// An elementwise function of two arrays of one length.
type internal IMap2<'T> =
    abstract Apply<'V, 'L when 'L :> ISimd<'V, 'T>> : 'V * 'V -> 'V

/// What an optimizer makes, element by element, of a gradient, a parameter and two memories that it
/// keeps: the next parameter and memories.
type internal IUpdate<'T> =
    abstract Apply<'V, 'L when 'L :> ISimd<'V, 'T>> :
        gradient: 'V * parameter: 'V * first: 'V * second: 'V -> struct ('V * 'V * 'V)

/// θ − η·g, rounded once.
[<Struct>]
type internal SubtractScaled<'T> = {
    NegativeRate: 'T
} with

    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(gradient: 'V, parameter: 'V) =
            'L.MultiplyAdd('L.Create op.NegativeRate, gradient, parameter)

/// The first of the two.
[<Struct>]
type internal First<'T> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(first: 'V, _second: 'V) = first

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
            loop.Run<'T, Lanes1<'T>>()

    /// Whether three registers of `size` rows and a narrow one hold the last band of so many rows.
    let private endsNarrow (size: int) (narrow: int) (rows: int) : bool =
        (rows - 1) % (4 * size) < 3 * size + narrow

    /// Runs the loop with the widest registers that the machine has and so many rows fill.
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
            loop.Run<'T, Lanes1<'T>, 'T, Lanes1<'T>>()

    /// A reference to the array's first element, without the check that every index costs.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let start (values: 'T[]) : byref<'T> =
        &MemoryMarshal.GetArrayDataReference values

    /// Asks for some elements ahead of their use.
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
