namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics

/// Registers of 256 bits.
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
                    .ConvertToSingle(SimdWidening.to256 (SimdWidening.load<uint64>(&start, i)))
                    .As<float32, 'T>()
            else
                let whole = SimdWidening.to128 (SimdWidening.load<uint32>(&start, i))

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
        static member Max(x, y) = Vector256.Max<'T>(x, y)

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

    interface INarrow<Vector256<'T>, Vector256<'T>> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Narrow x = x
