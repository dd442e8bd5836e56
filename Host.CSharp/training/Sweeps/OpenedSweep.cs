using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A sweep whose folder this process works on.</summary>
/// <param name="Folder">The folder, which is locked until it is disposed of.</param>
/// <param name="Runner">The runner of the trials.</param>
/// <param name="Slots">How many trials run at the same time.</param>
internal sealed record OpenedSweep(SweepFolder Folder, ITrialRunner Runner, int Slots) : IDisposable
{
    /// <summary>Checks the configurations with the data, and opens the folder.</summary>
    /// <param name="file">The sweep.</param>
    /// <param name="space">The settings of its trials.</param>
    /// <param name="options">What the command line says of it.</param>
    /// <param name="files">The disk.</param>
    /// <param name="services">What runs need.</param>
    /// <param name="stop">Ends the check.</param>
    /// <exception cref="RefusedException">Settings or data are refused, or the folder is another sweep's or in
    /// use.</exception>
    public static async Task<OpenedSweep> OpenAsync(
        SweepFile file,
        SweepSpace space,
        SweepOptions options,
        IFiles files,
        IServiceProvider services,
        CancellationToken stop
    )
    {
        var first = options.Configurations[0];
        var slots = SweepTeam.SlotsOf(options, file);
        var runner = SweepTeam.RunnerOf(slots, file, space, first, options.Note, services);
        await Background.Start(() => runner.Check(options.Configurations), stop).WaitAsync(stop);
        var folder = SweepFolder.Open(files, options.Directory, file);
        try
        {
            // A request of an earlier process is no longer meant.
            SweepFolder.Ask(files, folder.Path, SweepRequest.None);
            folder.RequireSame(first, [.. file.Plan.Settings], runner.DataSha256);
            return new(folder, runner, slots);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>How a sweep ended.</summary>
    /// <param name="board">The trials.</param>
    /// <param name="differences">Sentences about trials of which two results differ.</param>
    /// <param name="isDone">Whether all is done.</param>
    /// <param name="isAskedToStop">Whether another terminal has asked the sweep to end.</param>
    /// <param name="stopped">The outcome if a signal ended it.</param>
    public static Outcome OutcomeOf(
        SweepBoard board,
        IReadOnlyList<string> differences,
        bool isDone,
        bool isAskedToStop,
        Outcome stopped
    ) =>
        differences.Count > 0 ? Outcome.Failed
        : isDone
            ? SweepBoards.Best(board) is null ? Outcome.Diverged
                : Outcome.Completed
        : isAskedToStop ? Outcome.Terminated
        : stopped;

    public void Dispose() => Folder.Dispose();
}
