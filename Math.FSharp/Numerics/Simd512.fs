namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics

/// Registers of 512 bits.
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
                    .ConvertToSingle(
                        SimdWidening.to512 (Vector128.LoadUnsafe(&start, unativeint i))
                    )
                    .As<float32, 'T>()
            else
                let whole = SimdWidening.to256 (SimdWidening.load<uint64>(&start, i))

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
        static member Max(x, y) = Vector512.Max<'T>(x, y)

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

    interface INarrow<Vector512<'T>, Vector512<'T>> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Narrow x = x
