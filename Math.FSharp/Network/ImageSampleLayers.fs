namespace Pipeline.Learning

open System
open System.Buffers
open System.Numerics
open System.Runtime.CompilerServices
open Pipeline.Learning.Arithmetic

/// Copies a window's results at its places from those at every column.
[<Struct>]
type internal PlacesLoop<'T> = {
    /// Of each channel `Room` numbers, those of a row `RowStep` apart from those of the next one.
    Computed: 'T[]
    Room: int
    RowStep: int
    ColumnStep: int
    Channels: int
    Places: Extent
    Result: 'T[]
    Into: int
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let rows, columns, step = loop.Places.Rows, loop.Places.Columns, loop.ColumnStep
            let room, rowStep = loop.Room, loop.RowStep
            let result = &Unsafe.Add(&Simd.start loop.Result, loop.Into)
            let computed = &Simd.start loop.Computed

            for channel in 0 .. loop.Channels - 1 do
                for row in 0 .. rows - 1 do
                    let from = &Unsafe.Add(&computed, channel * room + row * rowStep)
                    let into = &Unsafe.Add(&result, (channel * rows + row) * columns)

                    if step = 1 then
                        let mutable column = 0

                        while column < columns do
                            // The last register overlaps the one before it.
                            let at = nativeint (min column (columns - 'L.Count))
                            'L.Store('L.Load(&from, at), &into, at)
                            column <- column + 'L.Count
                    else
                        let mutable at = 0n

                        for column in 0n .. nativeint columns - 1n do
                            let number = &Unsafe.Add(&into, column)
                            number <- Unsafe.Add(&from, at)
                            at <- at + nativeint step

/// The columns of a padded image at which a window is computed, in blocks of 16 that are neighbours in memory. A window is
/// computed at every column, whatever its stride; where it moves by one row, also where it goes beyond the end of a row.
[<Sealed>]
type internal PlaceBlocks(window: Window, image: Extent) =
    static let blocks (columns: int) : int =
        (columns + PlaceBlocks.Size - 1) / PlaceBlocks.Size

    let padded, places = window.Padded image, window.Places image
    let columns = (places.Columns - 1) * window.Stride.Columns + 1

    let starts, rowStep, columnStep =
        let stride = window.Stride

        if stride.Columns > PlaceBlocks.Size then
            // Most blocks would hold no place: each place begins one of its own.
            let starts = [|
                for row in 0 .. places.Rows - 1 do
                    for column in 0 .. places.Columns - 1 do
                        row * stride.Rows * padded.Columns + column * stride.Columns
            |]

            starts, places.Columns * PlaceBlocks.Size, PlaceBlocks.Size
        elif stride.Rows = 1 then
            let count = blocks ((places.Rows - 1) * padded.Columns + columns)

            Array.init count (fun block -> block * PlaceBlocks.Size), padded.Columns, stride.Columns
        else
            let count = blocks columns

            let starts = [|
                for row in 0 .. places.Rows - 1 do
                    for block in 0 .. count - 1 do
                        row * stride.Rows * padded.Columns + block * PlaceBlocks.Size
            |]

            starts, count * PlaceBlocks.Size, stride.Columns

    static member Size = SampleLanes.Count

    /// From the image's first number to each block.
    member _.Starts: int[] = starts

    /// The number of results of a channel.
    member _.Room: int = starts.Length * PlaceBlocks.Size

    /// Numbers of a padded image.
    member _.ImageSize: int = padded.Rows * padded.Columns

    /// Padded images of some channels, their padding with that number. The numbers behind them are read, and change
    /// nothing.
    member _.Rent
        (blank: 'T, rows: ImageRow[], sample: 'Sample :> ISample<'T>, channels: int)
        : 'T[] =
        let size = channels * padded.Rows * padded.Columns
        let images = ArrayPool<'T>.Shared.Rent(size + PlaceBlocks.Size)

        if padded <> image then
            Array.Fill(images, blank, 0, size)

        Array.Clear(images, size, PlaceBlocks.Size)

        for row in rows do
            sample.Write(row.InImage, Span(images, row.InPadded, row.Length))

        images

    /// Copies the results at the window's places into some memory.
    member blocks.Take(computed: 'T[], channels: int, result: 'T[], into: int) : unit =
        Simd.run places.Columns {
            Computed = computed
            Room = blocks.Room
            RowStep = rowStep
            ColumnStep = columnStep
            Channels = channels
            Places = places
            Result = result
            Into = into
        }

/// f(W·x + b) of a convolution for one sample, several columns in a register: the bits of `ConvolutionLoop`.
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
    Blocks: PlaceBlocks
    Images: 'T[]
    Computed: 'T[]
} with

    /// Four outputs at some columns of three blocks.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Tile<'V, 'L when 'L :> ISimd<'V, 'T>>
        (group: int, output: int, block: int, column: int)
        : unit =
        let plan = loop.Plan
        let lastOutput = (group + 1) * plan.OutputsOfGroup - 1

        let o1, o2, o3 =
            min (output + 1) lastOutput, min (output + 2) lastOutput, min (output + 3) lastOutput

        let starts = loop.Blocks.Starts
        let lastBlock = starts.Length - 1
        let b1, b2 = min (block + 1) lastBlock, min (block + 2) lastBlock
        let weights = &Simd.start loop.Taps
        let w0 = &Unsafe.Add(&weights, output * plan.TapCount)
        let w1 = &Unsafe.Add(&weights, o1 * plan.TapCount)
        let w2 = &Unsafe.Add(&weights, o2 * plan.TapCount)
        let w3 = &Unsafe.Add(&weights, o3 * plan.TapCount)
        let first = group * (plan.GroupStep / SampleLanes.Count) + column
        let images = &Unsafe.Add(&Simd.start loop.Images, first)
        let xa = &Unsafe.Add(&images, starts[block])
        let xb = &Unsafe.Add(&images, starts[b1])
        let xc = &Unsafe.Add(&images, starts[b2])
        let steps = &Simd.start loop.TapSteps
        let mutable y0a = 'L.Create loop.Offsets[output]
        let mutable y1a = 'L.Create loop.Offsets[o1]
        let mutable y2a = 'L.Create loop.Offsets[o2]
        let mutable y3a = 'L.Create loop.Offsets[o3]
        let mutable y0b = y0a
        let mutable y1b = y1a
        let mutable y2b = y2a
        let mutable y3b = y3a
        let mutable y0c = y0a
        let mutable y1c = y1a
        let mutable y2c = y2a
        let mutable y3c = y3a

        for tap in 0 .. plan.TapCount - 1 do
            let step = nativeint (Unsafe.Add(&steps, tap))
            let a = 'L.Load(&xa, step)
            let b = 'L.Load(&xb, step)
            let c = 'L.Load(&xc, step)
            let w = 'L.Create(Unsafe.Add(&w0, tap))
            y0a <- 'L.MultiplyAdd(w, a, y0a)
            y0b <- 'L.MultiplyAdd(w, b, y0b)
            y0c <- 'L.MultiplyAdd(w, c, y0c)
            let w = 'L.Create(Unsafe.Add(&w1, tap))
            y1a <- 'L.MultiplyAdd(w, a, y1a)
            y1b <- 'L.MultiplyAdd(w, b, y1b)
            y1c <- 'L.MultiplyAdd(w, c, y1c)
            let w = 'L.Create(Unsafe.Add(&w2, tap))
            y2a <- 'L.MultiplyAdd(w, a, y2a)
            y2b <- 'L.MultiplyAdd(w, b, y2b)
            y2c <- 'L.MultiplyAdd(w, c, y2c)
            let w = 'L.Create(Unsafe.Add(&w3, tap))
            y3a <- 'L.MultiplyAdd(w, a, y3a)
            y3b <- 'L.MultiplyAdd(w, b, y3b)
            y3c <- 'L.MultiplyAdd(w, c, y3c)

        let op = loop.Op
        let computed = &Unsafe.Add(&Simd.start loop.Computed, column)
        let room = loop.Blocks.Room

        let place output block =
            nativeint (output * room + block * PlaceBlocks.Size)

        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y0a), &computed, place output block)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y0b), &computed, place output b1)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y0c), &computed, place output b2)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y1a), &computed, place o1 block)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y1b), &computed, place o1 b1)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y1c), &computed, place o1 b2)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y2a), &computed, place o2 block)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y2b), &computed, place o2 b1)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y2c), &computed, place o2 b2)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y3a), &computed, place o3 block)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y3b), &computed, place o3 b1)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero y3c), &computed, place o3 b2)

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let outputs = loop.Plan.OutputsOfGroup

            for group in 0 .. loop.Plan.Groups - 1 do
                for output in group * outputs .. 4 .. (group + 1) * outputs - 1 do
                    for block in 0..3 .. loop.Blocks.Starts.Length - 1 do
                        for column in 0 .. 'L.Count .. PlaceBlocks.Size - 1 do
                            loop.Tile<'V, 'L>(group, output, block, column)

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
    let struct (channels, image) = convolution.Image shape
    let blocks = PlaceBlocks(convolution.Window, image)
    let weights = Kernels.values parameters.Weights

    let taps =
        Array.init weights.Length (fun i ->
            weights[i % plan.TapCount * plan.Outputs + i / plan.TapCount])

    let biases = convolution.Biases parameters
    let steps = plan.Taps |> Array.map (fun tap -> int tap / SampleLanes.Count)

    let run (sample: 'Sample :> ISample<'T>) (result: 'T[]) (into: int) : unit =
        let images = blocks.Rent('T.Zero, plan.ImageRows, sample, channels)
        let computed = ArrayPool<'T>.Shared.Rent(plan.Outputs * blocks.Room)

        Simd.run PlaceBlocks.Size {
            Op = op
            Plan = plan
            Taps = taps
            Offsets = biases
            TapSteps = steps
            Blocks = blocks
            Images = images
            Computed = computed
        }

        blocks.Take(computed, plan.Outputs, result, into)
        ArrayPool<'T>.Shared.Return images
        ArrayPool<'T>.Shared.Return computed

    override _.RunNumbers(sample, result, into) = run sample result into
    override _.RunBytes(sample, result, into) = run sample result into

/// Pooling of one sample, several columns in a register: the bits of `PoolingLoop`.
[<Struct>]
type internal PoolingSampleLoop<'T, 'P when 'P :> IPooling<'T>> = {
    Pooling: 'P
    Channels: int
    Blocks: PlaceBlocks
    /// From the window's first number to each of its numbers.
    Taps: int[]
    Images: 'T[]
    Computed: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let starts = loop.Blocks.Starts

            for channel in 0 .. loop.Channels - 1 do
                let image = &Unsafe.Add(&Simd.start loop.Images, channel * loop.Blocks.ImageSize)

                let computed = &Unsafe.Add(&Simd.start loop.Computed, channel * loop.Blocks.Room)

                for block in 0 .. starts.Length - 1 do
                    for column in 0 .. 'L.Count .. PlaceBlocks.Size - 1 do
                        let x = &Unsafe.Add(&image, starts[block] + column)
                        let y = loop.Pooling.Forward<'V, 'L>(ReadOnlySpan loop.Taps, &x, 1)
                        'L.Store(y, &computed, nativeint (block * PlaceBlocks.Size + column))

/// Pooling without allocation.
[<Sealed>]
type internal PoolingSample<'T, 'P
    when 'P :> IPooling<'T>
    and 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (pooling: 'P, window: Window, channels: int, image: Extent) =
    inherit SampleLayer<'T>()
    let blocks = PlaceBlocks(window, image)
    let rows = ImageRow.Of(window, channels, image)
    let columns = (window.Padded image).Columns

    let taps = [|
        for row in 0 .. window.Size.Rows - 1 do
            for column in 0 .. window.Size.Columns - 1 do
                row * window.Dilation.Rows * columns + column * window.Dilation.Columns
    |]

    let run (sample: 'Sample :> ISample<'T>) (result: 'T[]) (into: int) : unit =
        let images = blocks.Rent(pooling.Blank, rows, sample, channels)
        let computed = ArrayPool<'T>.Shared.Rent(channels * blocks.Room)

        Simd.run PlaceBlocks.Size {
            Pooling = pooling
            Channels = channels
            Blocks = blocks
            Taps = taps
            Images = images
            Computed = computed
        }

        blocks.Take(computed, channels, result, into)
        ArrayPool<'T>.Shared.Return images
        ArrayPool<'T>.Shared.Return computed

    override _.RunNumbers(sample, result, into) = run sample result into
    override _.RunBytes(sample, result, into) = run sample result into
