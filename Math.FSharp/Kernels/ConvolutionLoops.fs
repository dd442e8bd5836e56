namespace Pipeline.Learning

open System
open System.Buffers
open System.Numerics
open System.Runtime.CompilerServices
open Pipeline.Learning.Arithmetic

/// Numbers that are neighbours in an image and in the image with its padding.
[<Struct>]
type internal ImageRow = {
    InImage: int
    InPadded: int
    Length: int
} with

    /// The rows of some channels' images; without padding, all numbers are one row.
    static member Of(window: Window, channels: int, image: Extent) : ImageRow[] =
        let padded = window.Padded image
        let size = padded.Rows * padded.Columns

        if padded = image then
            [|
                {
                    InImage = 0
                    InPadded = 0
                    Length = channels * size
                }
            |]
        else
            [|
                for channel in 0 .. channels - 1 do
                    for row in 0 .. image.Rows - 1 do
                        {
                            InImage = (channel * image.Rows + row) * image.Columns
                            InPadded =
                                channel * size
                                + (row + window.Padding.Rows) * padded.Columns
                                + window.Padding.Columns
                            Length = image.Columns
                        }
            |]

/// Where the numbers of a convolution stand, in blocks of samples side by side. Images are padded there. The weights are a
/// matrix (outputs, taps), a tap being a channel of the group, a row and a column of the window.
type internal ConvolutionPlan = {
    Groups: int
    /// Output channels of all groups.
    Outputs: int
    /// Weights of an output channel.
    TapCount: int
    /// Numbers of an output channel.
    PixelCount: int
    /// Numbers of a sample, and of its padded image.
    Features: int
    PaddedFeatures: int
    /// From the window's first number to each of its numbers, for the first group.
    Taps: nativeint[]
    /// From the first place of the window to each place.
    Pixels: nativeint[]
    /// From a group's channels to the next one's.
    GroupStep: int
    /// The image's rows in its padding.
    ImageRows: ImageRow[]
    /// From the first output channel's weights to each one's: their places.
    OutputRows: nativeint[]
    /// From the first tap's weights to each tap's.
    TapSteps: nativeint[]
    /// From the first output channel's numbers to each one's.
    OutputPlaces: nativeint[]
    /// From an output channel's first number to each of its numbers.
    PixelPlaces: nativeint[]
    /// For taps from the window's last number to its first one, at each number one channel after the other: the places of
    /// their weights, and of the numbers that they see.
    LastTapRows: nativeint[]
    LastTapPlaces: nativeint[]
    /// How many taps' gradients are summed together: about a sixteenth of them, in whole tiles. The gradients in the outputs are
    /// read once for all of them.
    TapsOfShare: int
    /// From the first output channel's sums to each one's, and from the first tap's to each one's.
    SumRows: nativeint[]
    SumColumns: nativeint[]
    /// How many blocks the weights' gradient takes in one sum, and from the first number of the blocks to each one: of an
    /// output channel, and of what its first tap sees.
    BlocksOfSum: int
    BlockPixelPlaces: nativeint[]
    BlockPixels: nativeint[]
} with

    member plan.OutputFeatures = plan.Outputs * plan.PixelCount
    member plan.OutputsOfGroup = plan.Outputs / plan.Groups

    member plan.IsPadded = plan.PaddedFeatures > plan.Features

    /// How many parts the weights' gradient takes that many blocks in.
    member plan.PartsOf(blocks: int) =
        (blocks + plan.BlocksOfSum - 1) / plan.BlocksOfSum

    /// Numbers of a block of padded images.
    member plan.BlockSize = plan.PaddedFeatures * SampleLanes.Count

    /// Numbers of a block of outputs.
    member plan.OutputBlockSize = plan.OutputFeatures * SampleLanes.Count

    /// Multiplications for that many samples.
    member plan.Work(samples: int) : int64 =
        int64 plan.OutputFeatures * int64 plan.TapCount * int64 samples

    /// Products of a sum of the weights' gradient for which several blocks are taken together.
    static member private LongSum = 1024

    /// The plan of a window over images of some channels.
    static member Of(window: Window, channels: int, image: Extent, outputs: int, groups: int) =
        let padded, places = window.Padded image, window.Places image
        let lanes = nativeint SampleLanes.Count
        let size = padded.Rows * padded.Columns
        let own = channels / groups
        let positions = window.Size.Rows * window.Size.Columns
        let tapCount, pixelCount = own * positions, places.Rows * places.Columns

        let taps = [|
            for channel in 0 .. own - 1 do
                for row in 0 .. window.Size.Rows - 1 do
                    for column in 0 .. window.Size.Columns - 1 do
                        nativeint (
                            channel * size
                            + row * window.Dilation.Rows * padded.Columns
                            + column * window.Dilation.Columns
                        )
                        * lanes
        |]

        let pixels = [|
            for row in 0 .. places.Rows - 1 do
                for column in 0 .. places.Columns - 1 do
                    nativeint (
                        row * window.Stride.Rows * padded.Columns + column * window.Stride.Columns
                    )
                    * lanes
        |]

        let lastTaps = [|
            for position in positions - 1 .. -1 .. 0 do
                for channel in 0 .. own - 1 do
                    channel * positions + position
        |]

        let tapsOfShare =
            Math.Clamp(
                (tapCount / 16 + LaneTileSize.Columns - 1) / LaneTileSize.Columns
                * LaneTileSize.Columns,
                8,
                32
            )

        let blocks = max 1 (ConvolutionPlan.LongSum / max 1 pixelCount)

        let multiples count step =
            Array.init count (fun i -> nativeint i * step)

        let ofBlocks (blockSize: int) (places: nativeint[]) = [|
            for block in 0 .. blocks - 1 do
                for place in places -> nativeint block * nativeint blockSize * lanes + place
        |]

        let tapSteps = multiples tapCount (nativeint outputs)
        let pixelPlaces = multiples pixelCount lanes

        {
            Groups = groups
            Outputs = outputs
            TapCount = tapCount
            PixelCount = pixelCount
            Features = channels * image.Rows * image.Columns
            PaddedFeatures = channels * size
            Taps = taps
            Pixels = pixels
            GroupStep = own * size * SampleLanes.Count
            ImageRows = ImageRow.Of(window, channels, image)
            OutputRows = multiples outputs 1n
            TapSteps = tapSteps
            OutputPlaces = multiples outputs (nativeint pixelCount * lanes)
            PixelPlaces = pixelPlaces
            LastTapRows = lastTaps |> Array.map (fun tap -> tapSteps[tap])
            LastTapPlaces = lastTaps |> Array.map (fun tap -> taps[tap])
            TapsOfShare = tapsOfShare
            SumRows = multiples outputs (nativeint tapsOfShare * lanes)
            SumColumns = multiples tapCount lanes
            BlocksOfSum = blocks
            BlockPixelPlaces = ofBlocks (outputs * pixelCount) pixelPlaces
            BlockPixels = ofBlocks (channels * size) pixels
        }

