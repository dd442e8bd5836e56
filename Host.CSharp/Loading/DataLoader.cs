using System.Numerics;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Loads the data that the settings name, and says so.</summary>
internal sealed class DataLoader(
    RunConfiguration plan,
    Liveness pulse,
    TimeProvider clock,
    ILogger<TrainingWorker> logger
)
{
    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public async Task<LoadedData<T>> LoadAsync<T>(CancellationToken stop)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        using var span = Spans.Load();
        var start = clock.GetTimestamp();
        // Differences of a general network would take longer than they save.
        var rehearsal = plan.Hyperparameters.Gradient.IsNumerical
            ? Task.CompletedTask
            : Task.Run(
                () =>
                    JitWarmUp.Run<T>(
                        plan.Hyperparameters,
                        plan.ArchitectureFor(JitWarmUp.Inputs, plan.Classes, JitWarmUp.Widest)
                    ),
                stop
            );
        // A service that watches its data compares models by what each of them makes of the rows.
        var data = await Task.Run(() =>
            {
                var parsed = DataFiles.Parse(plan);
                return parsed.Encode<T>() with
                {
                    Parsed = plan.Mode == RunMode.Watch ? parsed : null,
                };
            })
            .WaitAsync(stop);
        await rehearsal.WaitAsync(stop);
        var (train, validation) = plan.Split(data.Train);
        logger.DataLoaded(
            train.Count,
            validation?.Count ?? 0,
            data.Test.Count,
            data.Train.Features,
            plan.DataSource,
            clock.GetElapsedTime(start).TotalSeconds,
            data.Report is { } report ? $": {TableReportModule.Describe(report)}" : ""
        );
        foreach (var note in data.Notes)
            logger.DataNote(note);
        foreach (var warning in data.Warnings)
            logger.DataDoubtful(warning);
        if (data.Leakage is { } leakage)
            logger.DataLeaked(leakage);
        pulse.Ready();
        return data;
    }
}
