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
} with

    member plan.OutputFeatures = plan.Outputs * plan.PixelCount
    member plan.OutputsOfGroup = plan.Outputs / plan.Groups

    member plan.IsPadded = plan.PaddedFeatures > plan.Features

    /// Numbers of a block of padded images.
    member plan.BlockSize = plan.PaddedFeatures * SampleLanes.Count

    /// Numbers of a block of outputs.
    member plan.OutputBlockSize = plan.OutputFeatures * SampleLanes.Count

    /// Multiplications for that many samples.
    member plan.Work(samples: int) : int64 =
        int64 plan.OutputFeatures * int64 plan.TapCount * int64 samples

    /// The plan of a window over images of some channels.
    static member Of(window: Window, channels: int, image: Extent, outputs: int, groups: int) =
        let padded, places = window.Padded image, window.Places image
        let lanes = nativeint SampleLanes.Count
        let size = padded.Rows * padded.Columns

        {
            Groups = groups
            Outputs = outputs
            TapCount = channels / groups * window.Size.Rows * window.Size.Columns
            PixelCount = places.Rows * places.Columns
            Features = channels * image.Rows * image.Columns
            PaddedFeatures = channels * size
            Taps = [|
                for channel in 0 .. channels / groups - 1 do
                    for row in 0 .. window.Size.Rows - 1 do
                        for column in 0 .. window.Size.Columns - 1 do
                            nativeint (
                                channel * size
                                + row * window.Dilation.Rows * padded.Columns
                                + column * window.Dilation.Columns
                            )
                            * lanes
            |]
            Pixels = [|
                for row in 0 .. places.Rows - 1 do
                    for column in 0 .. places.Columns - 1 do
                        nativeint (
                            row * window.Stride.Rows * padded.Columns
                            + column * window.Stride.Columns
                        )
                        * lanes
            |]
            GroupStep = channels / groups * size * SampleLanes.Count
            ImageRows = ImageRow.Of(window, channels, image)
        }

