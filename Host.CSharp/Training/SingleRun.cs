using System.Numerics;
using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Training;

/// <summary>One run: the one to resume where the settings ask for that and there is one, else a new
/// one.</summary>
internal sealed class SingleRun(
    RunConfiguration plan,
    Resumption resumption,
    Resuming resuming,
    IServiceProvider services
)
{
    /// <param name="stop">Ends the run with what was learned so far saved.</param>
    /// <exception cref="RefusedException">The data do not fit the settings, or the run that these name
    /// cannot be resumed.</exception>
    public async Task<Outcome> RunAsync(CancellationToken stop)
    {
        var resumed = await resuming.FirstAsync<object>(
            resumption.Runs,
            async run => await RunAsync(run.Plan, run.Run, stop)
        );
        return resumed is Outcome outcome ? outcome : await RunAsync(plan, null, stop);
    }

    private Task<Outcome> RunAsync(
        RunConfiguration itsPlan,
        EarlierRun? earlier,
        CancellationToken stop
    ) =>
        itsPlan.Precision.IsDouble
            ? RunAsync<double>(itsPlan, earlier, stop)
            : RunAsync<float>(itsPlan, earlier, stop);

    private async Task<Outcome> RunAsync<T>(
        RunConfiguration itsPlan,
        EarlierRun? earlier,
        CancellationToken stop
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var loader = ActivatorUtilities.CreateInstance<DataLoader>(services, itsPlan);
        var run = ActivatorUtilities.CreateInstance<TrainingRun<T>>(services, itsPlan);
        var data = await loader.LoadAsync<T>(stop);
        return (await run.RunAsync(data, earlier, null, stop)).Outcome;
    }
}
