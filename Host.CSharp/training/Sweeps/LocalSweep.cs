namespace Pipeline.Training;

/// <summary>A sweep whose trials all run on this machine.</summary>
internal sealed class LocalSweep(
    SweepFile file,
    SweepSpace space,
    SweepOptions options,
    SweepReport report,
    ExitStatus status,
    IFiles files,
    TimeProvider clock,
    IServiceProvider services
)
{
    /// <param name="stop">Ends the sweep; what its trials have learned so far is saved.</param>
    /// <exception cref="RefusedException">Settings or data are refused, or the folder is another sweep's, in use or
    /// damaged.</exception>
    public async Task<Outcome> RunAsync(CancellationToken stop)
    {
        using var opened = await OpenedSweep.OpenAsync(file, space, options, files, services, stop);
        var (folder, runner, slots) = opened;
        var sweep = new SweepRun(file, folder, runner, report, slots, clock);
        var isDone = await sweep.RunAsync(stop);
        report.Ended(sweep.Board, sweep.Differences, folder.Path, sweep.BestRun, isDone);
        return OpenedSweep.OutcomeOf(
            sweep.Board,
            sweep.Differences,
            isDone,
            sweep.IsAskedToStop,
            status.Stopped
        );
    }
}
