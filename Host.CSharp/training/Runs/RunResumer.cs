using System.Numerics;
using Microsoft.Extensions.Logging;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Resumes the first run that can be resumed.</summary>
internal sealed class RunResumer(Resumption resumption, ILogger<RunResumer> logger)
{
    /// <summary>Tries the runs one after the other. A run that cannot be resumed is logged with the reasons;
    /// its files are left unchanged.</summary>
    /// <param name="runs">The runs, in the order to try them in.</param>
    /// <param name="resume">Resumes a run, or refuses before it has changed anything.</param>
    /// <returns>The result of the run; null if none was resumed.</returns>
    /// <exception cref="RefusedException">The settings name a run that cannot be resumed, or another process
    /// is working on the only runs that could be.</exception>
    public async Task<TResult?> FirstAsync<TResult>(
        IEnumerable<ResumableRun> runs,
        Func<ResumableRun, Task<TResult>> resume
    )
        where TResult : class
    {
        foreach (var passedOver in resumption.PassedOver)
            Said(passedOver.Path, passedOver.Reasons);
        RefusedException? inUse = null;
        foreach (var run in runs)
        {
            try
            {
                return await resume(run);
            }
            catch (RunInUseException refused) when (resumption.IsAutomatic)
            {
                inUse ??= refused;
            }
            catch (RefusedException refused) when (resumption.IsAutomatic)
            {
                Said(run.Run.Path, refused.Reasons);
            }
        }
        return inUse is null
            ? null
            : throw new RefusedException([
                .. inUse.Reasons,
                "Run:Resume=Auto would resume this run. To start a new run beside it, set Run:Resume=Never.",
            ]);
    }

    private void Said(string path, IEnumerable<string> reasons) =>
        logger.RunNotResumed(path, string.Join(' ', reasons));
}
