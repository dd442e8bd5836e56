/// Augmentation.fs: what becomes of images whose variation is known.
module Pipeline.Properties.AugmentationLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private rows, columns = 20, 18

/// An image with light around a place and none near the edges.
let private spot (row: float) (column: float) : float[] =
    Array.init (rows * columns) (fun i ->
        let y, x = float (i / columns) - row, float (i % columns) - column
        Math.Exp(-(x * x + y * y) / 4.0))

let private images (each: float[] list) : Matrix<float> =
    Matrix<float>.Build.DenseOfColumnArrays each

let private vary augmentation seed iteration images =
    Augmentation.apply augmentation seed iteration (ImageSize.Grey(rows, columns)) images

/// Where an image's light is, in the mean: row and column.
let private centre (image: Vector<float>) =
    let total = image.Sum()

    let mean at =
        Seq.sum (Seq.mapi (fun i light -> at i * light) image) / total

    mean (fun i -> float (i / columns)), mean (fun i -> float (i % columns))

let private many = images (List.replicate 40 (spot 9.5 8.5))

let private elastic = {
    Augmentation.None with
        Elastic = 20.0
        Smoothness = 3.0
}

let private everything = {
    Shift = 2.0
    Rotation = 15.0
    Scale = 0.1
    Elastic = 20.0
    Smoothness = 3.0
    Noise = 0.05
    Mirror = 0.5
}

[<Law>]
let ``limits of 0 leave every pixel as it is, but for single precision`` (Seed seed) =
    (vary Augmentation.None seed 3L many).ToColumnMajorArray()
    |> Approximately.equal 1e-7 (many.ToColumnMajorArray())

[<Law>]
let ``the same seed, iteration and sample vary alike, and no others`` (Seed seed) =
    let varied = vary everything seed 3L many

    Exactly.bits (varied.ToColumnMajorArray()) ((vary everything seed 3L many).ToColumnMajorArray())

    // A sample is varied alike whoever else is in its batch.
    Exactly.bits
        (varied.SubMatrix(0, rows * columns, 0, 5).ToColumnMajorArray())
        ((vary everything seed 3L (many.SubMatrix(0, rows * columns, 0, 5))).ToColumnMajorArray())

    let columnsOf (m: Matrix<float>) = [ for column in m.EnumerateColumns() -> column.ToArray() ]

    Exactly.equal 40 (columnsOf varied |> List.distinct |> List.length)

    Assert.NotEqual<float[]>(
        (columnsOf varied).Head,
        (columnsOf (vary everything (seed + 1UL) 3L many)).Head
    )

    Assert.NotEqual<float[]>(
        (columnsOf varied).Head,
        (columnsOf (vary everything seed 4L many)).Head
    )

    Exactly.bits
        (varied.ToColumnMajorArray() |> Array.map float32)
        ((Augmentation.apply everything seed 3L (ImageSize.Grey(rows, columns)) (single many))
            .ToColumnMajorArray())

[<Law>]
let ``mirrored images are themselves read backwards, and as many as the share says`` (Seed seed) =
    let image = spot 4.0 13.0
    let mirrored = spot 4.0 (float columns - 1.0 - 13.0)
    let many = images (List.replicate 400 image)

    let count =
        (vary { Augmentation.None with Mirror = 0.3 } seed 0L many).EnumerateColumns()
        |> Seq.sumBy (fun column ->
            let isMirrored = column[4 * columns + 4] > 0.5

            column.ToArray()
            |> Approximately.equal 1e-6 (if isMirrored then mirrored else image)

            if isMirrored then 1 else 0)

    // 120 of 400, give or take five deviations.
    Assert.InRange(count, 74, 166)

[<Law>]
let ``shifts move the light by up to the limit, in every direction`` (Seed seed) =
    let shifts = [
        for column in (vary { Augmentation.None with Shift = 2.0 } seed 0L many).EnumerateColumns() ->
            let row, place = centre column
            row - 9.5, place - 8.5
    ]

    for down, right in shifts do
        Assert.InRange(down, -2.01, 2.01)
        Assert.InRange(right, -2.01, 2.01)

    for along in [ fst; snd ] do
        Assert.True(shifts |> List.exists (along >> fun x -> x > 0.5))
        Assert.True(shifts |> List.exists (along >> fun x -> x < -0.5))

[<Law>]
let ``turns keep the distance from the middle, and the angle within the limit`` (Seed seed) =
    // Five columns right of the middle.
    let images = images (List.replicate 40 (spot 9.5 13.5))

    let angles = [
        for column in
            (vary
                {
                    Augmentation.None with
                        Rotation = 30.0
                }
                seed
                0L
                images)
                .EnumerateColumns() ->
            let row, place = centre column
            let y, x = row - 9.5, place - 8.5
            Assert.InRange(Math.Sqrt(x * x + y * y), 4.6, 5.1)
            Math.Atan2(y, x) * 180.0 / Math.PI
    ]

    Assert.All(angles, (fun angle -> Assert.InRange(angle, -30.5, 30.5)))
    Assert.True(angles |> List.exists (fun angle -> angle > 5.0))
    Assert.True(angles |> List.exists (fun angle -> angle < -5.0))

