namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Formats

/// When a window of samples counts as drifted.
type DriftOptions = {
    /// The probability of a false alarm in a window of samples that are distributed as in training, above 0 and below 1.
    FalseAlarms: float
    /// The least share of samples that must be in other bins than in training, 0 to 1: a smaller shift is of no
    /// importance, however certain it is.
    LeastShift: float
} with

    /// A false alarm in 1,000 windows or fewer, and shifts of 5 % of the samples or more.
    static member Default = {
        FalseAlarms = 0.001
        LeastShift = 0.05
    }

/// How far a feature is from training.
type FeatureDrift = {
    /// The feature.
    Name: string
    /// Whether it is an answer, not an input.
    IsAnswer: bool
    /// The share of samples that are in other bins than in training, 0 to 1: half the sum of the differences of the
    /// bins' shares.
    Shift: float
    /// The probability of a difference as great as the greatest of its bins in a window of samples as in training,
    /// multiplied by the number of all bins.
    PValue: float
    /// The bin whose share differs most.
    Bin: string
    /// Its share in training.
    Expected: float
    /// Its share in the window.
    Found: float
    /// Whether the shift is both too great and too certain.
    HasDrifted: bool
}

/// A window of samples, compared with training.
type DriftReport = {
    /// The number of samples.
    Samples: int64
    /// All features, those of the inputs first.
    Features: FeatureDrift list
} with

    /// The feature that has moved most of those that have drifted; nothing if none has.
    member report.Most: FeatureDrift voption =
        match report.Features |> List.filter _.HasDrifted with
        | [] -> ValueNone
        | drifted -> drifted |> List.maxBy _.Shift |> ValueSome

/// <summary>Comparing the samples that a model is asked about with those that it was trained on.</summary>
/// <remarks>Every bin of every feature is tested: with n samples in the window and N of training, K of both together in the
/// bin, the number of the window's in the bin is hypergeometric if both are of one distribution (Fisher's exact test). The
/// two-sided probability is multiplied by the number of all bins (Bonferroni), so the stated rate of false alarms is not
/// exceeded, whatever the features have to do with each other, and for any number of samples.</remarks>
[<RequireQualifiedAccess>]
module Drift =
    /// <summary>The statistics of the columns of a table's rows.</summary>
    /// <param name="encoding">The encoding of the model.</param>
    /// <param name="table">The rows, before they are encoded; of more than 2,000 that many are looked at.</param>
    [<CompiledName("OfTable")>]
    let ofTable (encoding: TableEncoding) (table: Table) : WatchedFeature list =
        TrainingStatistics.ofTable encoding table

    /// <summary>The statistics of images or plain numbers.</summary>
    /// <param name="preprocessing">The model's preprocessing.</param>
    /// <param name="data">The samples; of more than 2,000 that many are looked at.</param>
    /// <exception cref="T:System.ArgumentException">The samples are rows of a table.</exception>
    [<CompiledName("OfSamples")>]
    let ofSamples
        (preprocessing: Preprocessing)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : WatchedFeature list =
        match preprocessing with
        | Preprocessing.Table _ ->
            invalidArg (nameof preprocessing) "expected images or plain numbers, found a table"
        | _ -> TrainingStatistics.ofSamples preprocessing data

    /// A feature with the counts of a window.
    let private compareFeature
        (options: DriftOptions)
        (tests: int)
        (isAnswer: bool)
        (feature: WatchedFeature)
        (found: int64[])
        : FeatureDrift =
        let expected = Array.ofList feature.Counts
        let trained, samples = Array.sum expected, Array.sum found

        let share (counts: int64[]) bin =
            let all = Array.sum counts
            if all = 0L then 0.0 else float counts[bin] / float all

        let differences =
            expected |> Array.mapi (fun bin _ -> abs (share found bin - share expected bin))

        let probability bin =
            let struct (lower, upper) =
                Hypergeometric.tails
                    (trained + samples)
                    (expected[bin] + found[bin])
                    samples
                    found[bin]

            min 1.0 (2.0 * min lower upper)

        let least = Array.init expected.Length probability |> Array.min
        let pValue = min 1.0 (least * float tests)
        let most = Array.IndexOf(differences, Array.max differences)
        // Without samples on one side nothing can be said.
        let shift =
            if trained = 0L || samples = 0L then
                0.0
            else
                0.5 * Array.sum differences

        {
            Name = feature.Name
            IsAnswer = isAnswer
            Shift = shift
            PValue = pValue
            Bin = feature.BinNames[most]
            Expected = share expected most
            Found = share found most
            HasDrifted = pValue < options.FalseAlarms && shift >= options.LeastShift
        }

    /// <summary>A window of samples compared with training.</summary>
    /// <param name="options">When a window counts as drifted.</param>
    /// <param name="statistics">The statistics of training.</param>
    /// <param name="counts">How often each counter of a <c>DriftCounter</c> was named in the window. Windows are merged by
    /// adding their counts.</param>
    /// <exception cref="T:System.ArgumentException">The counts are not as many as the counters, or one is
    /// negative.</exception>
    [<CompiledName("Compare")>]
    let compare
        (options: DriftOptions)
        (statistics: TrainingStatistics)
        (counts: int64[])
        : DriftReport =
        let features =
            (statistics.Inputs |> List.map (fun feature -> false, feature))
            @ (statistics.Answers |> List.map (fun feature -> true, feature))

        let sizes =
            features |> List.map (fun (_, feature) -> WatchedFeature.binCount feature.Bins)

        let tests = List.sum sizes

        if counts.Length <> tests || Array.exists (fun count -> count < 0L) counts then
            invalidArg
                (nameof counts)
                (invariant $"expected {tests} counts of 0 or greater, found {counts.Length}")

        let starts = List.scan (+) 0 sizes |> List.truncate sizes.Length

        let parts = List.map2 (fun start size -> Array.sub counts start size) starts sizes

        {
            Samples =
                match parts with
                | first :: _ -> Array.sum first
                | [] -> 0L
            Features =
                List.map2
                    (fun (isAnswer, feature) part ->
                        compareFeature options tests isAnswer feature part)
                    features
                    parts
        }
