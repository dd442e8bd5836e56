namespace Pipeline.Learning

open System
open System.Runtime.CompilerServices

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

/// The last register is moved back to end where the array ends: its overlap computes the same values again, so
/// that no remainder needs a separate loop.
[<Struct>]
type internal MapLoop<'T, 'Op when 'Op :> IMap<'T>> = {
    Op: 'Op
    X: 'T[]
    Result: 'T[]
} with

    interface ILoop<'T> with
        // Within its caller, a function like exp would no longer be inlined.
        [<MethodImpl(MethodImplOptions.NoInlining)>]
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let x = &Simd.start loop.X
            let result = &Simd.start loop.Result
            let last = loop.Result.Length - 'L.Count
            // Computed before its overlap is written, as the result may be x itself.
            let final = loop.Op.Apply<'V, 'L>('L.Load(&x, nativeint last))
            let mutable i = 0

            while i < last do
                'L.Store(loop.Op.Apply<'V, 'L>('L.Load(&x, nativeint i)), &result, nativeint i)
                i <- i + 'L.Count

            'L.Store(final, &result, nativeint last)

[<Struct>]
type internal Map2Loop<'T, 'Op when 'Op :> IMap2<'T>> = {
    Op2: 'Op
    First: 'T[]
    Second: 'T[]
    Result2: 'T[]
} with

    interface ILoop<'T> with
        [<MethodImpl(MethodImplOptions.NoInlining)>]
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let x = &Simd.start loop.First
            let y = &Simd.start loop.Second
            let result = &Simd.start loop.Result2
            let last = loop.Result2.Length - 'L.Count

            let final =
                loop.Op2.Apply<'V, 'L>('L.Load(&x, nativeint last), 'L.Load(&y, nativeint last))

            let mutable i = 0

            while i < last do
                let at = nativeint i
                'L.Store(loop.Op2.Apply<'V, 'L>('L.Load(&x, at), 'L.Load(&y, at)), &result, at)
                i <- i + 'L.Count

            'L.Store(final, &result, nativeint last)

/// An optimizer's update of some parameters and of the two memories beside them.
[<Struct>]
type internal UpdateLoop<'T, 'Op when 'Op :> IUpdate<'T>> = {
    Update: 'Op
    Gradient: 'T[]
    Parameters: 'T[]
    FirstMemory: 'T[]
    SecondMemory: 'T[]
    NextParameters: 'T[]
    NextFirstMemory: 'T[]
    NextSecondMemory: 'T[]
} with

    /// The elements first … finish − 1, and those that fill the last register before `finish`.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Share<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>
        (first: int, finish: int)
        : unit =
        let gradient = &Simd.start loop.Gradient
        let parameters = &Simd.start loop.Parameters
        let firstMemory = &Simd.start loop.FirstMemory
        let secondMemory = &Simd.start loop.SecondMemory
        let nextParameters = &Simd.start loop.NextParameters
        let nextFirstMemory = &Simd.start loop.NextFirstMemory
        let nextSecondMemory = &Simd.start loop.NextSecondMemory
        let last = finish - 'L.Count
        let mutable i = first

        while i < finish do
            let at = nativeint (min i last)

            let struct (parameter, one, other) =
                loop.Update.Apply<'V, 'L>(
                    'L.Load(&gradient, at),
                    'L.Load(&parameters, at),
                    'L.Load(&firstMemory, at),
                    'L.Load(&secondMemory, at)
                )

            'L.Store(parameter, &nextParameters, at)
            'L.Store(one, &nextFirstMemory, at)
            'L.Store(other, &nextSecondMemory, at)
            i <- i + 'L.Count

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let loop = loop
            let length = loop.Gradient.Length
            // Bound by memory: each element costs as much as several multiplications.
            let work = 16L * int64 length
            let shares = if ThreadTeam.workers work > 1 then 16 else 1

            ThreadTeam.run work shares (fun i ->
                let first = int (int64 i * int64 length / int64 shares)
                let finish = int (int64 (i + 1) * int64 length / int64 shares)
                loop.Share<'V, 'L>(first, finish))

/// Row sums of a matrix: each row's elements added from the first column to the last.
[<Struct>]
type internal RowSumsLoop<'T> = {
    Matrix: 'T[]
    Sums: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let matrix = &Simd.start loop.Matrix
            let sums = &Simd.start loop.Sums
            let rows = loop.Sums.Length
            let mutable i = 0

            while i < rows do
                let row = nativeint (min i (rows - 'L.Count))
                let mutable sum = 'L.Create Unchecked.defaultof<'T>
                let mutable at = row

                for _ in 1 .. loop.Matrix.Length / rows do
                    sum <- 'L.Add(sum, 'L.Load(&matrix, at))
                    at <- at + nativeint rows

                'L.Store(sum, &sums, row)
                i <- i + 'L.Count

/// Σ x·0: 0 if every number is finite, otherwise NaN.
[<Struct>]
type internal FiniteLoop<'T> = {
    Numbers: 'T[]
    /// For a register of sums: the widest has 16.
    Found: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let numbers = &Simd.start loop.Numbers
            let last = loop.Numbers.Length - 'L.Count
            let zero = 'L.Create Unchecked.defaultof<'T>
            // Four sums, since the next addition to one waits for the last.
            let mutable first = zero
            let mutable second = zero
            let mutable third = zero
            let mutable fourth = zero
            let mutable i = 0

            while i + 3 * 'L.Count <= last do
                first <- 'L.MultiplyAdd('L.Load(&numbers, nativeint i), zero, first)
                second <- 'L.MultiplyAdd('L.Load(&numbers, nativeint (i + 'L.Count)), zero, second)

                third <-
                    'L.MultiplyAdd('L.Load(&numbers, nativeint (i + 2 * 'L.Count)), zero, third)

                fourth <-
                    'L.MultiplyAdd('L.Load(&numbers, nativeint (i + 3 * 'L.Count)), zero, fourth)

                i <- i + 4 * 'L.Count

            while i < loop.Numbers.Length do
                first <- 'L.MultiplyAdd('L.Load(&numbers, nativeint (min i last)), zero, first)
                i <- i + 'L.Count

            let sum = 'L.Add('L.Add(first, second), 'L.Add(third, fourth))
            'L.Store(sum, &Simd.start loop.Found, 0n)
