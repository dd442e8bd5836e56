using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Trains models of rows, from a file or from memory, without a run folder.</summary>
/// <remarks>The settings of the sections Data, Model and Training have their meaning as in the program; the others
/// do not apply. The same rows and settings give the same model, bit for bit.</remarks>
public static class TableTrainer
{
    private const string InMemory = "the rows";

    /// <summary>Trains on the file that <c>Data:Train</c> names.</summary>
    /// <param name="settings">The settings: <c>PipelineSettings.OfPreset("small-table") with { Data = new() { Train =
    /// "rows.csv" } }</c>.</param>
    /// <param name="progress">Gets the figures of the run, on another thread.</param>
    /// <param name="cancellationToken">Ends the run after the current step; what it has learned so far is the
    /// result.</param>
    /// <exception cref="RefusedException">The settings or the rows cannot be used; every fault is named.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled before its first step.</exception>
    public static Task<TrainedTable> TrainAsync(
        PipelineSettings settings,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Data.Train is null)
            throw RefusedException.Of(
                "Data:Train",
                "a file with a table of training rows",
                "nothing"
            );
        var configuration = ConfigurationOf(settings);
        return configuration.Precision.IsDouble
            ? RunAsync(configuration, Load<double>, progress, cancellationToken)
            : RunAsync(configuration, Load<float>, progress, cancellationToken);

