namespace Pipeline.Learning

open System
open System.Numerics
open System.Text.Json
open Pipeline.Learning.Formats

/// How the inputs of training and the answers for samples that were not learned from are distributed.
type TrainingStatistics = {
    /// The inputs: columns of a table, figures of images, or numbers.
    Inputs: WatchedFeature list
    /// The answer, or each predicted number.
    Answers: WatchedFeature list
}

/// Statistics of training in files of models.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module internal TrainingStatistics =
    /// The name of the answer of a model of classes.
    [<Literal>]
    let AnswerName = "answer"

    /// The name of a predicted number.
    let predictionName (outputs: int) (output: int) : string =
        if outputs = 1 then
            "prediction"
        else
            invariant $"prediction {output + 1}"

    /// The inputs that are watched, with the categories of those that have any.
    let private inputsOf (preprocessing: Preprocessing) (inputs: int) =
        match preprocessing with
        | Preprocessing.Table encoding -> [
            for column in WatchedColumns.ofEncoding encoding ->
                match column with
                | Choice1Of2 number -> number.Name, ValueNone
                | Choice2Of2 category -> category.Name, ValueSome category.Values
          ]
        | Preprocessing.Pixels size ->
            ImageSummary.namesOf size |> List.map (fun name -> name, ValueNone)
        | Preprocessing.Numbers -> [
            for input in WatchedColumns.places inputs -> WatchedColumns.nameOf input, ValueNone
          ]

    /// The answers that are watched.
    let private answersOf (classes: string list voption) (outputs: int) =
        match classes with
        | ValueSome names -> [ AnswerName, ValueSome names ]
        | ValueNone -> [
            for output in WatchedColumns.places outputs -> predictionName outputs output, ValueNone
          ]

    /// <summary>The statistics as JSON.</summary>
    let toJson (statistics: TrainingStatistics) : string =
        Preprocessing.json (fun json ->
            let write (name: string) (features: WatchedFeature list) =
                json.WriteStartArray name

                for feature in features do
                    WatchedFeature.write json feature

                json.WriteEndArray()

            json.WriteStartObject()
            write "inputs" statistics.Inputs
            write "answers" statistics.Answers
            json.WriteEndObject())

    /// <summary>The statistics in JSON, or nothing if it is not that of a model's.</summary>
    /// <param name="preprocessing">The model's preprocessing.</param>
    /// <param name="classes">The names of the classes that it answers; nothing if it predicts numbers.</param>
    /// <param name="inputs">The number of the network's inputs.</param>
    /// <param name="outputs">The number of its outputs.</param>
    /// <param name="json">The JSON.</param>
    let ofJson
        (preprocessing: Preprocessing)
        (classes: string list voption)
        (inputs: int)
        (outputs: int)
        (json: string)
        : TrainingStatistics option =
        let read (expected: (string * string list voption) list) (json: JsonElement) =
            if json.GetArrayLength() <> expected.Length then
                raise (FormatException())

            [
                for (name, categories), element in
                    Seq.zip expected (Seq.cast<JsonElement>(json.EnumerateArray())) do
                    let feature = WatchedFeature.read categories element

                    if feature.Name <> name then
                        raise (FormatException())

                    feature
            ]

        Preprocessing.ofJsonWith
            (fun root ->
                Some {
                    Inputs = read (inputsOf preprocessing inputs) (root.GetProperty "inputs")
                    Answers = read (answersOf classes outputs) (root.GetProperty "answers")
                })
            json

    /// The most samples of which statistics are made.
    [<Literal>]
    let private MostSamples = 2_000

    /// The samples of which statistics are made: all, or one at random of each of as many parts of equal size.
    let private chosen (count: int) : int[] =
        if count <= MostSamples then
            [| 0 .. count - 1 |]
        else
            let first part =
                int (int64 part * int64 count / int64 MostSamples)

            Array.init MostSamples (fun part ->
                let size = first (part + 1) - first part
                first part + RandomNumbers.below size 0UL RandomStream.Statistics 0L part)

    /// The columns of rows.
    let ofTable (encoding: TableEncoding) (table: Table) : WatchedFeature list =
        let table =
            match chosen table.Rows with
            | rows when rows.Length = table.Rows -> table
            | rows -> Table.take rows table

        WatchedColumns.ofEncoding encoding
        |> List.ofArray
        |> TableColumns.map table.Rows (fun column ->
            match column with
            | Choice1Of2 column ->
                WatchedColumns.numbers encoding table column
                |> WatchedFeature.ofNumbers column.Name
            | Choice2Of2 column ->
                WatchedColumns.indices encoding table column
                |> WatchedFeature.ofCategories column.Name column.Values)

    /// The figures of images.
    let private ofImages (size: ImageSize) (data: Dataset<'T>) : WatchedFeature list =
        let samples = chosen data.Count
        let buffer: byte[] = Array.zeroCreate data.Features
        let names = ImageSummary.namesOf size
        let channels = ImageSummary.channels size
        let figures: float[] = Array.zeroCreate (names.Length * samples.Length)

        for s in 0 .. samples.Length - 1 do
            Dataset.writeBytes samples[s] buffer data

            for k in 0 .. channels.Length - 1 do
                let pixels = ReadOnlySpan(buffer, channels[k] * size.Area, size.Area)

                let struct (ink, inked, left, top, width, height) =
                    ImageSummary.create size.Columns pixels

                let first = k * ImageSummary.figures * samples.Length + s
                figures[first] <- ink
                figures[first + samples.Length] <- inked
                figures[first + 2 * samples.Length] <- left
                figures[first + 3 * samples.Length] <- top
                figures[first + 4 * samples.Length] <- width
                figures[first + 5 * samples.Length] <- height

        names
        |> List.mapi (fun figure name ->
            Array.sub figures (figure * samples.Length) samples.Length
            |> WatchedFeature.ofNumbers name)

    /// The inputs of samples that are images or plain numbers.
    let ofSamples
        (preprocessing: Preprocessing)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : WatchedFeature list =
        match preprocessing with
        | Preprocessing.Pixels size -> ofImages size data
        | _ ->
            let inputs = (Dataset.take (chosen data.Count) data).Inputs

            [
                for input in WatchedColumns.places data.Features ->
                    inputs.Row(input).ToArray()
                    |> Array.map Double.CreateTruncating
                    |> WatchedFeature.ofNumbers (WatchedColumns.nameOf input)
            ]

    /// The answers for samples.
    let ofAnswers
        (classes: string list voption)
        (decision: Decision voption)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (data: Dataset<'T>)
        : WatchedFeature list =
        let outputs =
            Dataset.select (chosen data.Count) data
            |> Network.probabilities network
            |> Kernels.values
            |> Array.map Double.CreateTruncating

        let rows = network.Architecture.Outputs

        match classes with
        | ValueSome names ->
            let answers =
                Array.init (outputs.Length / rows) (fun sample ->
                    Decision.answerIn decision (ReadOnlySpan(outputs, sample * rows, rows)))

            [ WatchedFeature.ofCategories AnswerName names answers ]
        | ValueNone -> [
            for row in WatchedColumns.places rows ->
                Array.init (outputs.Length / rows) (fun sample -> outputs[sample * rows + row])
                |> WatchedFeature.ofNumbers (predictionName rows row)
          ]
