/// Drift: statistics of training, and windows of samples that are compared with them.
module Pipeline.Properties.DriftLaws

open System
open System.Text
open MathNet.Numerics.LinearAlgebra
open Xunit
open Xunit.Abstractions
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables

let private uniform (seed: uint64) (draw: int64) (i: int) : float =
    RandomNumbers.uniform seed RandomStream.GradientCheck draw i

let private below (limit: int) (seed: uint64) (draw: int64) (i: int) : int =
    RandomNumbers.below limit seed RandomStream.GradientCheck draw i

[<Law>]
let ``the figures of an image are those of their definition`` (seed: Seed) (NonNegativeInt size) =
    let (Seed seed) = seed
    let rows, columns = 1 + size % 300, 1 + below 70 seed 0L 0
    let isFull = below 5 seed 0L 1 = 0

    let pixels =
        Array.init (rows * columns) (fun i ->
            if isFull then 255uy
            elif below 3 seed 1L i = 0 then byte (below 256 seed 2L i)
            else 0uy)

    let ink = pixels |> Array.sumBy float

    let moment (place: int -> int) (power: int) =
        pixels
        |> Array.mapi (fun i pixel -> float pixel * Math.Pow(float (place i), float power))
        |> Array.sum
        |> fun sum -> sum / ink

    let deviation place =
        sqrt (max 0.0 (moment place 2 - moment place 1 * moment place 1))

    let column i = i % columns
    let row i = i / columns

    let struct (share, inked, left, top, width, height) =
        ImageSummary.create columns (ReadOnlySpan pixels)

    let close (expected: float) (found: float) =
        if Double.IsNaN expected then
            Assert.True(Double.IsNaN found)
        else
            Assert.Equal(expected, found, 1e-6 * max 1.0 (abs expected))

    close (ink / float pixels.Length / 255.0) share

    close (float (pixels |> Array.filter ((<>) 0uy) |> Array.length) / float pixels.Length) inked

    close (moment column 1) left
    close (moment row 1) top
    close (deviation column) width
    close (deviation row) height

/// A table of a column of many numbers, one of few numbers, some of them missing, and two of categories.
let private people (seed: uint64) (from: int) (rows: int) : Table =
    let draw column row = uniform seed column (from + row)

    table [
        "age", Cells.Numbers(Array.init rows (fun row -> 18.0 + 60.0 * draw 0L row * draw 1L row))
        "calls",
        Cells.Numbers(
            Array.init rows (fun row ->
                if draw 2L row < 0.1 then
                    nan
                else
                    floor (8.0 * draw 3L row * draw 4L row))
        )
        "plan",
        texts (
            Array.init rows (fun row ->
                [| "basic"; "plus"; "plus"; "max" |][int (4.0 * draw 5L row)])
        )
        "town",
        texts (
            Array.init rows (fun row ->
                $"town {int (40.0 * draw 6L row * draw 7L row * draw 8L row)}")
        )
    ]

let private number name = {
    NumberColumn.Name = name
    Fill = 1.0
    Centre = 0.0
    Scale = 1.0
}

let private encoding: TableEncoding = {
    Numbers = [ number "age"; number "calls" ]
    Categories = [
        {
            Name = "plan"
            Values = [ "basic"; "plus"; "max" ]
            Fill = ""
        }
        {
            Name = "town"
            Values = [ for town in 0..39 -> $"town {town}" ]
            Fill = ""
        }
    ]
    Format = CellFormat.Default
}

let private preprocessing = Preprocessing.Table encoding

let private statisticsOf (rows: Table) : TrainingStatistics = {
    Inputs = Drift.ofTable encoding rows
    Answers = []
}

/// How often each counter of a model is named by samples.
let private counts (counter: DriftCounter) (named: int seq) : int64[] =
    let counts: int64[] = Array.zeroCreate counter.Count

    for place in named do
        counts[place] <- counts[place] + 1L

    counts

let private countsOfRows (statistics: TrainingStatistics) (rows: Table) : int64[] =
    let counter = DriftCounter(statistics, preprocessing, null)
    counts counter (counter.OfRows rows)

[<Law>]
let ``rows of training have the counts of training, and no drift`` (Seed seed) (PositiveInt rows) =
    let rows = people seed 0 (1 + rows % 500)
    let statistics = statisticsOf rows
    let found = countsOfRows statistics rows
    Exactly.equal (statistics.Inputs |> List.collect _.Counts) (List.ofArray found)
    let report = Drift.compare DriftOptions.Default statistics found
    Exactly.equal (int64 rows.Rows) report.Samples
    Exactly.equal ValueNone report.Most

    for feature in report.Features do
        Exactly.equal 0.0 feature.Shift
        Exactly.equal 1.0 feature.PValue