/// The rows of tiles.
[<RequireQualifiedAccess>]
module private LaneRows =
    let isWhole (rows: int) : bool = rows >= LaneTileSize.Rows

    /// How many tiles hold the rows: of six, the last one moved back to end where the rows do, or of one.
    let count (rows: int) : int =
        if isWhole rows then
            (rows + LaneTileSize.Rows - 1) / LaneTileSize.Rows
        else
            rows

    /// The first row of each.
    let first (rows: int) (tile: int) : int =
        if isWhole rows then
            min (tile * LaneTileSize.Rows) (rows - LaneTileSize.Rows)
        else
            tile

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
            let lanes = nativeint SampleLanes.Count
            let last = plan.PixelCount - 1

            let tile: LaneTile<'T, SameFactor<'T>> = {
                Factor = SameFactor()
                A = loop.Weights
                ARow = 1n
                AStep = nativeint plan.Outputs
                B = loop.X
                BSteps = plan.Taps
                From = loop.Biases
                FromRow = 1n
                Into = loop.Y
                IntoRow = nativeint plan.PixelCount * lanes
                Depth = plan.TapCount
            }

            for group in 0 .. plan.Groups - 1 do
                for lane in 0 .. 'L.Count .. SampleLanes.Count - 1 do
                    for p in 0 .. LaneTileSize.Columns .. last do
                        let p1, p2, p3 = min (p + 1) last, min (p + 2) last, min (p + 3) last

                        for part in 0 .. LaneRows.count rows - 1 do
                            let output = group * rows + LaneRows.first rows part

                            tile.Run<'V, 'L>(
                                LaneRows.isWhole rows,
                                {
                                    A = nativeint output
                                    B = nativeint (loop.At + group * plan.GroupStep + lane)
                                    B0 = plan.Pixels[p]
                                    B1 = plan.Pixels[p1]
                                    B2 = plan.Pixels[p2]
                                    B3 = plan.Pixels[p3]
                                    From = nativeint output
                                    Into =
                                        nativeint (output * plan.PixelCount) * lanes
                                        + nativeint (loop.Into + lane)
                                    Into0 = nativeint p * lanes
                                    Into1 = nativeint p1 * lanes
                                    Into2 = nativeint p2 * lanes
                                    Into3 = nativeint p3 * lanes
                                }
                            )

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
    /// Room for the sums of a tile.
    Sums: 'T[]
    Zero: 'T[]
    OutputSteps: nativeint[]
} with

    /// Numbers of a tile's sums.
    static member Room = LaneTileSize.Rows * LaneTileSize.Columns * SampleLanes.Count

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let plan = loop.Plan
            let row = nativeint (LaneTileSize.Columns * SampleLanes.Count)
            let lanes = nativeint SampleLanes.Count
            let last = plan.PixelCount - 1
            let taps = plan.TapCount
            let isWhole = LaneRows.isWhole taps

            let tile: LaneTile<'T, SameFactor<'T>> = {
                Factor = SameFactor()
                A = loop.Weights
                ARow = nativeint plan.Outputs
                AStep = 1n
                B = loop.Upstream
                BSteps = loop.OutputSteps
                From = loop.Zero
                FromRow = 0n
                Into = loop.Sums
                IntoRow = row
                Depth = plan.OutputsOfGroup
            }

            let sums = &Simd.start loop.Sums

            for group in 0 .. plan.Groups - 1 do
                let output = group * plan.OutputsOfGroup

                let result =
                    &Unsafe.Add(&Simd.start loop.Result, loop.Into + group * plan.GroupStep)

                for lane in 0 .. 'L.Count .. SampleLanes.Count - 1 do
                    for p in 0 .. LaneTileSize.Columns .. last do
                        let width = min LaneTileSize.Columns (last + 1 - p)
                        // Taps from the last one down: the places of the window that see a number then ascend,
                        // whatever the width of a tile.
                        let mutable finish = taps

                        while finish > 0 do
                            let first =
                                if isWhole then
                                    max 0 (finish - LaneTileSize.Rows)
                                else
                                    finish - 1

                            tile.Run<'V, 'L>(
                                isWhole,
                                {
                                    A = nativeint (first * plan.Outputs + output)
                                    B =
                                        nativeint (loop.At + lane)
                                        + nativeint (output * plan.PixelCount) * lanes
                                    B0 = nativeint p * lanes
                                    B1 = nativeint (min (p + 1) last) * lanes
                                    B2 = nativeint (min (p + 2) last) * lanes
                                    B3 = nativeint (min (p + 3) last) * lanes
                                    From = 0n
                                    Into = nativeint lane
                                    Into0 = 0n
                                    Into1 = lanes
                                    Into2 = 2n * lanes
                                    Into3 = 3n * lanes
                                }
                            )

                            for tap in finish - 1 .. -1 .. first do
                                for j in 0 .. width - 1 do
                                    let place = plan.Taps[tap] + plan.Pixels[p + j] + nativeint lane

                                    let given =
                                        'L
                                            .Load(
                                                &sums,
                                                nativeint (tap - first) * row
                                                + nativeint j * lanes
                                                + nativeint lane
                                            )

                                    'L.Store('L.Add('L.Load(&result, place), given), &result, place)

                            finish <- first

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
    /// Zeros where the first block begins; the sums after an even number of blocks.
    Even: 'T[]
    /// The sums after an odd number of blocks.
    Odd: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let plan = loop.Plan
            let rows = plan.OutputsOfGroup
            let lanes = nativeint SampleLanes.Count
            let taps = nativeint plan.TapCount
            let last = loop.EndTap - 1

            for block in 0 .. loop.Blocks - 1 do
                let isEven = block % 2 = 0

                let tile: LaneTile<'T, LaneFactor<'T>> = {
                    Factor = LaneFactor()
                    A = loop.Upstream
                    ARow = nativeint plan.PixelCount * lanes
                    AStep = lanes
                    B = loop.X
                    BSteps = plan.Pixels
                    From = if isEven then loop.Even else loop.Odd
                    FromRow = taps * lanes
                    Into = if isEven then loop.Odd else loop.Even
                    IntoRow = taps * lanes
                    Depth = plan.PixelCount
                }

                for lane in 0 .. 'L.Count .. SampleLanes.Count - 1 do
                    for part in 0 .. LaneRows.count rows - 1 do
                        let output = loop.Group * rows + LaneRows.first rows part
                        let into = nativeint output * taps * lanes + nativeint lane

                        for tap in loop.FirstTap .. LaneTileSize.Columns .. last do
                            let t1, t2, t3 =
                                min (tap + 1) last, min (tap + 2) last, min (tap + 3) last

                            tile.Run<'V, 'L>(
                                LaneRows.isWhole rows,
                                {
                                    A =
                                        nativeint (block * plan.OutputBlockSize + lane)
                                        + nativeint (output * plan.PixelCount) * lanes
                                    B =
                                        nativeint (
                                            block * plan.BlockSize
                                            + loop.Group * plan.GroupStep
                                            + lane
                                        )
                                    B0 = plan.Taps[tap]
                                    B1 = plan.Taps[t1]
                                    B2 = plan.Taps[t2]
                                    B3 = plan.Taps[t3]
                                    From = into
                                    Into = into
                                    Into0 = nativeint tap * lanes
                                    Into1 = nativeint t1 * lanes
                                    Into2 = nativeint t2 * lanes
                                    Into3 = nativeint t3 * lanes
                                }
                            )

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
        let zero = [| 'T.Zero |]
        let lanes = SampleLanes.Count

        let steps =
            Array.init plan.OutputsOfGroup (fun o -> nativeint (o * plan.PixelCount * lanes))

        SampleLanes.run (plan.Work samples) samples (fun block ->
            let sums = ArrayPool<'T>.Shared.Rent ConvolutionInputGradientLoop<'T>.Room

            let fill (images: 'T[]) (place: int) : unit =
                Array.Clear(images, place, plan.BlockSize)

                run {
                    ConvolutionInputGradientLoop.Plan = plan
                    Weights = weights
                    Upstream = upstream.Values
                    At = block * plan.OutputBlockSize
                    Result = images
                    Into = place
                    Sums = sums
                    Zero = zero
                    OutputSteps = steps
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

                ArrayPool<'T>.Shared.Return images

            ArrayPool<'T>.Shared.Return sums)

        {
            Features = plan.Features
            Samples = samples
            Values = result
        }

    /// Taps that a thread sums at a time.
    [<Literal>]
    let private TapsOfShare = 8

    /// The gradient in the weights: (outputs, taps) by columns.
    let weightGradient
        (plan: ConvolutionPlan)
        (padded: 'T[])
        (upstream: LaneBlocks<'T>)
        : 'T[] when 'T :> IBinaryFloatingPointIeee754<'T> =
        let samples = upstream.Samples
        let blocks = SampleLanes.blocks samples
        let count = plan.Outputs * plan.TapCount
        let even = ArrayReuse<'T>.Rent(count * SampleLanes.Count)
        let odd = ArrayReuse<'T>.Rent(count * SampleLanes.Count)
        Array.Clear even
        let parts = (plan.TapCount + TapsOfShare - 1) / TapsOfShare

        ThreadTeam.run (plan.Work samples) (plan.Groups * parts) (fun share ->
            let first = share % parts * TapsOfShare

            run {
                ConvolutionWeightGradientLoop.Plan = plan
                X = padded
                Upstream = upstream.Values
                Blocks = blocks
                Group = share / parts
                FirstTap = first
                EndTap = min plan.TapCount (first + TapsOfShare)
                Even = even
                Odd = odd
            })

        let sums = SampleLanes.sum (if blocks % 2 = 0 then even else odd) count
        ArrayReuse.Return even
        ArrayReuse.Return odd
        let result = Kernels.newArray plan.Outputs plan.TapCount

        for output in 0 .. plan.Outputs - 1 do
            for tap in 0 .. plan.TapCount - 1 do
                result[tap * plan.Outputs + output] <- sums[output * plan.TapCount + tap]

        result
