using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The model of the best trial.</summary>
internal sealed class BestModel(SweepFile file, SweepFolder folder, ITrialRunner runner)
{
    /// <summary>The run folder of the best model; null before a trial has run to its end.</summary>
    public string? RunOf(SweepBoard board) =>
        SweepBoards.Best(board) is not { } best ? null
        : file.Repeats.Folds is null ? folder.Trials.RunOf(best.Number, file.Repeats.Parts[0])
        : folder.Trials.BestRun;

    /// <summary>Copies the best model. After a cross-validation it is trained first, with all rows.</summary>
    /// <returns>Whether this is done, rather than having been stopped.</returns>
    public async Task<bool> WriteAsync(SweepBoard board, CancellationToken stop)
    {
        if (SweepBoards.Best(board) is not { } best)
            return true;
        var isTrained = file.Repeats.Folds is not null
            ? await runner.TrainBestAsync(folder.Trials, best, stop)
            : File.Exists(Path.Combine(RunOf(board)!, RunFolder.ModelName))
                // It was trained elsewhere and is not kept there.
                || await runner.RunAsync(
                    folder.Trials,
                    SweepBoards.Lease(
                        best.Number,
                        best.Attempts,
                        best.Results.Length - 1,
                        epoch: null,
                        best.Values
                    ),
                    (_, _) => { },
                    stop
                )
                    is not null;
        if (isTrained)
            folder.WriteBest(RunOf(board)!);
        return isTrained;
    }
}
