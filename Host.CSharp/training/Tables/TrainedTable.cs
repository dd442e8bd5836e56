namespace Pipeline.Training;

/// <summary>How a training run ended.</summary>
public enum TrainingEnd
{
    /// <summary>All steps are done.</summary>
    Completed,

    /// <summary>The validation loss has not fallen for as many epochs as early stopping allows.</summary>
    StoppedEarly,

    /// <summary>The run was cancelled; the model is that of its last step.</summary>
    Cancelled,

    /// <summary>The loss diverged; the model is the last sound one.</summary>
    Diverged,
}

/// <summary>The result of <see cref="TableTrainer"/>.</summary>
/// <param name="Model">The model.</param>
/// <param name="End">How the run ended.</param>
/// <param name="Iteration">The steps that the model has learned from.</param>
/// <param name="Scores">The model's scores.</param>
/// <param name="Columns">What the columns were taken for, in a sentence.</param>
/// <param name="Warnings">Possible mistakes in the data, a sentence each.</param>
/// <param name="Findings">What the run shows, a sentence each: over-fitting, for example, or why it
/// diverged.</param>
public sealed record TrainedTable(
    TableModel Model,
    TrainingEnd End,
    long Iteration,
    TrainingScores Scores,
    string Columns,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<string> Findings
);
