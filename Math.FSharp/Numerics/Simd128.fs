namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics

/// Registers of 128 bits.
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
                    .ConvertToSingle(SimdWidening.to128 (SimdWidening.load<uint32>(&start, i)))
                    .As<float32, 'T>()
            else
                let whole = SimdWidening.to128 (SimdWidening.load<uint16>(&start, i))

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
        static member Max(x, y) = Vector128.Max<'T>(x, y)

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

    interface INarrow<Vector512<'T>, Vector128<'T>> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Narrow x = x.GetLower().GetLower()

    interface INarrow<Vector256<'T>, Vector128<'T>> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Narrow x = x.GetLower()

    interface INarrow<Vector128<'T>, Vector128<'T>> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Narrow x = x
