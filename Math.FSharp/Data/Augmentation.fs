namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// How the images of a training step are varied. Every number is a limit, 0 or greater; 0 leaves its
/// kind out.
type Augmentation = {
    /// Greatest shift along rows and along columns, in pixels.
    Shift: float
    /// Greatest turn to either side, in degrees, up to 180.
    Rotation: float
    /// Greatest change of size, as a share of it, less than 1: 0.1 is 0.9 to 1.1.
    Scale: float
    /// Elastic distortion: how far pixels move, α in pixels.
    Elastic: float
    /// How smooth it is: the standard deviation σ, in pixels, of what its random fields are blurred
    /// with; greater than 0.
    Smoothness: float
    /// Standard deviation of the noise that is added to every pixel of 0 to 1.
    Noise: float
    /// The share of images that are mirrored, left to right, up to 1.
    Mirror: float
} with

    /// Images left as they are.
    static member None: Augmentation = {
        Shift = 0.0
        Rotation = 0.0
        Scale = 0.0
        Elastic = 0.0
        Smoothness = 4.0
        Noise = 0.0
        Mirror = 0.0
    }

    /// Whether images stay as they are.
    member augmentation.IsNone: bool =
        augmentation = {
                           Augmentation.None with
                               Smoothness = augmentation.Smoothness
                       }

