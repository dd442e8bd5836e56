/// MiniBatch.fs, StratifiedSample.fs and Dataset.fs.
module Pipeline.Properties.DatasetLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private sizes (data: Dataset<float>) = [| 0 .. data.Count - 1 |]

let private targetOf (targets: Targets<float>) (sample: int) =
    match targets with
    | Targets.Labels labels -> [| float labels[sample] |]
    | Targets.Columns columns -> (columns.Column sample).ToArray()

let private sampleOf (data: Dataset<float>) (place: int) =
    let batch = Dataset.take [| place |] data
    (batch.Inputs.Column 0).ToArray(), targetOf batch.Targets 0

[<Law>]
let ``what is taken is what was put there, in the order asked for``
    (SmallRun(settings, data, _))
    (SmallMatrix inputs)
    =
    let labels = Array.init inputs.ColumnCount (fun s -> s % 3)
    let made = Dataset.ofColumns 3 inputs (Targets.Labels labels)
    Exactly.equal inputs.ColumnCount made.Count
    Exactly.equal inputs.RowCount made.Features
    Exactly.equal 3 made.Classes

    let places = Batch.draw settings.Seed made.Count 6 0L
    let batch = Dataset.take places made

    for s in 0..5 do
        Exactly.bits ((inputs.Column places[s]).ToArray()) ((batch.Inputs.Column s).ToArray())

    Exactly.equal (Targets.Labels(places |> Array.map (fun place -> labels[place]))) batch.Targets

    // And of the generated ones, each sample comes with its own target, however many are asked for.
    let places = Batch.draw settings.Seed data.Count 5 1L
    let batch = Dataset.take places data

    for s in 0..4 do
        let input, target = sampleOf data places[s]
        Exactly.bits input ((batch.Inputs.Column s).ToArray())
        Exactly.bits target (targetOf batch.Targets s)
        Exactly.bits target (targetOf data.Targets places[s])

[<Fact>]
let ``more numbers than an array holds are not taken at once`` () =
    let features = 65536
    let inputs = Matrix<float32>.Build.Dense(features, 1)
    let data = Dataset.ofColumns 2 inputs (Targets.Labels [| 0 |])

    let slip =
        Assert.Throws<ArgumentException>(fun () ->
            Dataset.take (Array.zeroCreate 32768) data |> ignore)

    Assert.Contains(
        "expected at most 32767 samples of 65536 numbers at once, found 32768",
        slip.Message
    )

[<Law>]
let ``a pixel is byte / 255, image after image, row after row`` (Images images) =
    let labels = Array.init images.Count (fun i -> i % 10)
    let pixels = images.Pixels.ToArray()
    let size = images.Size.Count

    let taken () : MiniBatch<'T> =
        let data = Dataset.ofIdx 10 images labels |> orFail
        Dataset.take [| 0 .. images.Count - 1 |] data

    let double: MiniBatch<float> = taken ()
    let single: MiniBatch<float32> = taken ()
    Exactly.equal size double.Inputs.RowCount
    Exactly.equal (Targets.Labels labels) double.Targets

    for s in 0 .. images.Count - 1 do
        for i in 0 .. size - 1 do
            Exactly.equal (float pixels[s * size + i] / 255.0) double.Inputs[i, s]
            Exactly.equal (float32 pixels[s * size + i] / 255.0f) single.Inputs[i, s]

[<Law>]
let ``as many labels as images, or a fault with both numbers`` (Images images) (other: int) =
    let count = abs (other % 9)

    match Dataset.ofIdx 10 images (Array.zeroCreate count): Result<Dataset<float32>, _> with
    | Ok data ->
        Exactly.equal images.Count count
        Exactly.equal images.Count data.Count
    | Error faults ->
        Assert.NotEqual(images.Count, count)
        let text = string (List.exactlyOne faults)
        Assert.Contains($"{images.Count} images", text)
        Assert.Contains($"found {count}", text)

[<Law>]
let ``the parts are all samples in order, none longer than asked``
    (SmallRun(_, data, _))
    (SampleCounts(_, size))
    =
    let parts =
        List.init (Dataset.partCount size data) (fun i ->
            Dataset.take (Dataset.part size i data) data)

    let whole = Dataset.take (sizes data) data
    Exactly.equal ((data.Count + size - 1) / size) parts.Length
    Assert.All(parts, (fun part -> Assert.InRange(part.Inputs.ColumnCount, 1, size)))

    parts
    |> List.map (fun part -> part.Inputs.ToColumnMajorArray())
    |> Array.concat
    |> Exactly.bits (whole.Inputs.ToColumnMajorArray())

    parts
    |> List.map (fun part ->
        Array.init part.Inputs.ColumnCount (targetOf part.Targets) |> Array.concat)
    |> Array.concat
    |> Exactly.bits (Array.init data.Count (targetOf whole.Targets) |> Array.concat)

[<Law>]
let ``a mini-batch to single precision and back is rounded once`` (Trainable(_, batch)) =
    let single: MiniBatch<float32> = MiniBatch.convert batch
    let back: MiniBatch<float> = MiniBatch.convert single

    let rounded (m: Matrix<float>) =
        m.ToColumnMajorArray() |> Array.map (float32 >> float)

    Exactly.bits (rounded batch.Inputs) (back.Inputs.ToColumnMajorArray())
    Exactly.equal batch.Inputs.RowCount single.Inputs.RowCount

    match batch.Targets, single.Targets, back.Targets with
    | Targets.Labels one, Targets.Labels two, Targets.Labels three ->
        Exactly.bits one two
        Exactly.bits one three
    | Targets.Columns one, Targets.Columns _, Targets.Columns three ->
        Exactly.bits (rounded one) (three.ToColumnMajorArray())
    | _ -> failwith "the kind of the targets changed"