/// The tiles that hold some rows: of six rows, the last one moved back to end where the rows do, or of one row.
[<RequireQualifiedAccess>]
module private LaneRows =
    let private isWhole (rows: int) : bool = rows >= LaneTileSize.Rows

    /// How many there are.
    let count (rows: int) : int =
        if isWhole rows then
            (rows + LaneTileSize.Rows - 1) / LaneTileSize.Rows
        else
            rows

    /// Computes one of them, `at` being the place of the first row.
    let run<'T, 'V, 'L, 'S when 'L :> ISimd<'V, 'T> and 'S :> ILaneSums<'T>>
        (tile: inref<LaneTile<'T, 'S>>)
        (rows: int)
        (number: int)
        (at: LanePlace)
        : unit =
        if isWhole rows then
            tile.Rows<'V, 'L> {
                at with
                    Row = at.Row + min (number * LaneTileSize.Rows) (rows - LaneTileSize.Rows)
            }
        else
            tile.Row<'V, 'L> { at with Row = at.Row + number }

/// y(o, p) = b(o) + Σₖ W(o, k)·x(tap k of place p) for a block of samples: a chain of fused multiply-adds, taps
/// ascending.
[<Struct>]
type internal ConvolutionLoop<'T> = {
    Plan: ConvolutionPlan
    Weights: 'T[]
    Biases: 'T[]
    /// Padded images, side by side.
    X: 'T[]
    /// The block's place.
    At: int
    Y: 'T[]
    /// Its place.
    Into: int
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let plan = loop.Plan
            let rows = plan.OutputsOfGroup

            let tile: LaneTile<'T, OutputSums<'T>> = {
                Sums = OutputSums()
                A = loop.Weights
                ARows = plan.OutputRows
                ASteps = plan.TapSteps
                B = loop.X
                BSteps = plan.Taps
                BColumns = plan.Pixels
                From = loop.Biases
                FromRows = plan.OutputRows
                Into = loop.Y
                IntoRows = plan.OutputPlaces
                IntoColumns = plan.PixelPlaces
                Depth = plan.TapCount
            }

            for group in 0 .. plan.Groups - 1 do
                for lane in 0 .. 'L.Count .. SampleLanes.Count - 1 do
                    for p in 0 .. LaneTileSize.Columns .. plan.PixelCount - 1 do
                        let at = {
                            Row = group * rows
                            Column = p
                            Width = min LaneTileSize.Columns (plan.PixelCount - p)
                            A = 0n
                            B = nativeint (loop.At + group * plan.GroupStep + lane)
                            Into = nativeint (loop.Into + lane)
                        }

                        for number in 0 .. LaneRows.count rows - 1 do
                            LaneRows.run<'T, 'V, 'L, _> &tile rows number at

