namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices

/// The numbers of samples that are not 0: sample s has the numbers Values[n] at the inputs Places[n], ascending, for
/// n = Starts[s] … Starts[s + 1] − 1.
[<Struct>]
type internal FewNumbers<'T> = {
    Starts: int[]
    Places: int[]
    Values: 'T[]
} with

    /// How many samples.
    member numbers.Samples = numbers.Starts.Length - 1

/// Loops over the numbers of a sample that are not 0, of which there are few.
[<RequireQualifiedAccess>]
module internal WeightedColumns =
    /// Adds `count` numbers of an array, each times x, to as many of another one.
    let add
        (source: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        (from: int)
        (count: int)
        (x: 'T)
        (sums: 'T[])
        (into: int)
        : unit =
        for i in 0 .. count - 1 do
            sums[into + i] <- 'T.FusedMultiplyAdd(source[from + i], x, sums[into + i])

/// W·x + b for samples of few numbers that are not 0: the bits of `Kernels.affine`, as 0·w adds nothing to a sum (0 for a
/// sum of −0, as in `ProductTile`).
[<Struct>]
type internal FewAffineLoop<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>> = {
    ColumnsOfW: 'T[]
    InitialSums: 'T[]
    /// The samples.
    Inputs: FewNumbers<'T>
    /// The result: (rows, samples).
    Sums: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let rows = loop.InitialSums.Length
            let w = &Simd.start loop.ColumnsOfW
            let initial = &Simd.start loop.InitialSums
            let sums = &Simd.start loop.Sums
            let inputs = loop.Inputs

            for s in 0 .. inputs.Samples - 1 do
                let mutable row = 0

                while row < rows do
                    // The last register overlaps the one before it.
                    let at = nativeint (min row (rows - 'L.Count))
                    let mutable sum = 'L.Load(&initial, at)

                    for n in inputs.Starts[s] .. inputs.Starts[s + 1] - 1 do
                        let column = nativeint inputs.Places[n] * nativeint rows
                        let x = 'L.Create inputs.Values[n]
                        sum <- 'L.MultiplyAdd('L.Load(&w, column + at), x, sum)

                    let into = nativeint s * nativeint rows + at
                    'L.Store('L.WithoutMinusZero sum, &sums, into)
                    row <- row + 'L.Count

/// δ·Xᵀ for samples of few numbers that are not 0, added to zeros in the order of the samples: the bits of
/// `Kernels.weightGradient`.
[<Struct>]
type internal FewGradientLoop<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>> = {
    /// δ: (rows, samples).
    Deltas: 'T[]
    Rows: int
    /// The samples.
    Inputs: FewNumbers<'T>
    /// The result: (rows, inputs), zeros.
    Gradient: 'T[]
} with

    /// Adds the numbers from row `first` on that fill registers, and returns the first row that is left.
    static member private Add<'V, 'L when 'L :> ISimd<'V, 'T>>
        (delta: byref<'T>, gradient: byref<'T>, x: 'T, first: int, rows: int)
        : int =
        let factor = 'L.Create x
        let mutable row = first

        while row <= rows - 'L.Count do
            let at = nativeint row
            let sum = 'L.MultiplyAdd('L.Load(&delta, at), factor, 'L.Load(&gradient, at))
            'L.Store('L.WithoutMinusZero sum, &gradient, at)
            row <- row + 'L.Count

        row

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let rows, inputs = loop.Rows, loop.Inputs

            for s in 0 .. inputs.Samples - 1 do
                let delta = &Unsafe.Add(&Simd.start loop.Deltas, s * rows)

                for n in inputs.Starts[s] .. inputs.Starts[s + 1] - 1 do
                    let gradient = &Unsafe.Add(&Simd.start loop.Gradient, inputs.Places[n] * rows)

                    let x = inputs.Values[n]

                    let left = FewGradientLoop<'T>.Add<'V, 'L>(&delta, &gradient, x, 0, rows)

                    FewGradientLoop<'T>.Add<'T, Simd1<'T>>(&delta, &gradient, x, left, rows)
                    |> ignore