/// Every column of an image's rows blurred: sums of weights times the rows around, those outside left
/// out. Registers share out the columns.
[<Struct>]
type internal BlurLoop = {
    /// For rows −radius … radius.
    Weights: float32[]
    BlurRows: int
    BlurColumns: int
    Source: float32[]
    Blurred: float32[]
} with

    interface ILoop<float32> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, float32> and 'V: struct>() =
            let source = &Simd.start loop.Source
            let result = &Simd.start loop.Blurred
            let radius = loop.Weights.Length / 2
            let columns = loop.BlurColumns

            for row in 0 .. loop.BlurRows - 1 do
                let first = max 0 (row - radius)
                let last = min (loop.BlurRows - 1) (row + radius)
                let mutable column = 0

                while column < columns do
                    let place = min column (columns - 'L.Count)
                    let mutable sum = 'L.Create 0f

                    for other in first..last do
                        let weight = 'L.Create loop.Weights[other - row + radius]

                        sum <-
                            'L
                                .MultiplyAdd(
                                    weight,
                                    'L.Load(&source, nativeint (other * columns + place)),
                                    sum
                                )

                    'L.Store(sum, &result, nativeint (row * columns + place))
                    column <- column + 'L.Count

/// <summary>Varied images: a function of the run's seed, the iteration and the sample.</summary>
/// <remarks>Source of the elastic distortion: Simard, Steinkraus and Platt, Best practices for
/// convolutional neural networks, 2003.</remarks>
[<RequireQualifiedAccess>]
module Augmentation =
    /// The weights of a blur of that deviation, cut at three deviations; they sum to 1.
    let private gaussian (deviation: float) : float32[] =
        let radius = int (Math.Ceiling(3.0 * deviation))

        let weights =
            Array.init (2 * radius + 1) (fun i ->
                let x = float (i - radius) / deviation
                Elementary.Exp<float, float, Simd1<float>>(-0.5 * x * x))

        let sum = Array.sum weights
        weights |> Array.map (fun weight -> float32 (weight / sum))

    let private transpose (rows: int) (columns: int) (values: float32[]) : float32[] =
        let result = Array.zeroCreate values.Length

        for r in 0 .. rows - 1 do
            for c in 0 .. columns - 1 do
                result[c * rows + r] <- values[r * columns + c]

        result

    let private blurRows (weights: float32[]) (rows: int) (columns: int) (values: float32[]) =
        let result = Array.zeroCreate values.Length

        Simd.run columns {
            Weights = weights
            BlurRows = rows
            BlurColumns = columns
            Source = values
            Blurred = result
        }

        result

    /// Numbers of −1 to 1, uniform: four of each block of bits.
    let private uniform seed iteration sample which count : float32[] =
        let numbers = Array.zeroCreate count

        let number (bits: uint32) =
            float32 ((float bits + 0.5) / 2147483648.0 - 1.0)

        for first in 0..4 .. count - 1 do
            let struct (x0, x1, x2, x3) =
                RandomNumbers.block128
                    seed
                    RandomStream.Distortion
                    sample
                    iteration
                    (first / 2 + which)

            numbers[first] <- number x0

            if first + 1 < count then
                numbers[first + 1] <- number x1

            if first + 2 < count then
                numbers[first + 2] <- number x2

            if first + 3 < count then
                numbers[first + 3] <- number x3

        numbers

    /// A field blurred, times a factor.
    let private smooth weights (factor: float) rows columns (field: float32[]) : float32[] =
        blurRows weights rows columns field
        |> transpose rows columns
        |> blurRows weights columns rows
        |> transpose columns rows
        |> Array.map (fun x -> x * float32 factor)

    /// The pixel at a place between pixels, of the four around it; 0 outside the image.
    let private between rows columns (image: ReadOnlySpan<float32>) (r: float32) (c: float32) =
        let top, left = MathF.Floor r, MathF.Floor c
        let down, right = r - top, c - left
        let row, column = int top, int left

        // Places of huge numbers are no whole numbers; they are far outside.
        if not (r > -1f && c > -1f && r < float32 rows && c < float32 columns) then
            0f
        else
            let mutable sum = 0f

            for i in 0..1 do
                for j in 0..1 do
                    let y, x = row + i, column + j

                    if y >= 0 && y < rows && x >= 0 && x < columns then
                        let weight =
                            (if i = 0 then 1f - down else down)
                            * (if j = 0 then 1f - right else right)

                        sum <- MathF.FusedMultiplyAdd(weight, image[y * columns + x], sum)

            sum

    /// One image varied: its channels alike, but for the noise, of which each number has its own.
    let private vary
        (augmentation: Augmentation)
        (weights: float32[])
        (seed: uint64)
        (iteration: int64)
        (sample: int)
        (imageSize: ImageSize)
        (image: ReadOnlySpan<float32>)
        (result: Span<float32>)
        : unit =
        let within limit k =
            limit
            * (2.0
               * RandomNumbers.uniform seed RandomStream.Augmentation iteration (8 * sample + k)
               - 1.0)

        let rows, columns = imageSize.Rows, imageSize.Columns
        let size = 1.0 / (1.0 + within augmentation.Scale 0)
        let turn = within augmentation.Rotation 1 / 180.0
        let cosine = ScalarMath.CosPi(abs turn)
        let sine = ScalarMath.CosPi(abs (0.5 - abs turn)) * float (sign turn)
        let down, right = within augmentation.Shift 2, within augmentation.Shift 3

        let isMirrored =
            RandomNumbers.uniform seed RandomStream.Augmentation iteration (8 * sample + 4) <
                augmentation.Mirror

        let a, b = float32 (size * cosine), float32 (size * sine)

        let moved which =
            uniform seed iteration sample which (rows * columns)
            |> smooth weights augmentation.Elastic rows columns

        let isElastic = augmentation.Elastic > 0.0
        let downs = if isElastic then moved 0 else [||]
        let rights = if isElastic then moved 1 else [||]
        let middleRow, middleColumn = float32 (rows - 1) / 2f, float32 (columns - 1) / 2f

        for r in 0 .. rows - 1 do
            for c in 0 .. columns - 1 do
                let i = r * columns + c
                let y, right' = float32 r - middleRow, float32 c - middleColumn
                let x = if isMirrored then -right' else right'
                let mutable fromRow = middleRow + a * y - b * x - float32 down
                let mutable fromColumn = middleColumn + b * y + a * x - float32 right

                if isElastic then
                    fromRow <- fromRow + downs[i]
                    fromColumn <- fromColumn + rights[i]

                for channel in 0 .. imageSize.Channels - 1 do
                    let first = channel * imageSize.Area

                    result[first + i] <-
                        between rows columns (image.Slice(first, imageSize.Area)) fromRow fromColumn

        if augmentation.Noise > 0.0 then
            for i in 0 .. result.Length - 1 do
                let noise =
                    RandomNumbers.normal
                        seed
                        RandomStream.Noise
                        iteration
                        (sample * result.Length + i)

                result[i] <- result[i] + float32 (augmentation.Noise * noise)

    /// <summary>Images varied, each in its own way. All channels of an image are shifted, turned, scaled, distorted and
    /// mirrored alike.</summary>
    /// <param name="augmentation">How.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="iteration">The iteration, from 0.</param>
    /// <param name="size">The size of an image.</param>
    /// <param name="images">(channels · rows · columns, batch), an image a column: channel after channel, row after
    /// row.</param>
    /// <returns>Of the same shape.</returns>
    /// <exception cref="T:System.ArgumentException">The images have another size.</exception>
    [<CompiledName("Apply")>]
    let apply
        (augmentation: Augmentation)
        (seed: uint64)
        (iteration: int64)
        (size: ImageSize)
        (images: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Matrix<'T> =
        if images.RowCount <> size.Count then
            invalidArg
                (nameof images)
                (invariant
                    $"expected columns of {size.Count} numbers for {size}, found {images.RowCount}")

        let source = Kernels.values images |> Array.map (fun x -> Single.CreateTruncating x)
        let result: float32[] = Array.zeroCreate source.Length
        let count = size.Count
        let weights = gaussian augmentation.Smoothness

        // An elastic distortion takes as long as some ten thousand multiplications.
        ThreadTeam.run (int64 source.Length * 256L) images.ColumnCount (fun sample ->
            vary
                augmentation
                weights
                seed
                iteration
                sample
                size
                (ReadOnlySpan(source, sample * count, count))
                (Span(result, sample * count, count)))

        result
        |> Array.map (fun x -> 'T.CreateTruncating x)
        |> Kernels.matrix count images.ColumnCount
