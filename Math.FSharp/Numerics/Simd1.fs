namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices

/// One number: for machines without SIMD, and for vectors that are shorter than a register.
[<Struct>]
type internal Simd1<'T
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
        static member Max(x, y) = 'T.Max(x, y)

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

    interface INarrow<'T, 'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Narrow x = x
