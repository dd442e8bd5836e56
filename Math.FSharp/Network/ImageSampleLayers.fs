namespace Pipeline.Learning

open System
open System.Buffers
open System.Numerics
open System.Runtime.CompilerServices
open Pipeline.Learning.Arithmetic

/// f(W·x + b) of a convolution for one sample, several places of a row in a register: the bits of `ConvolutionLoop`.
[<Struct>]
type internal ConvolutionSampleLoop<'T, 'Op when 'Op :> IMap<'T>> = {
    /// f.
    Op: 'Op
    Plan: ConvolutionPlan
    /// The weights of an output beside each other.
    Taps: 'T[]
    Offsets: 'T[]
    /// From the window's first number to each of its numbers.
    TapSteps: int[]
    Places: Extent
    Stride: Extent
    /// Columns of the padded image.
    PaddedColumns: int
    /// The padded image.
    Image: 'T[]
    Result: 'T[]
    Into: int
} with

    /// Four outputs at the places from `column` on in two rows.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Tile<'V, 'L when 'L :> ISimd<'V, 'T>>
        (group: int, output: int, row: int, column: int)
        : unit =
        let plan = loop.Plan
        let lastOutput = (group + 1) * plan.OutputsOfGroup - 1

        let o1, o2, o3 =
            min (output + 1) lastOutput, min (output + 2) lastOutput, min (output + 3) lastOutput

        let other = min (row + 1) (loop.Places.Rows - 1)
        let weights = &Simd.start loop.Taps
        let w0 = &Unsafe.Add(&weights, output * plan.TapCount)
        let w1 = &Unsafe.Add(&weights, o1 * plan.TapCount)
        let w2 = &Unsafe.Add(&weights, o2 * plan.TapCount)
        let w3 = &Unsafe.Add(&weights, o3 * plan.TapCount)

        let first =
            &
                Unsafe.Add(
                    &Simd.start loop.Image,
                    group * (plan.GroupStep / SampleLanes.Count) + column * loop.Stride.Columns
                )

        let x0 = &Unsafe.Add(&first, row * loop.Stride.Rows * loop.PaddedColumns)
        let x1 = &Unsafe.Add(&first, other * loop.Stride.Rows * loop.PaddedColumns)
        let steps = &Simd.start loop.TapSteps
        let mutable y00 = 'L.Create loop.Offsets[output]
        let mutable y10 = 'L.Create loop.Offsets[o1]
        let mutable y20 = 'L.Create loop.Offsets[o2]
        let mutable y30 = 'L.Create loop.Offsets[o3]
        let mutable y01 = y00
        let mutable y11 = y10
        let mutable y21 = y20
        let mutable y31 = y30

        for tap in 0 .. plan.TapCount - 1 do
            let step = nativeint (Unsafe.Add(&steps, tap))
            let a = 'L.Load(&x0, step)
            let b = 'L.Load(&x1, step)
            let w = 'L.Create(Unsafe.Add(&w0, tap))
            y00 <- 'L.MultiplyAdd(w, a, y00)
            y01 <- 'L.MultiplyAdd(w, b, y01)
            let w = 'L.Create(Unsafe.Add(&w1, tap))
            y10 <- 'L.MultiplyAdd(w, a, y10)
            y11 <- 'L.MultiplyAdd(w, b, y11)
            let w = 'L.Create(Unsafe.Add(&w2, tap))
            y20 <- 'L.MultiplyAdd(w, a, y20)
            y21 <- 'L.MultiplyAdd(w, b, y21)
            let w = 'L.Create(Unsafe.Add(&w3, tap))
            y30 <- 'L.MultiplyAdd(w, a, y30)
            y31 <- 'L.MultiplyAdd(w, b, y31)

        let op = loop.Op
        let result = &Unsafe.Add(&Simd.start loop.Result, loop.Into + column)
        let columns, size = loop.Places.Columns, plan.PixelCount

        let place output row =
            nativeint (output * size + row * columns)

        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y00), &result, place output row)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y01), &result, place output other)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y10), &result, place o1 row)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y11), &result, place o1 other)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y20), &result, place o2 row)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y21), &result, place o2 other)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y30), &result, place o3 row)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y31), &result, place o3 other)

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let outputs = loop.Plan.OutputsOfGroup
            let last = loop.Places.Columns - 'L.Count

            for group in 0 .. loop.Plan.Groups - 1 do
                for output in group * outputs .. 4 .. (group + 1) * outputs - 1 do
                    for row in 0..2 .. loop.Places.Rows - 1 do
                        let mutable column = 0

                        while column < loop.Places.Columns do
                            // The last register overlaps the one before it.
                            loop.Tile<'V, 'L>(group, output, row, min column last)
                            column <- column + 'L.Count

