using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>A board that was sent or saved.</summary>
/// <param name="Board">The board, whose leases last as long as is said.</param>
/// <param name="Differences">Sentences about trials of which two results differ.</param>
/// <param name="File">What was sent.</param>
internal sealed record ReadBoard(
    SweepBoard Board,
    IReadOnlyList<string> Differences,
    BoardFile File
)
{
    /// <param name="name">The sweep's name.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="json">The JSON of board.json.</param>
    /// <param name="now">The time, in milliseconds.</param>
    /// <param name="length">How long leases are, in milliseconds.</param>
    /// <exception cref="RefusedException">It is damaged.</exception>
    public static ReadBoard Of(string name, SweepPlan plan, byte[] json, long now, long length)
    {
        var file = BoardFile.Parse(name, json);
        var board = file.Restore(plan, name);
        foreach (var trial in file.Trials.Where(trial => trial.State == TrialText.Running))
            board = SweepBoards.Reinstate(trial.Number, now, length, board);
        return new(board, file.Differences, file);
    }
}
