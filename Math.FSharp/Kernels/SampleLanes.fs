namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices

/// Samples side by side: blocks of 16 samples, in which the 16 numbers of one feature are neighbours.
type internal LaneBlocks<'T> = {
    Features: int
    Samples: int
    /// Block after block. What stands in place of samples that the last block lacks counts for nothing; in inputs
    /// and gradients it is 0.
    Values: 'T[]
}

/// Samples side by side, so that a register holds the same feature of several samples. Every loop over such blocks is the
/// loop for one sample, and what a sample gets does not depend on the width of registers.
[<RequireQualifiedAccess>]
module internal SampleLanes =
    /// The samples of a block.
    [<Literal>]
    let Count = 16

    /// How many blocks hold that many samples.
    let blocks (samples: int) : int = (samples + Count - 1) / Count

    /// Room for samples of a number of features; its numbers are undefined.
    let room (features: int) (samples: int) : 'T[] =
        let length = int64 (blocks samples) * int64 features * int64 Count

        if length > int64 Array.MaxLength then
            invalidArg
                (nameof samples)
                (invariant
                    $"expected mini-batches of at most {Array.MaxLength} numbers in a layer, found {samples} samples of {features}")

        ArrayReuse<'T>.Rent(int length)

    /// Runs `act` for each block, several threads sharing the blocks.
    let run (multiplications: int64) (samples: int) (act: int -> unit) : unit =
        ThreadTeam.run multiplications (blocks samples) act

    /// Features that are copied of one sample before the next one: those of a cache line.
    [<Literal>]
    let private Together = 16

    /// Samples by columns, (features, samples), side by side.
    let ofColumns (features: int) (samples: int) (columns: 'T[]) : LaneBlocks<'T> =
        let result = room features samples

        run (int64 columns.Length) samples (fun block ->
            let count = min Count (samples - block * Count)
            let source = &Unsafe.Add(&Simd.start columns, block * Count * features)
            let into = &Unsafe.Add(&Simd.start result, block * Count * features)

            if count < Count then
                Array.Clear(result, block * Count * features, Count * features)

            for first in 0..Together .. features - 1 do
                for lane in 0 .. count - 1 do
                    let from = &Unsafe.Add(&source, lane * features)
                    let place = &Unsafe.Add(&into, lane)

                    for f in first .. min features (first + Together) - 1 do
                        let place = &Unsafe.Add(&place, f * Count)
                        place <- Unsafe.Add(&from, f))

        {
            Features = features
            Samples = samples
            Values = result
        }

    /// Writes zeros in place of the samples that the last block lacks.
    let clearMissing (lanes: LaneBlocks<'T>) : unit =
        let count = lanes.Samples % Count

        if count > 0 then
            let first = lanes.Samples / Count * lanes.Features

            for feature in first .. first + lanes.Features - 1 do
                Array.Clear(lanes.Values, feature * Count + count, Count - count)

    /// The same samples by columns.
    let toColumns (lanes: LaneBlocks<'T>) : 'T[] =
        let {
                Features = features
                Samples = samples
            } =
            lanes

        let result = ArrayReuse<'T>.Rent(features * samples)

        run (int64 result.Length) samples (fun block ->
            let count = min Count (samples - block * Count)
            let source = &Unsafe.Add(&Simd.start lanes.Values, block * Count * features)
            let into = &Unsafe.Add(&Simd.start result, block * Count * features)

            for first in 0..Together .. features - 1 do
                for lane in 0 .. count - 1 do
                    let from = &Unsafe.Add(&source, lane)
                    let place = &Unsafe.Add(&into, lane * features)

                    for f in first .. min features (first + Together) - 1 do
                        let place = &Unsafe.Add(&place, f)
                        place <- Unsafe.Add(&from, f * Count))

        result

    /// A number of a sample.
    let number (lanes: LaneBlocks<'T>) (feature: int) (sample: int) : 'T =
        lanes.Values[(sample / Count * lanes.Features + feature) * Count + sample % Count]

    /// Adds the lanes of a number up, the first one first.
    let total (values: 'T[]) (number: int) : 'T :> INumber<'T> =
        let lanes = &Unsafe.Add(&Simd.start values, number * Count)
        let mutable sum = lanes

        for lane in 1 .. Count - 1 do
            sum <- sum + Unsafe.Add(&lanes, lane)

        sum

    /// The totals of some numbers.
    let totals (values: 'T[]) (count: int) : 'T[] when 'T :> INumber<'T> =
        Array.init count (total values)
