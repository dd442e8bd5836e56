namespace Pipeline.Learning

open System.Numerics
open System.Runtime.CompilerServices

/// x within ±limit; what is not a number stays so.
[<Struct>]
type internal ClipOp<'T when 'T :> INumber<'T>> = {
    Limit: 'T
} with

    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) =
            let highest, lowest = 'L.Create op.Limit, 'L.Create(-op.Limit)
            'L.WhereGreater(x, highest, highest, 'L.WhereGreater(lowest, x, lowest, x))

/// factor·x.
[<Struct>]
type internal ScaleOp<'T when 'T :> INumber<'T>> = {
    Factor: 'T
} with

    interface IMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V) =
            'L.Multiply('L.Create op.Factor, x)

/// factor·x + y.
[<Struct>]
type internal AddScaledOp<'T when 'T :> INumber<'T>> = {
    Factor: 'T
} with

    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, y: 'V) =
            'L.MultiplyAdd('L.Create op.Factor, x, y)

/// factor·sign x + y.
[<Struct>]
type internal AddScaledSignOp<'T when 'T :> INumber<'T>> = {
    Factor: 'T
} with

    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, y: 'V) =
            'L.MultiplyAdd('L.Create op.Factor, Elementary.Sign<'V, 'T, 'L> x, y)

/// factor·(x − y) + y.
[<Struct>]
type internal TowardsOp<'T when 'T :> INumber<'T>> = {
    Factor: 'T
} with

    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member op.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, y: 'V) =
            'L.MultiplyAdd('L.Create op.Factor, 'L.Subtract(x, y), y)