/// The gradient in padded images for a block of samples: what each place of the window gives, place after place. A place
/// gives Σₒ W(o, k)·δ(o, p) to the number at its tap k, outputs ascending.
[<Struct>]
type internal ConvolutionInputGradientLoop<'T> = {
    Plan: ConvolutionPlan
    Weights: 'T[]
    /// δ, side by side.
    Upstream: 'T[]
    /// The block's place.
    At: int
    /// Zeros, to which the gradient is added.
    Result: 'T[]
    /// Their place.
    Into: int
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let plan = loop.Plan

            // Taps from the last one down: the places of the window that see a number then ascend, whatever the width of
            // a tile. Neighbouring rows are of other channels, so that a number is rarely added to again at once.
            let tile: LaneTile<'T, InputGradientSums<'T>> = {
                Sums = InputGradientSums()
                A = loop.Weights
                ARows = plan.LastTapRows
                ASteps = plan.OutputRows
                B = loop.Upstream
                BSteps = plan.OutputPlaces
                BColumns = plan.PixelPlaces
                From = loop.Result
                FromRows = plan.LastTapPlaces
                Into = loop.Result
                IntoRows = plan.LastTapPlaces
                IntoColumns = plan.Pixels
                Depth = plan.OutputsOfGroup
            }

            let whole = plan.TapCount / LaneTileSize.Rows * LaneTileSize.Rows

            for group in 0 .. plan.Groups - 1 do
                let output = group * plan.OutputsOfGroup

                for lane in 0 .. 'L.Count .. SampleLanes.Count - 1 do
                    for p in 0 .. LaneTileSize.Columns .. plan.PixelCount - 1 do
                        let at = {
                            Row = 0
                            Column = p
                            Width = min LaneTileSize.Columns (plan.PixelCount - p)
                            A = nativeint output
                            B = nativeint (loop.At + lane) + plan.OutputPlaces[output]
                            Into = nativeint (loop.Into + group * plan.GroupStep + lane)
                        }

                        for row in 0 .. LaneTileSize.Rows .. whole - 1 do
                            tile.Rows<'V, 'L> { at with Row = row }

                        for row in whole .. plan.TapCount - 1 do
                            tile.Row<'V, 'L> { at with Row = row }

/// The gradient in some weights, a number for each lane: that of the lane's samples in their order, place after place of the
/// window, in chains of fused multiply-adds.
[<Struct>]
type internal ConvolutionWeightGradientLoop<'T> = {
    Plan: ConvolutionPlan
    /// Padded images and δ of all blocks, side by side.
    X: 'T[]
    Upstream: 'T[]
    Blocks: int
    Group: int
    FirstTap: int
    /// Behind the last one.
    EndTap: int
    /// Room for the sums of these taps: zeros to begin with; the sums after an even number of parts of the blocks.
    Even: 'T[]
    /// The sums after an odd number of parts.
    Odd: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let plan = loop.Plan
            let rows = plan.OutputsOfGroup

            for part in 0 .. plan.PartsOf loop.Blocks - 1 do
                let isEven = part % 2 = 0
                let first = part * plan.BlocksOfSum
                let blocks = min plan.BlocksOfSum (loop.Blocks - first)

                let tile: LaneTile<'T, WeightGradientSums<'T>> = {
                    Sums = WeightGradientSums()
                    A = loop.Upstream
                    ARows = plan.OutputPlaces
                    ASteps = plan.BlockPixelPlaces
                    B = loop.X
                    BSteps = plan.BlockPixels
                    BColumns = plan.Taps
                    From = if isEven then loop.Even else loop.Odd
                    FromRows = plan.SumRows
                    Into = if isEven then loop.Odd else loop.Even
                    IntoRows = plan.SumRows
                    IntoColumns = plan.SumColumns
                    Depth = blocks * plan.PixelCount
                }

                for lane in 0 .. 'L.Count .. SampleLanes.Count - 1 do
                    for number in 0 .. LaneRows.count rows - 1 do
                        for tap in loop.FirstTap .. LaneTileSize.Columns .. loop.EndTap - 1 do
                            LaneRows.run<'T, 'V, 'L, _> &tile rows number {
                                Row = loop.Group * rows
                                Column = tap
                                Width = min LaneTileSize.Columns (loop.EndTap - tap)
                                A = nativeint (first * plan.OutputBlockSize + lane)
                                B =
                                    nativeint (
                                        first * plan.BlockSize + loop.Group * plan.GroupStep + lane
                                    )
                                Into =
                                    nativeint lane
                                    - plan.SumRows[loop.Group * rows]
                                    - plan.SumColumns[loop.FirstTap]
                            }

