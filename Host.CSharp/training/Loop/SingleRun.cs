using System.Numerics;
using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Training;

/// <summary>One run: a resumed one if the settings ask for that and there is one, otherwise a new
/// one.</summary>
internal sealed class SingleRun(
    RunConfiguration configuration,
    Resumption resumption,
    RunResumer resumer,
    IServiceProvider services
)
{
    /// <param name="stop">Ends the run; what it has learned so far is saved.</param>
    /// <exception cref="RefusedException">The data do not fit the settings, or the run that they name cannot
    /// be resumed.</exception>
    public async Task<Outcome> RunAsync(CancellationToken stop)
    {
        var resumed = await resumer.FirstAsync<object>(
            resumption.Runs,
            async run => await RunAsync(run.Configuration, run.Run, stop)
        );
        return resumed is Outcome outcome ? outcome : await RunAsync(configuration, null, stop);
    }

    private Task<Outcome> RunAsync(
        RunConfiguration runConfiguration,
        StoredRun? earlier,
        CancellationToken stop
    ) =>
        runConfiguration.Precision.IsDouble
            ? RunAsync<double>(runConfiguration, earlier, stop)
            : RunAsync<float>(runConfiguration, earlier, stop);

    private async Task<Outcome> RunAsync<T>(
        RunConfiguration runConfiguration,
        StoredRun? earlier,
        CancellationToken stop
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var loader = ActivatorUtilities.CreateInstance<DataLoader>(services, runConfiguration);
        var run = ActivatorUtilities.CreateInstance<TrainingRun<T>>(services, runConfiguration);
        var data = await loader.LoadAsync<T>(stop);
        return (await run.RunAsync(data, earlier, null, stop)).Outcome;
    }
}
