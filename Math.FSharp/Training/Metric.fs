namespace Pipeline.Learning

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