/// f(W·x + b) of a convolution without allocation.
[<Sealed>]
type internal ConvolutionSample<'T, 'Op
    when 'Op :> IMap<'T>
    and 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (op: 'Op, convolution: Convolution, shape: Shape, parameters: LayerParameters<'T>) =
    inherit SampleLayer<'T>()
    let plan = convolution.Plan shape
    let struct (_, image) = convolution.Image shape
    let window = convolution.Window
    let weights = Kernels.values parameters.Weights

    let taps =
        Array.init weights.Length (fun i ->
            weights[i % plan.TapCount * plan.Outputs + i / plan.TapCount])

    let biases = convolution.Biases parameters
    let steps = plan.Taps |> Array.map (fun tap -> int tap / SampleLanes.Count)

    let run (sample: 'Sample :> ISample<'T>) (result: 'T[]) (into: int) : unit =
        let padded = ArrayPool<'T>.Shared.Rent plan.PaddedFeatures

        if plan.IsPadded then
            Array.Clear(padded, 0, plan.PaddedFeatures)

        for row in plan.ImageRows do
            for i in 0 .. row.Length - 1 do
                padded[row.InPadded + i] <- sample.Item(row.InImage + i)

        let places = window.Places image

        let loop = {
            Op = op
            Plan = plan
            Taps = taps
            Offsets = biases
            TapSteps = steps
            Places = places
            Stride = window.Stride
            PaddedColumns = (window.Padded image).Columns
            Image = padded
            Result = result
            Into = into
        }

        // Places that are no neighbours are taken one by one.
        Simd.run (if window.Stride.Columns = 1 then places.Columns else 1) loop
        ArrayPool<'T>.Shared.Return padded

    override _.RunNumbers(sample, result, into) = run sample result into
    override _.RunBytes(sample, result, into) = run sample result into

/// Pooling without allocation.
[<Sealed>]
type internal PoolingSample<'T, 'P
    when 'P :> IPooling<'T>
    and 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>(pooling: 'P, plan: PoolingPlan) =
    inherit SampleLayer<'T>()

    let run (sample: 'Sample :> ISample<'T>) (result: 'T[]) (into: int) : unit =
        // A sample at a time is a block of one lane.
        let features = plan.Channels * plan.InputSize
        let numbers = ArrayPool<'T>.Shared.Rent features

        for i in 0 .. features - 1 do
            numbers[i] <- sample.Item i

        for channel in 0 .. plan.Channels - 1 do
            let x = &Unsafe.Add(&Simd.start numbers, channel * plan.InputSize)

            for p in 0 .. plan.OutputSize - 1 do
                let places = ReadOnlySpan(plan.Places, p * plan.WindowSize, plan.WindowSize)

                result[into + channel * plan.OutputSize + p] <-
                    pooling.Forward<'T, Simd1<'T>>(places, &x, 1)

        ArrayPool<'T>.Shared.Return numbers

    override _.RunNumbers(sample, result, into) = run sample result into
    override _.RunBytes(sample, result, into) = run sample result into
