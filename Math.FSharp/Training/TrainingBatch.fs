namespace Pipeline.Learning

/// The mini-batch of each iteration.
[<RequireQualifiedAccess>]
module internal TrainingBatch =
    let isFirstOfEpoch (settings: Hyperparameters) (data: Dataset<'T>) (iteration: int64) : bool =
        iteration % int64 (Batch.iterationsPerEpoch data.Count settings.BatchSize) = 0L

    /// The indices of an iteration's samples, and the order of its epoch where sampling walks through
    /// one; `known` is the order of the iteration before, or empty.
    let indices
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (known: int[])
        (iteration: int64)
        : struct (int[] * int[]) =
        match settings.Sampling with
        | Sampling.Replacement ->
            struct (Batch.draw settings.Seed data.Count settings.BatchSize iteration, known)
        | Sampling.Epoch ->
            let order =
                if known.Length = 0 || isFirstOfEpoch settings data iteration then
                    let each = Batch.iterationsPerEpoch data.Count settings.BatchSize
                    Batch.order settings.Seed data.Count (iteration / int64 each)
                else
                    known

            struct (Batch.slice order settings.BatchSize iteration, order)

    /// The samples at those indices as a step learns from them.
    let create
        (settings: Hyperparameters)
        (data: Dataset<'T>)
        (iteration: int64)
        (indices: int[])
        : MiniBatch<'T> =
        let batch = Dataset.take indices data
        let augmentation = settings.Options.Augmentation

        let batch =
            match data.ImageSize with
            | _ when augmentation.IsNone -> batch
            | ValueSome size ->
                batch
                |> MiniBatch.revise (Augmentation.apply augmentation settings.Seed iteration size)
            | ValueNone ->
                invalidArg
                    (nameof data)
                    "expected images, as augmentation varies them, found numbers"

        match settings.Options.LabelSmoothing with
        | 0.0 -> batch
        | epsilon -> batch |> MiniBatch.retarget (Targets.smooth epsilon data.Classes)