[<Fact>]
let ``targets that do not fit their samples are refused`` () =
    let inputs: Matrix<float> = Matrix<float>.Build.Dense(2, 3)

    Exactly.refused [ "3 samples"; "found 2" ] (fun () ->
        Dataset.ofColumns 4 inputs (Targets.Labels [| 0; 1 |]))

    for label in [ -1; 4 ] do
        Exactly.refused [ "0 to 3" ] (fun () ->
            Dataset.ofColumns 4 inputs (Targets.Labels [| 0; label; 1 |]))

    Exactly.refused [ "4 rows"; "found 5" ] (fun () ->
        Dataset.ofColumns 4 inputs (Targets.Columns(Matrix<float>.Build.Dense(5, 3))))

[<Law>]
let ``a place outside the data set is an exception`` (SmallRun(_, data, _)) =
    for place in [ -1; data.Count; Int32.MaxValue ] do
        Assert.ThrowsAny<exn>(fun () -> Dataset.take [| 0; place |] data |> ignore)
        |> ignore

[<Law>]
let ``what is selected stands there in its order, and can be selected from again``
    (SmallRun(settings, data, _))
    =
    let places = Batch.draw settings.Seed data.Count 6 0L
    let some = Dataset.select places data
    Exactly.equal 6 some.Count

    for s in 0..5 do
        Exactly.equal (sampleOf data places[s]) (sampleOf some s)

    let again = Dataset.select [| 5; 0; 5 |] some

    for s, place in List.indexed [ 5; 0; 5 ] do
        Exactly.equal (sampleOf some place) (sampleOf again s)

    Exactly.refused [ "0 to 5" ] (fun () -> Dataset.select [| 6 |] some)
    Exactly.refused [ "0 to 5" ] (fun () -> Dataset.take [| 6 |] some)

[<Law>]
let ``images that are selected are those images`` (Images images) (Seed seed) =
    let labels = Array.init images.Count (fun i -> i % 10)
    let data: Dataset<float> = Dataset.ofIdx 10 images labels |> orFail

    let places =
        RandomNumbers.permutation images.Count seed RandomStream.GradientCheck 0L

    let some = Dataset.select places data

    for s in 0 .. images.Count - 1 do
        Exactly.equal (sampleOf data places[s]) (sampleOf some s)

[<Law>]
let ``a split holds every sample once, and the same share of every class on both sides``
    (Seed seed)
    (Classed(classes, labels))
    (Fraction share)
    =
    let inputs = Matrix<float>.Build.Dense(1, max 1 labels.Length, fun _ s -> float s)

    let labels = if labels.Length = 0 then [| 0 |] else labels
    let data = Dataset.ofColumns classes inputs (Targets.Labels labels)
    let struct (train, validation) = Dataset.split seed share data

    let numbers (part: Dataset<float>) =
        if part.Count = 0 then
            [||]
        else
            (Dataset.take [| 0 .. part.Count - 1 |] part).Inputs.ToColumnMajorArray()

    // Each side in the whole's order.
    for part in [ train; validation ] do
        Exactly.bits (Array.sort (numbers part)) (numbers part)

    Array.append (numbers train) (numbers validation)
    |> Array.sort
    |> Exactly.bits (Array.init labels.Length float)

    for label, members in labels |> Array.indexed |> Array.groupBy snd do
        let kept =
            numbers validation
            |> Array.filter (fun s -> labels[int s] = label)
            |> Array.length

        Assert.InRange(
            float kept,
            share * float members.Length - 0.5,
            share * float members.Length + 0.5
        )

    let struct (again, _) = Dataset.split seed share data
    Exactly.bits (numbers train) (numbers again)

[<Fact>]
let ``another seed gives another split, and a fraction outside 0 to 1 is refused`` () =
    let labels = Array.init 100 (fun s -> s % 10)
    let inputs = Matrix<float>.Build.Dense(1, 100, fun _ s -> float s)
    let data = Dataset.ofColumns 10 inputs (Targets.Labels labels)

    let kept seed =
        let struct (_, validation) = Dataset.split seed 0.3 data
        (Dataset.take [| 0 .. validation.Count - 1 |] validation).Inputs.ToColumnMajorArray()

    Exactly.equal 30 (kept 1UL).Length
    Assert.NotEqual<float[]>(kept 1UL, kept 2UL)

    for share in [ -0.1; 1.1; nan ] do
        Exactly.refused [ "fraction" ] (fun () -> Dataset.split 1UL share data)

[<Law>]
let ``a pixel counts byte / 255, whatever the width of the registers``
    (ProductShape(size, count, _))
    =
    // Every byte that there is, and samples that overlap none.
    let samples = 256 / size + count
    let bytes = Array.init (samples * size) byte
    let places = Array.init (samples + 3) (fun s -> s * 7 % samples)

    let expected =
        places
        |> Array.collect (fun place -> Array.sub bytes (place * size) size)
        |> Array.map (fun pixel -> float pixel / 255.0)

    let scaled (run: ILoop<'T> -> unit) =
        let scaled = Array.zeroCreate expected.Length

        run {
            ScaleLoop.Bytes = ReadOnlyMemory bytes
            Size = size
            Places = places
            Scaled = scaled
        }

        scaled

    for run in Registers.forDouble size do
        scaled run |> Exactly.bits expected

    for run in Registers.forSingle size do
        scaled run
        |> Exactly.bits (expected |> Array.map (fun x -> float32 (x * 255.0) / 255.0f))
