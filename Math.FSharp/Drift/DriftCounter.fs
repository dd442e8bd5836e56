namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Formats

/// <summary>Finds the counters of samples and answers: one of each feature's bins, numbered through all features, those of
/// the inputs first. Nothing of a sample remains but what was counted.</summary>
/// <remarks>Any number of threads may ask at once.</remarks>
[<Sealed>]
type DriftCounter
    /// <summary>Makes statistics ready to count.</summary>
    /// <param name="statistics">The model's statistics of training.</param>
    /// <param name="preprocessing">The model's preprocessing.</param>
    /// <param name="decision">When the model answers a class; null for the most probable class.</param>
    (statistics: TrainingStatistics, preprocessing: Preprocessing, decision: Decision | null) =
    let decision = ValueOption.ofObj decision
    let features = Array.ofList (statistics.Inputs @ statistics.Answers)

    let limits =
        features
        |> Array.map (fun feature ->
            match feature.Bins with
            | FeatureBins.Numbers limits -> Array.ofList limits
            | FeatureBins.Categories _ -> [||])

    let starts =
        features
        |> Array.scan (fun start feature -> start + WatchedFeature.binCount feature.Bins) 0

    let inputs = statistics.Inputs.Length

    let number (feature: int) (x: float) : int =
        starts[feature] + WatchedFeature.binOf limits[feature] x

    let category (feature: int) (index: int) : int =
        starts[feature]
        + WatchedFeature.categoryBin (starts[feature + 1] - starts[feature] - 1) index

    /// The channels of an image that are watched.
    let channels =
        match preprocessing with
        | Preprocessing.Pixels size -> ImageSummary.channels size
        | _ -> [||]

    let require (name: string) (expected: int) (found: int) : unit =
        if found <> expected then
            invalidArg name (invariant $"expected room for {expected}, found {found}")

    /// The number of counters.
    member _.Count = Array.last starts

    /// The number of features of a sample, each of which has a counter.
    member _.Inputs = inputs

    /// The number of features of an answer, each of which has a counter.
    member _.Answers = features.Length - inputs

    /// <summary>The counters of an image.</summary>
    /// <param name="pixels">A byte a pixel: channel after channel, row after row.</param>
    /// <param name="counters">Receives a counter for each feature of a sample.</param>
    /// <exception cref="T:System.ArgumentException">There is no room for as many counters, or the model takes no
    /// images.</exception>
    member _.OfImage(pixels: ReadOnlySpan<byte>, counters: Span<int>) : unit =
        require (nameof counters) inputs counters.Length

        match preprocessing with
        | Preprocessing.Pixels size ->
            for k in 0 .. channels.Length - 1 do
                let struct (ink, inked, left, top, width, height) =
                    ImageSummary.create
                        size.Columns
                        (pixels.Slice(channels[k] * size.Area, size.Area))

                let first = k * ImageSummary.figures
                counters[first] <- number first ink
                counters[first + 1] <- number (first + 1) inked
                counters[first + 2] <- number (first + 2) left
                counters[first + 3] <- number (first + 3) top
                counters[first + 4] <- number (first + 4) width
                counters[first + 5] <- number (first + 5) height
        | _ -> invalidArg (nameof pixels) "expected a sample of a model of images"

    /// <summary>The counters of the numbers that enter a network.</summary>
    /// <param name="numbers">As many as the network has inputs.</param>
    /// <param name="counters">Receives a counter for each feature of a sample.</param>
    /// <exception cref="T:System.ArgumentException">There is no room for as many counters, or the model takes other
    /// samples.</exception>
    member _.OfNumbers(numbers: ReadOnlySpan<float>, counters: Span<int>) : unit =
        require (nameof counters) inputs counters.Length

        match preprocessing with
        | Preprocessing.Numbers ->
            for feature in 0 .. inputs - 1 do
                let place = WatchedColumns.placeOf numbers.Length feature
                counters[feature] <- number feature numbers[place]
        | _ -> invalidArg (nameof numbers) "expected a sample of a model of plain numbers"

    /// <summary>The counters of images or of samples of plain numbers.</summary>
    /// <param name="data">The samples.</param>
    /// <returns>The counters of the first sample, then those of the second one, …</returns>
    /// <exception cref="T:System.ArgumentException">The model takes rows of tables, or the samples have another
    /// size.</exception>
    member counter.OfSamples(data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : int[] =
        let counters = Array.zeroCreate (data.Count * inputs)

        let ofSample: int -> unit =
            match preprocessing with
            | Preprocessing.Pixels _ ->
                let bytes: byte[] = Array.zeroCreate data.Features

                fun sample ->
                    Dataset.writeBytes sample bytes data
                    counter.OfImage(ReadOnlySpan bytes, Span(counters, sample * inputs, inputs))
            | _ ->
                fun sample ->
                    let numbers =
                        Kernels.values (Dataset.take [| sample |] data).Inputs
                        |> Array.map Double.CreateTruncating

                    counter.OfNumbers(ReadOnlySpan numbers, Span(counters, sample * inputs, inputs))

        for sample in 0 .. data.Count - 1 do
            ofSample sample

        counters

    /// <summary>The counters of a table's rows.</summary>
    /// <param name="table">The rows.</param>
    /// <returns>The counters of the first row, then those of the second one, …</returns>
    /// <exception cref="T:System.ArgumentException">The model takes no rows of tables.</exception>
    member _.OfRows(table: Table) : int[] =
        match preprocessing with
        | Preprocessing.Table encoding ->
            let counters = Array.zeroCreate (table.Rows * inputs)

            WatchedColumns.ofEncoding encoding
            |> Array.iteri (fun feature column ->
                match column with
                | Choice1Of2 column ->
                    WatchedColumns.numbers encoding table column
                    |> Array.iteri (fun row x ->
                        counters[row * inputs + feature] <- number feature x)
                | Choice2Of2 column ->
                    WatchedColumns.indices encoding table column
                    |> Array.iteri (fun row index ->
                        counters[row * inputs + feature] <- category feature index))

            counters
        | _ -> invalidArg (nameof table) "expected rows of a model of a table"

    /// <summary>The counters of an answer.</summary>
    /// <param name="outputs">The outputs for a sample.</param>
    /// <param name="counters">Receives a counter for each feature of an answer.</param>
    /// <exception cref="T:System.ArgumentException">There is no room for as many counters.</exception>
    member _.OfAnswer(outputs: ReadOnlySpan<float>, counters: Span<int>) : unit =
        require (nameof counters) (features.Length - inputs) counters.Length

        match statistics.Answers with
        | [ { Bins = FeatureBins.Categories _ } ] ->
            counters[0] <- category inputs (Decision.answerIn decision outputs)
        | _ ->
            for output in 0 .. counters.Length - 1 do
                let place = WatchedColumns.placeOf outputs.Length output
                counters[output] <- number (inputs + output) outputs[place]