[<Law>]
let ``scales change the distance from the middle within the limit, not the direction`` (Seed seed) =
    let images = images (List.replicate 40 (spot 9.5 12.5))

    let distances = [
        for column in
            (vary { Augmentation.None with Scale = 0.3 } seed 0L images).EnumerateColumns() ->
            let row, place = centre column
            Assert.InRange(row, 9.4, 9.6)
            place - 8.5
    ]

    Assert.All(distances, (fun distance -> Assert.InRange(distance, 2.75, 5.25)))
    Assert.True(distances |> List.exists (fun distance -> distance > 4.2))
    Assert.True(distances |> List.exists (fun distance -> distance < 3.8))

[<Law>]
let ``elastic distortion keeps pixels between the image's darkest and lightest`` (Seed seed) =
    let varied = vary elastic seed 0L many
    Assert.All(varied.ToColumnMajorArray(), (fun pixel -> Assert.InRange(pixel, 0.0, 1.0)))
    Assert.True((varied - many).PointwiseAbs().ToColumnMajorArray() |> Array.max > 0.01)

[<Law>]
let ``noise has its deviation and no mean`` (Seed seed) =
    let noise =
        (vary { Augmentation.None with Noise = 0.1 } seed 0L many - many).ToColumnMajorArray()

    let n = float noise.Length
    Assert.InRange(MathNet.Numerics.Statistics.Statistics.Mean noise, -0.6 / sqrt n, 0.6 / sqrt n)

    Assert.InRange(
        MathNet.Numerics.Statistics.Statistics.StandardDeviation noise,
        0.1 * (1.0 - 5.0 / sqrt n),
        0.1 * (1.0 + 5.0 / sqrt n)
    )

[<Fact>]
let ``images of another size are refused, and numbers that are no images`` () =
    Exactly.refused [ "20 × 18"; "100" ] (fun () ->
        vary everything 1UL 0L (Matrix<float>.Build.Dense(100, 2)))

    let data =
        Dataset.ofColumns 2 (Matrix<float>.Build.Dense(3, 2)) (Targets.Labels [| 0; 1 |])

    let settings =
        Hyperparameters.create {
            Hyperparameters.Default.Options with
                Augmentation = everything
        }
        |> orFail

    let start: TrainingState<float> =
        Trainer.start settings (Architecture.dense Activation.Relu [ 3; 2 ])

    Exactly.refused [ "images" ] (fun () -> Trainer.step settings data start)

[<Fact>]
let ``numbers out of range are refused`` () =
    for augmentation, subject in
        [
            { Augmentation.None with Shift = -1.0 }, "Shift"
            {
                Augmentation.None with
                    Rotation = 181.0
            },
            "Rotation"
            { Augmentation.None with Scale = 1.0 }, "Scale"
            { Augmentation.None with Elastic = nan }, "Elastic"
            {
                Augmentation.None with
                    Smoothness = 0.0
            },
            "Smoothness"
            {
                Augmentation.None with
                    Noise = infinity
            },
            "Noise"
        ] do
        Exactly.faulted
            [ subject ]
            (Hyperparameters.create {
                Hyperparameters.Default.Options with
                    Augmentation = augmentation
            })

[<Law>]
let ``the channels of an image are varied as grey images are, each in the same way`` (Seed seed) =
    let places = [ 4.0, 13.0; 9.5, 8.5; 12.0, 3.0 ]
    let channels = [ for row, column in places -> images (List.replicate 6 (spot row column)) ]

    let colour =
        channels
        |> List.map _.ToRowArrays()
        |> Array.concat
        |> Matrix<float>.Build.DenseOfRowArrays

    let size = {
        Channels = 3
        Rows = rows
        Columns = columns
    }

    let varied augmentation =
        let all: Matrix<float> = Augmentation.apply augmentation seed 3L size colour

        List.init 3 (fun channel ->
            all
                .SubMatrix(channel * size.Area, size.Area, 0, colour.ColumnCount)
                .ToColumnMajorArray())

    let silent = { everything with Noise = 0.0 }

    for channel, found in List.zip channels (varied silent) do
        Exactly.bits ((vary silent seed 3L channel).ToColumnMajorArray()) found

    // Every number has noise of its own.
    let noise =
        List.map2
            (Array.map2 (-))
            (varied { Augmentation.None with Noise = 0.05 })
            (varied Augmentation.None)

    Assert.NotEqual<float[]>(noise[0], noise[1])
    Assert.NotEqual<float[]>(noise[1], noise[2])
