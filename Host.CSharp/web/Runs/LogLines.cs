using Pipeline.Learning;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>The figures in the lines of a run's logs.</summary>
internal static class LogLines
{
    /// <summary>The figures of a line of progress.csv; null if it is not one.</summary>
    public static StepFigures? Step(ReadOnlySpan<double> cells) =>
        cells.Length >= 5 && cells[0] >= 1
            ? new StepFigures((long)cells[0], (long)cells[1], 0, cells[2], cells[3], cells[4])
            : null;

    /// <summary>The figures of a line of epochs.csv; null if it is not one. Earlier versions wrote none of validation
    /// samples.</summary>
    public static EpochFigures? Epoch(ReadOnlySpan<double> cells) =>
        cells.Length >= 7 && cells[0] >= 0 && cells[1] >= 0
            ? new EpochFigures(
                (long)cells[0],
                (long)cells[1],
                new(cells[2], cells[3]),
                new(cells[4], cells[5]),
                cells.Length >= 9 && !double.IsNaN(cells[7]) ? new Score(cells[7], cells[8]) : null,
                cells[6]
            )
            : null;
}