        LoadedData<T> Load<T>()
            where T : struct, IBinaryFloatingPointIeee754<T>
        {
            var data = DataFiles.Load<T>(configuration);
            return data.Preprocessing.IsTable
                ? data
                : throw RefusedException.Of("Data:Train", "a table of rows", "images");
        }
    }

    /// <summary>Trains on rows in memory.</summary>
    /// <param name="rows">Values of a record or class whose public properties are the columns, the label among them;
    /// or dictionaries from text to values.</param>
    /// <param name="settings">The settings; <c>Data:Label</c> names the column to predict.</param>
    /// <param name="progress">Gets the figures of the run, on another thread.</param>
    /// <param name="cancellationToken">Ends the run after the current step; what it has learned so far is the
    /// result.</param>
    /// <exception cref="RefusedException">The settings or the rows cannot be used; every fault is named.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled before its first step.</exception>
    public static Task<TrainedTable> TrainAsync<TRow>(
        IEnumerable<TRow> rows,
        PipelineSettings settings,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default
    ) => TrainAsync(rows, null, settings, progress, cancellationToken);

    /// <summary>Trains on rows in memory, and tests with others.</summary>
    /// <param name="rows">The rows to learn from: values of a record or class whose public properties are the
    /// columns, the label among them; or dictionaries from text to values.</param>
    /// <param name="testRows">The rows to test with; null to take <c>Data:TestShare</c> of
    /// <paramref name="rows"/>.</param>
    /// <param name="settings">The settings; <c>Data:Label</c> names the column to predict.</param>
    /// <param name="progress">Gets the figures of the run, on another thread.</param>
    /// <param name="cancellationToken">Ends the run after the current step; what it has learned so far is the
    /// result.</param>
    /// <exception cref="RefusedException">The settings or the rows cannot be used; every fault is named.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled before its first step.</exception>
    public static Task<TrainedTable> TrainAsync<TRow>(
        IEnumerable<TRow> rows,
        IEnumerable<TRow>? testRows,
        PipelineSettings settings,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(settings);
        foreach (
            var (name, path) in new[]
            {
                ("Train", settings.Data.Train),
                ("Test", settings.Data.Test),
            }
        )
        {
            if (path is not null)
                throw RefusedException.Of(
                    $"Data:{name}",
                    "nothing, as the rows are in memory",
                    $"'{path}'"
                );
        }
        var configuration = ConfigurationOf(settings);
        var train = Tables.OfRows(rows).OrThrow(RefusedException.At(InMemory));
        var test = testRows is null
            ? TestRows.NewFraction(configuration.DataSplit.TestShare, configuration.DataSplit.Seed)
            : TestRows.NewSeparate(
                Tables.WithNames(
                    train.Columns.Select(column => column.Name),
                    Tables.OfRows(testRows).OrThrow(RefusedException.At("the test rows"))
                ),
                "the test rows"
            );
        return configuration.Precision.IsDouble
            ? RunAsync(configuration, Prepare<double>, progress, cancellationToken)
            : RunAsync(configuration, Prepare<float>, progress, cancellationToken);

        LoadedData<T> Prepare<T>()
            where T : struct, IBinaryFloatingPointIeee754<T>
        {
            var data = Tables
                .Prepare<T>(configuration.Table, configuration.Head, test, InMemory, train)
                .OrThrow(RefusedException.At(""));
            return new(
                data.Train,
                data.Test,
                Preprocessing.NewTable(data.Encoding),
                [.. data.Classes],
                data.Leaked,
                new Dictionary<string, string>(),
                data.Report
            )
            {
                Columns = Drift.OfTable(data.Encoding, train),
            };
        }
    }

    private static RunConfiguration ConfigurationOf(PipelineSettings settings) =>
        RunConfiguration.Create(settings, out IReadOnlyList<string> faults)
        ?? throw new RefusedException(faults);

    /// <summary>Loads the data and runs the loop, all of it away from the caller's thread.</summary>
    private static Task<TrainedTable> RunAsync<T>(
        RunConfiguration configuration,
        Func<LoadedData<T>> load,
        IProgress<TrainingProgress>? progress,
        CancellationToken stop
    )
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        Task.Run(
            async () =>
            {
                configuration.ApplyThreads();
                var loaded = load();
                var data = new TrainingData<T>(loaded, configuration.Split(loaded));
                // Mini-batches that do not fit the network are refused here.
                var architecture = configuration.ArchitectureFor(data);
                var iterations = Runs.Iterations(
                    configuration.Hyperparameters,
                    data.Samples.Train.Count
                );
                var history = new RunHistory();
                IRunObserver[] observers = progress is null
                    ? [history]
                    : [history, new ProgressReporter(progress, iterations, TimeProvider.System)];
                var loop = new TrainingLoop<T>(
                    configuration,
                    architecture,
                    data.Samples.Scaled(),
                    observers,
                    TimeProvider.System
                );
                return ResultOf(configuration, data, history, await loop.RunAsync(stop));
            },
            stop
        );

    private static TrainedTable ResultOf<T>(
        RunConfiguration configuration,
        TrainingData<T> data,
        RunHistory history,
        LoopResult<T> result
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var (loaded, samples) = data;
        var network = samples.Finish(result.Network).Network;
        var model = data.ModelOf(network, configuration, result.Iteration);
        Score ScoreOf(Dataset<T> some) => Network.Evaluate(network, some);
        return new(
            TableModel.Of(model, InMemory),
            result.End switch
            {
                LoopEnd.Finished => TrainingEnd.Completed,
                LoopEnd.Stalled => TrainingEnd.StoppedEarly,
                LoopEnd.Stopped => TrainingEnd.Cancelled,
                _ => TrainingEnd.Diverged,
            },
            result.Iteration,
            result.Kept is { } kept && samples.Scaling is null
                ? ProgressReporter.ScoresOf(kept)
                : new(
                    ScoreOf(samples.Train),
                    samples.Validation is { } validation ? ScoreOf(validation) : null,
                    ScoreOf(samples.Test)
                ),
            loaded.Report is { } report ? Tables.Describe(report) : "",
            [
                .. loaded.Notes,
                .. loaded.Warnings,
                .. loaded.Leakage is { } leakage ? [leakage] : Array.Empty<string>(),
            ],
            [
                .. result.Divergence is { } divergence ? [$"{divergence}"] : Array.Empty<string>(),
                .. RunSummary
                    .FindingsOf(result, history.Losses, data)
                    .Select(finding => $"{finding}"),
            ]
        );
    }
}
