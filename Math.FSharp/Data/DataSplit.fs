namespace Pipeline.Learning

open System
open System.Numerics

/// How a run splits its samples into training, validation and test samples.
type DataSplit = private {
    samples: int voption
    testShare: float
    validation: float
    seed: uint64
} with

    /// How many of the training samples are used; all where there is no number.
    member split.Samples = split.samples
    /// The share of the samples that is the test set, where it has no samples of its own: 0 to 0.9.
    member split.TestShare = split.testShare
    /// The share of the training samples that is used for validation instead: 0 to 0.9.
    member split.Validation = split.validation
    /// The run's seed.
    member split.Seed = split.seed

/// Making splits and splitting the training samples.
[<RequireQualifiedAccess>]
module DataSplit =
    /// Shares that leave enough samples to learn from.
    let internal shares = NumberRange.between 0.0 0.9

    /// <summary>The split, or everything that is wrong with it.</summary>
    /// <param name="samples">How many training samples to use: 1 or more; all where there is no number.</param>
    /// <param name="testShare">The share for the test set, 0 to 0.9.</param>
    /// <param name="validation">The share of the training samples for validation, 0 to 0.9.</param>
    /// <param name="seed">The run's seed.</param>
    [<CompiledName("Create")>]
    let create
        (samples: Nullable<int>)
        (testShare: float)
        (validation: float)
        (seed: uint64)
        : Result<DataSplit, Fault list> =
        let samples = ValueOption.ofNullable samples

        Fault.check
            [
                match samples with
                | ValueSome count -> NumberRange.check "Samples" NumberRange.oneOrMore count
                | ValueNone -> ()
                NumberRange.check "TestShare" shares testShare
                NumberRange.check "Validation" shares validation
            ]
            (fun () -> {
                samples = samples
                testShare = testShare
                validation = validation
                seed = seed
            })

    /// The samples that are used, the same share of every class.
    let private sampled
        (split: DataSplit)
        (all: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Result<Dataset<'T>, Fault list> =
        match split.samples with
        | ValueSome wanted when wanted < all.Count ->
            let used = Dataset.sample split.seed (float wanted / float all.Count) all

            Fault.check
                [
                    used.Count > 0,
                    Fault.create
                        "Samples"
                        "enough for a sample of a class, each of which has the same share"
                        (string wanted)
                ]
                (fun () -> used)
        | _ -> Ok all

    /// <summary>The training samples in two: to learn from, and for validation if the split has a share for
    /// it.</summary>
    /// <param name="split">The split.</param>
    /// <param name="all">The training samples.</param>
    /// <returns>Both, each in the whole's order, or a fault where one would be empty.</returns>
    [<CompiledName("Training")>]
    let training
        (split: DataSplit)
        (all: Dataset<'T>)
        : Result<struct (Dataset<'T> * Dataset<'T> voption), Fault list> =
        sampled split all
        |> Result.bind (fun used ->
            if split.validation = 0.0 then
                Ok(struct (used, ValueNone))
            else
                let struct (train, validation) = Dataset.split split.seed split.validation used

                let reason =
                    if used.ImageSize.IsNone then
                        " (equal rows are on the same side)"
                    else
                        ""

                Fault.check
                    [
                        train.Count > 0 && validation.Count > 0,
                        Fault.create
                            "Validation"
                            "a share that leaves samples on both sides"
                            (invariant
                                $"{string split.validation} of {used.Count}: {validation.Count} to validate with{reason}")
                    ]
                    (fun () -> struct (train, ValueSome validation)))