[<Law>]
let ``the counts of a window are the sums of those of its parts, in any order of the rows``
    (Seed seed)
    (PositiveInt rows)
    (PositiveInt cut)
    =
    let rows = 2 + rows % 200
    let cut = 1 + cut % (rows - 1)
    let statistics = statisticsOf (people seed 1000 300)
    let window = people seed 0 rows

    let order = Array.init rows id |> Array.sortBy (fun row -> uniform seed 20L row)

    let parts = [
        countsOfRows statistics (Table.take order[.. cut - 1] window)
        countsOfRows statistics (Table.take order[cut..] window)
    ]

    Exactly.equal (countsOfRows statistics window) (Array.map2 (+) parts[0] parts[1])

/// A window of people in whose rows one column is changed.
let private changed (change: string -> Cells -> Cells) (rows: Table) : Table =
    table [ for column in rows.Columns -> column.Name, change column.Name column.Cells ]

[<Law>]
let ``a shift of one column is found, and the column is named`` (Seed seed) =
    let statistics = statisticsOf (people seed 0 2000)
    let window = people seed 10_000 1000

    let shifted (name: string) (change: Cells -> Cells) (bin: string) =
        let rows =
            window
            |> changed (fun column cells -> if column = name then change cells else cells)

        let report =
            countsOfRows statistics rows |> Drift.compare DriftOptions.Default statistics

        match report.Most with
        | ValueSome most ->
            Exactly.equal name most.Name
            Assert.Contains(bin, most.Bin)
            Assert.False most.IsAnswer
        | ValueNone -> failwith $"no drift of {name}"

    let numbers change cells =
        match cells with
        | Cells.Numbers numbers -> Cells.Numbers(Array.mapi change numbers)
        | cells -> cells

    let names change cells =
        match cells with
        | Cells.Texts values -> Cells.Texts(Array.mapi change (Array.ofSeq values))
        | cells -> cells

    shifted "age" (numbers (fun _ age -> age + 25.0)) "above"
    // A fifth of the numbers no longer comes.
    shifted "calls" (numbers (fun row calls -> if row % 5 = 0 then nan else calls)) "missing"
    shifted "plan" (names (fun row plan -> if row % 3 = 0 then "max" else plan)) "max"

    shifted
        "town"
        (names (fun row town -> if row % 10 = 0 then "town 99" else town))
        "others or missing"

/// Images of ink in one place, whose size varies.
let private images (seed: uint64) (from: int) (count: int) : byte[] =
    Array.init (count * 64) (fun i ->
        let image, pixel = from + i / 64, i % 64

        let size = 1.5 + 3.0 * uniform seed 30L image

        let distance =
            Math.Max(
                abs (float (pixel / 8) - 3.5 - uniform seed 31L image),
                abs (float (pixel % 8) - 3.5 + uniform seed 32L image)
            )

        if distance < size then
            byte (100.0 + 100.0 * uniform seed 33L image)
        else
            0uy)

let private imageData (pixels: byte[]) : Dataset<'T> =
    Dataset.ofIdx
        2
        {
            Count = pixels.Length / 64
            Size = ImageSize.Grey(8, 8)
            Pixels = ReadOnlyMemory pixels
        }
        (Array.zeroCreate (pixels.Length / 64))
    |> orFail

let private imageStatistics (pixels: byte[]) : TrainingStatistics =
    let data: Dataset<float32> = imageData pixels

    {
        Inputs = Drift.ofSamples (Preprocessing.Pixels(ImageSize.Grey(8, 8))) data
        Answers = []
    }

let private countsOfImages (statistics: TrainingStatistics) (pixels: byte[]) : int64[] =
    let counter =
        DriftCounter(statistics, Preprocessing.Pixels(ImageSize.Grey(8, 8)), null)

    pixels
    |> Array.chunkBySize 64
    |> Array.collect (fun image ->
        let places: int[] = Array.zeroCreate counter.Inputs
        counter.OfImage(ReadOnlySpan image, Span places)
        places)
    |> counts counter

[<Law>]
let ``each channel of images is watched as grey images are`` (Seed seed) =
    let channels = [
        for channel in 0..2 -> images seed (500 * channel) 60 |> Array.chunkBySize 64
    ]

    let size = { Channels = 3; Rows = 8; Columns = 8 }

    let pixels =
        Array.init 60 (fun image -> channels |> List.map (Array.get >> (|>) image) |> Array.concat)

    let data: Dataset<float32> =
        Dataset.ofIdx
            2
            {
                Count = 60
                Size = size
                Pixels = ReadOnlyMemory(Array.concat pixels)
            }
            (Array.zeroCreate 60)
        |> orFail

    let preprocessing = Preprocessing.Pixels size

    let statistics = {
        Inputs = Drift.ofSamples preprocessing data
        Answers = []
    }

    Exactly.equal
        [
            for channel, own in List.indexed channels do
                for feature in (imageStatistics (Array.concat own)).Inputs ->
                    {
                        feature with
                            Name = $"{feature.Name}, channel %d{channel + 1}"
                    }
        ]
        statistics.Inputs

    let counter = DriftCounter(statistics, preprocessing, null)
    let places: int[] = Array.zeroCreate counter.Inputs

    Exactly.equal
        (statistics.Inputs |> List.collect _.Counts)
        (pixels
         |> Array.collect (fun image ->
             counter.OfImage(ReadOnlySpan image, Span places)
             Array.copy places)
         |> counts counter
         |> List.ofArray)

