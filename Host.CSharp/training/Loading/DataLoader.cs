using System.Numerics;
using Microsoft.Extensions.Logging;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Loads the data that the settings name, and logs what was loaded.</summary>
internal sealed class DataLoader(
    RunConfiguration configuration,
    Liveness liveness,
    TimeProvider clock,
    ILogger<DataLoader> logger
)
{
    /// <exception cref="RefusedException">Files are missing or bad; every fault is named.</exception>
    public async Task<TrainingData<T>> LoadAsync<T>(CancellationToken stop)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        using var span = Spans.Load();
        var start = clock.GetTimestamp();
        // With the numerical gradient the warm-up would take longer than it saves; layers of fixed inputs do not take its
        // images.
        var warmUp =
            configuration.Hyperparameters.Gradient.IsNumerical || configuration.IsOfFixedInputs
                ? Task.CompletedTask
                : Background.Start(
                    () =>
                        JitWarmUp.Run<T>(
                            configuration.Hyperparameters,
                            configuration.WarmUpArchitecture(JitWarmUp.Inputs, JitWarmUp.Widest)
                        ),
                    stop
                );
        var tableWarmUp = TableWarmUp.IsWorthwhile(configuration.Settings.Data)
            ? Background.Start(() => TableWarmUp.Run<T>(configuration.Head), stop)
            : Task.CompletedTask;
        // In watch mode the parsed data are kept: the model in use encodes them in its own way.
        var data = await Background.RunAsync(
            () =>
            {
                var parsed = DataFiles.Parse(configuration);
                return parsed.Encode<T>() with
                {
                    Parsed = configuration.Mode == RunMode.Watch ? parsed : null,
                };
            },
            stop
        );
        await Task.WhenAll(warmUp, tableWarmUp).WaitAsync(stop);
        var samples = configuration.Split(data);
        logger.DataLoaded(
            samples.Train.Count,
            samples.Validation?.Count ?? 0,
            samples.Test.Count,
            data.Train.Features,
            configuration.DataSource,
            clock.GetElapsedTime(start).TotalSeconds,
            data.Report is { } report ? $": {Tables.Describe(report)}" : ""
        );
        foreach (var note in data.Notes)
            logger.DataNote(note);
        foreach (var warning in data.Warnings)
            logger.DataDoubtful(warning);
        if (data.Leakage is { } leakage)
            logger.DataLeaked(leakage);
        liveness.Ready();
        return new(data, samples);
    }
}