/// Convolutions of mini-batches.
[<RequireQualifiedAccess>]
module internal ConvolutionLoops =
    /// A loop over blocks of samples side by side, with registers that a block fills.
    let private run (loop: 'Loop :> ILoop<'T>) : unit = Simd.run SampleLanes.Count loop

    /// The images with their padding; the images themselves if the window has no padding.
    let padded (plan: ConvolutionPlan) (x: LaneBlocks<'T>) : 'T[] =
        if not plan.IsPadded then
            x.Values
        else
            let result = SampleLanes.room plan.PaddedFeatures x.Samples
            let lanes = SampleLanes.Count

            SampleLanes.run (int64 result.Length) x.Samples (fun block ->
                Array.Clear(result, block * plan.BlockSize, plan.BlockSize)

                for row in plan.ImageRows do
                    Array.Copy(
                        x.Values,
                        (block * plan.Features + row.InImage) * lanes,
                        result,
                        (block * plan.PaddedFeatures + row.InPadded) * lanes,
                        row.Length * lanes
                    ))

            result

    /// The outputs.
    let forward
        (plan: ConvolutionPlan)
        (samples: int)
        (weights: 'T[])
        (biases: 'T[])
        (padded: 'T[])
        : LaneBlocks<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let result = SampleLanes.room plan.OutputFeatures samples

        SampleLanes.run (plan.Work samples) samples (fun block ->
            run {
                ConvolutionLoop.Plan = plan
                Weights = weights
                Biases = biases
                X = padded
                At = block * plan.BlockSize
                Y = result
                Into = block * plan.OutputBlockSize
            })

        {
            Features = plan.OutputFeatures
            Samples = samples
            Values = result
        }

    /// The gradient in the inputs.
    let inputGradient
        (plan: ConvolutionPlan)
        (weights: 'T[])
        (upstream: LaneBlocks<'T>)
        : LaneBlocks<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let samples = upstream.Samples
        let result = SampleLanes.room plan.Features samples
        let lanes = SampleLanes.Count

        SampleLanes.run (plan.Work samples) samples (fun block ->
            let fill (images: 'T[]) (place: int) : unit =
                Array.Clear(images, place, plan.BlockSize)

                run {
                    ConvolutionInputGradientLoop.Plan = plan
                    Weights = weights
                    Upstream = upstream.Values
                    At = block * plan.OutputBlockSize
                    Result = images
                    Into = place
                }

            if not plan.IsPadded then
                fill result (block * plan.BlockSize)
            else
                let images = ArrayPool<'T>.Shared.Rent plan.BlockSize
                fill images 0

                for row in plan.ImageRows do
                    Array.Copy(
                        images,
                        row.InPadded * lanes,
                        result,
                        (block * plan.Features + row.InImage) * lanes,
                        row.Length * lanes
                    )

                ArrayPool<'T>.Shared.Return images)

        {
            Features = plan.Features
            Samples = samples
            Values = result
        }

    /// The gradient in the weights: (outputs, taps) by columns.
    let weightGradient
        (plan: ConvolutionPlan)
        (padded: 'T[])
        (upstream: LaneBlocks<'T>)
        : 'T[] when 'T :> IBinaryFloatingPointIeee754<'T> =
        let samples = upstream.Samples
        let blocks = SampleLanes.blocks samples
        let result = Kernels.newArray plan.Outputs plan.TapCount
        let rows = plan.OutputsOfGroup
        let size = plan.TapsOfShare
        let shares = (plan.TapCount + size - 1) / size
        let room = rows * size * SampleLanes.Count

        ThreadTeam.run (plan.Work samples) (plan.Groups * shares) (fun share ->
            let group = share / shares
            let first = share % shares * size
            let finish = min plan.TapCount (first + size)
            let even, odd = ArrayPool<'T>.Shared.Rent room, ArrayPool<'T>.Shared.Rent room
            Array.Clear(even, 0, room)

            run {
                ConvolutionWeightGradientLoop.Plan = plan
                X = padded
                Upstream = upstream.Values
                Blocks = blocks
                Group = group
                FirstTap = first
                EndTap = finish
                Even = even
                Odd = odd
            }

            let sums = if plan.PartsOf blocks % 2 = 0 then even else odd

            for tap in first .. finish - 1 do
                for row in 0 .. rows - 1 do
                    result[tap * plan.Outputs + group * rows + row] <-
                        SampleLanes.total sums (row * size + tap - first)

            ArrayPool<'T>.Shared.Return even
            ArrayPool<'T>.Shared.Return odd)

        result
