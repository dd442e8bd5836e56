namespace Pipeline.Learning

open System

/// <summary>A figure of an evaluation by which models are compared.</summary>
[<RequireQualifiedAccess>]
type Metric =
    /// The fraction of the samples that is classified correctly.
    | Accuracy
    /// The mean recall of the classes.
    | BalancedAccuracy
    /// The mean F1 of the classes.
    | MacroF1
    /// The mean area under the ROC curve of each class against all others.
    | AreaUnderRoc
    /// The mean negative log-likelihood, in nats.
    | LogLoss
    /// √ of the mean squared error, in the unit of what is predicted.
    | RootMeanSquaredError
    /// The mean absolute error, in the unit of what is predicted.
    | MeanAbsoluteError
    /// R²: the fraction of the variance that is explained.
    | RSquared

    /// The case's name.
    override metric.ToString() =
        match metric with
        | Accuracy -> nameof Accuracy
        | BalancedAccuracy -> nameof BalancedAccuracy
        | MacroF1 -> nameof MacroF1
        | AreaUnderRoc -> nameof AreaUnderRoc
        | LogLoss -> nameof LogLoss
        | RootMeanSquaredError -> nameof RootMeanSquaredError
        | MeanAbsoluteError -> nameof MeanAbsoluteError
        | RSquared -> nameof RSquared

/// Figures of evaluations by which models are compared.
[<RequireQualifiedAccess>]
module Metric =
    /// <summary>The figures of an evaluation that models can be compared by, in order.</summary>
    [<CompiledName("All")>]
    let all (evaluation: Evaluation) : (Metric * float) list =
        match evaluation with
        | Evaluation.Classification classes -> [
            Metric.Accuracy, classes.Accuracy
            Metric.BalancedAccuracy, classes.BalancedAccuracy
            Metric.MacroF1, classes.MacroF1
            Metric.AreaUnderRoc, classes.MacroAreaUnderRoc
            Metric.LogLoss, classes.Loss
          ]
        | Evaluation.Regression numbers -> [
            Metric.RootMeanSquaredError, numbers.RootMeanSquaredError
            Metric.MeanAbsoluteError, numbers.MeanAbsoluteError
            Metric.RSquared, numbers.RSquared
          ]

    /// Every figure.
    let private choices = [
        Metric.Accuracy
        Metric.BalancedAccuracy
        Metric.MacroF1
        Metric.AreaUnderRoc
        Metric.LogLoss
        Metric.RootMeanSquaredError
        Metric.MeanAbsoluteError
        Metric.RSquared
    ]

    /// <summary>The figure of that name, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<Metric, Fault list> = Fault.parseCase "Metric" choices name

    /// <summary>Whether the figure is one of numbers to predict; the others are of classes.</summary>
    [<CompiledName("IsOfNumbers")>]
    let isOfNumbers (metric: Metric) : bool =
        match metric with
        | Metric.RootMeanSquaredError
        | Metric.MeanAbsoluteError
        | Metric.RSquared -> true
        | _ -> false

    /// <summary>Whether a greater figure is better.</summary>
    let internal isHigherBetter (metric: Metric) : bool =
        match metric with
        | Metric.LogLoss
        | Metric.RootMeanSquaredError
        | Metric.MeanAbsoluteError -> false
        | _ -> true

    /// <summary>The figure of an evaluation; NaN if it is not one of the evaluation's kind.</summary>
    [<CompiledName("Value")>]
    let value (metric: Metric) (evaluation: Evaluation) : float =
        all evaluation
        |> List.tryFind (fun (other, _) -> other = metric)
        |> Option.map snd
        |> Option.defaultValue nan

    /// <summary>The figure as a number that is lower for a better model: the error itself, or one less the
    /// figure.</summary>
    [<CompiledName("Deficit")>]
    let deficit (metric: Metric) (value: float) : float =
        if isHigherBetter metric then 1.0 - value else value

    /// <summary>Whether a figure is not worse than another by more than a margin. A figure that is not a number is worse
    /// than any that is.</summary>
    /// <param name="metric">The figure.</param>
    /// <param name="margin">The margin, in the figure's unit, 0 or greater.</param>
    /// <param name="current">The figure to compare with.</param>
    /// <param name="candidate">The figure to judge.</param>
    [<CompiledName("IsNotWorse")>]
    let isNotWorse (metric: Metric) (margin: float) (current: float) (candidate: float) : bool =
        not (Double.IsNaN candidate)
        && not (deficit metric candidate > deficit metric current + margin)