[<Law>]
let ``images of training have the counts of training; inverted ones have drifted`` (Seed seed) =
    let pixels = images seed 0 400
    let statistics = imageStatistics pixels

    Exactly.equal
        (statistics.Inputs |> List.collect _.Counts)
        (List.ofArray (countsOfImages statistics pixels))

    let counter =
        DriftCounter(statistics, Preprocessing.Pixels(ImageSize.Grey(8, 8)), null)

    let data: Dataset<float32> = imageData pixels
    Exactly.equal (countsOfImages statistics pixels) (counts counter (counter.OfSamples data))
    let inverted = images seed 1000 200 |> Array.map (fun pixel -> 255uy - pixel)

    let report =
        countsOfImages statistics inverted
        |> Drift.compare DriftOptions.Default statistics

    let ink =
        report.Features |> List.find (fun feature -> feature.Name = "pixels with ink")

    Assert.True(ink.HasDrifted)
    Assert.True(report.Most.Value.Shift >= ink.Shift)

[<Law>]
let ``of plain numbers, all or 256 at even distances are watched``
    (Seed seed)
    (PositiveInt inputs)
    =
    let inputs = 1 + inputs % 700

    let samples =
        Matrix<float>.Build.Dense(inputs, 30, fun i s -> uniform seed 40L (s * inputs + i))

    let data = Dataset.ofColumns 1 samples (Targets.Labels(Array.zeroCreate 30))

    let statistics = {
        Inputs = Drift.ofSamples Preprocessing.Numbers data
        Answers = []
    }

    Exactly.equal (min inputs 256) statistics.Inputs.Length
    Exactly.equal "input 1" statistics.Inputs.Head.Name
    let counter = DriftCounter(statistics, Preprocessing.Numbers, null)

    Exactly.equal
        (statistics.Inputs |> List.collect _.Counts)
        (List.ofArray (counts counter (counter.OfSamples data)))

    let found =
        [ 0..29 ]
        |> List.collect (fun s ->
            let places: int[] = Array.zeroCreate counter.Inputs
            let sample = samples.Column(s).ToArray()
            counter.OfNumbers(ReadOnlySpan sample, Span places)
            List.ofArray places)

    Exactly.equal (statistics.Inputs |> List.collect _.Counts) (List.ofArray (counts counter found))

/// A network of two inputs, and samples.
let private classified (seed: uint64) (count: int) : Network<float> * Dataset<float> =
    let network =
        LayerKinds.parse [] [ "dense 4"; "tanh"; "dense 3" ]
        |> Result.bind (Architecture.create Head.Softmax (Shape.Vector 2))
        |> orFail
        |> Network.initialise (Initialiser.Fixed 2.0) seed

    let inputs =
        Matrix<float>.Build.Dense(2, count, fun i s -> 4.0 * uniform seed 50L (2 * s + i) - 2.0)

    network, Dataset.ofColumns 3 inputs (Targets.Labels(Array.zeroCreate count))

[<Law>]
let ``statistics are read as they were written, and others are refused`` (Seed seed) =
    let network, data = classified seed 60

    let model =
        Model.ofNetwork network
        |> fun model -> {
            model with
                Classes = [ "a"; "b"; "c" ]
                Decision = ValueSome { Class = 1; Threshold = 0.2 }
        }
        |> Model.withStatistics (Drift.ofSamples Preprocessing.Numbers data) data

    let file = Model.toTensors model
    let read file : Result<Model<float>, Fault list> = Model.ofTensors ModelDefaults.None file
    Exactly.equal model.Statistics (orFail (read file)).Statistics
    let answers = model.Statistics.Value.Answers |> List.exactlyOne
    Exactly.equal 60L (List.sum answers.Counts)
    Exactly.equal [ "a"; "b"; "c"; "others or missing" ] answers.BinNames

    // Counted as they are answered.
    let counter =
        DriftCounter(model.Statistics.Value, Preprocessing.Numbers, model.Decision.Value)

    let outputs = Network.probabilities network data

    let answered =
        [ 0..59 ]
        |> List.collect (fun s ->
            let places: int[] = Array.zeroCreate counter.Answers
            let outputs = outputs.Column(s).ToArray()
            counter.OfAnswer(ReadOnlySpan outputs, Span places)
            List.ofArray places)

    Exactly.equal
        answers.Counts
        (List.skip (counter.Count - 4) (List.ofArray (counts counter answered)))

    let withStatistics (text: string) = {
        file with
            Metadata =
                file.Metadata
                |> List.map (fun (name, own) -> name, (if name = "statistics" then text else own))
    }

    let own = file.Metadata |> List.find (fst >> (=) "statistics") |> snd

    for damaged in
        [
            ""
            "{}"
            own[.. own.Length / 2]
            own.Replace("input 1", "input 3")
            own.Replace("\"counts\":[", "\"counts\":[1,")
            own.Replace("\"counts\":[", "\"counts\":[-")
            own.Replace("\"limits\":[", "\"limits\":[1e300,")
        ] do
        match read (withStatistics damaged) with
        | Error [ fault ] -> Assert.Contains("statistics", string fault)
        | other -> failwith $"expected a fault, found {other}"

    // A file of an earlier version has none.
    let earlier = {
        file with
            Metadata = file.Metadata |> List.filter (fst >> (<>) "statistics")
    }

    Exactly.equal ValueNone (orFail (read earlier)).Statistics

/// Measures false alarms.
type FalseAlarms(output: ITestOutputHelper) =
    /// The share of windows with a feature that differs from training with such certainty, whatever its shift.
    let alarms (level: float) (statistics: TrainingStatistics) (windows: int64[] list) : int =
        windows
        |> List.filter (fun window ->
            let options = {
                FalseAlarms = level
                LeastShift = 0.0
            }

            (Drift.compare options statistics window).Most.IsSome)
        |> List.length

    /// Checks that 1,000 windows of samples as in training give no more false alarms than are stated, apart from
    /// chance.
    let check (what: string) (statistics: TrainingStatistics) (window: int -> int64[]) =
        let windows = [ for i in 0..999 -> window i ]

        for level in [ 0.001; 0.01; 0.1 ] do
            let found = alarms level statistics windows

            output.WriteLine $"{what}: %d{found} of 1000 windows at a level of {level}"
            // Three standard deviations above the mean.
            let most = 1000.0 * level + 3.0 * sqrt (1000.0 * level * (1.0 - level))
            Assert.True(float found <= most, $"{what}: %d{found} of 1000 at {level}")

        let usual =
            windows
            |> List.filter (fun window ->
                (Drift.compare DriftOptions.Default statistics window).Most.IsSome)

        output.WriteLine $"{what}: %d{usual.Length} of 1000 windows by default"
        Assert.True(usual.Length <= 4)

    [<Fact>]
    member _.``rows: no more windows raise an alarm than are stated``() =
        for rows, window in [ 10_000, 1000; 10_000, 100; 100, 1000; 100, 30 ] do
            let statistics = statisticsOf (people 1UL 0 rows)

            check $"{rows} rows of training, windows of {window}" statistics (fun i ->
                people 1UL (100_000 + i * window) window |> countsOfRows statistics)

    [<Fact>]
    member _.``images: no more windows raise an alarm than are stated``() =
        let statistics = imageStatistics (images 2UL 0 5000)

        check "images, windows of 200" statistics (fun i ->
            images 2UL (100_000 + i * 200) 200 |> countsOfImages statistics)

    [<Fact>]
    member _.``numbers and answers: no more windows raise an alarm than are stated``() =
        let network, data = classified 3UL 150_000

        let part from count =
            Dataset.select [| from .. from + count - 1 |] data

        let model =
            Model.ofNetwork network
            |> Model.withStatistics
                (Drift.ofSamples Preprocessing.Numbers (part 0 3000))
                (part 3000 2000)

        let statistics = model.Statistics.Value
        let counter = DriftCounter(statistics, Preprocessing.Numbers, null)
        let outputs = Network.probabilities network data
        let inputs = (Dataset.take [| 0 .. data.Count - 1 |] data).Inputs

        check "numbers and answers, windows of 140" statistics (fun i ->
            [
                for s in 5000 + i * 140 .. 5000 + i * 140 + 139 do
                    let places: int[] = Array.zeroCreate (counter.Inputs + counter.Answers)
                    let sample, answer = inputs.Column(s).ToArray(), outputs.Column(s).ToArray()
                    counter.OfNumbers(ReadOnlySpan sample, Span(places, 0, counter.Inputs))

                    counter.OfAnswer(
                        ReadOnlySpan answer,
                        Span(places, counter.Inputs, counter.Answers)
                    )

                    yield! places
            ]
            |> counts counter)
