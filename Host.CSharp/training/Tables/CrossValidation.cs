using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The result of one fold.</summary>
/// <param name="Seed">The seed of the division and of the network.</param>
/// <param name="Fold">The fold, from 1.</param>
/// <param name="Training">The number of rows to learn from, those for validation among them.</param>
/// <param name="Test">The number of rows to test with.</param>
/// <param name="Iteration">The iteration that the tested network is of.</param>
/// <param name="TrainSeconds">The seconds of its steps.</param>
/// <param name="Network">The network's layers.</param>
/// <param name="Evaluation">The evaluation on the test rows.</param>
/// <param name="Notes">What was assumed, or went wrong, as sentences.</param>
internal sealed record FoldResult(
    ulong Seed,
    int Fold,
    int Training,
    int Test,
    long Iteration,
    double TrainSeconds,
    string Network,
    Evaluation Evaluation,
    IReadOnlyList<string> Notes
);

/// <summary>Trains and tests a network on each fold of a table's rows. Preprocessing is fitted within each
/// fold.</summary>
internal static class CrossValidation
{
    /// <summary>The results of all folds of all seeds, in order. As many folds are trained at the same time as there
    /// are threads; a result does not depend on that.</summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="folds">The number of folds, 2 or more.</param>
    /// <param name="seeds">How many seeds, from <c>Training:Seed</c> on.</param>
    /// <param name="rule">How rows are divided.</param>
    /// <exception cref="RefusedException">The rows cannot be used or divided; every fault is named.</exception>
    public static IAsyncEnumerable<FoldResult> RunAsync(
        RunConfiguration configuration,
        int folds,
        int seeds,
        FoldRule rule
    ) =>
        configuration.Precision.IsDouble
            ? RunAsync<double>(configuration, folds, seeds, rule)
            : RunAsync<float>(configuration, folds, seeds, rule);

    private static async IAsyncEnumerable<FoldResult> RunAsync<T>(
        RunConfiguration configuration,
        int folds,
        int seeds,
        FoldRule rule
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        configuration.ApplyThreads();
        var (file, rows) = DataFiles.ParseRows(configuration);
        var first = configuration.Hyperparameters.Seed;
        // Every seed's division is made before the first fold is trained, so that a fault costs no time.
        var divisions = Enumerable
            .Range(0, seeds)
            .Select(index => WithSeed(configuration, first + (ulong)index))
            .Select(seeded => (seeded, Divide(seeded, folds, rule, file, rows)))
            .ToArray();
        using var free = new SemaphoreSlim(configuration.Threads);
        var results = (
            from division in divisions
            from fold in Enumerable.Range(0, folds)
            select RunFoldAsync<T>(division.seeded, division.Item2, fold, file.Path, free)
        ).ToArray();
        foreach (var result in results)
            yield return await result;
    }

    private static TableFolds Divide(
        RunConfiguration configuration,
        int folds,
        FoldRule rule,
        DataFile file,
        Table rows
    ) =>
        Tables
            .Divide(
                configuration.Table,
                configuration.Head,
                rule,
                configuration.Hyperparameters.Seed,
                folds,
                rows
            )
            .OrThrow(faults => new RefusedException(
                faults.Select(fault =>
                    fault.Subject == "Folds"
                        ? Faults.WithSubject("--folds", fault).ToString()
                        : Faults.Within(file.Path, fault).ToString()
                )
            ));

    private static RunConfiguration WithSeed(RunConfiguration configuration, ulong seed)
    {
        var settings = configuration.Settings;
        return RunConfiguration.Create(
                settings with
                {
                    Training = settings.Training with { Seed = seed },
                },
                out IReadOnlyList<string> faults
            ) ?? throw new RefusedException(faults);
    }

    private static async Task<FoldResult> RunFoldAsync<T>(
        RunConfiguration configuration,
        TableFolds division,
        int fold,
        string path,
        SemaphoreSlim free
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        await free.WaitAsync();
        try
        {
            return await Task.Run(() => TrainAsync<T>(configuration, division, fold, path));
        }
        finally
        {
            free.Release();
        }
    }

    private static async Task<FoldResult> TrainAsync<T>(
        RunConfiguration configuration,
        TableFolds division,
        int fold,
        string path
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var seed = configuration.Hyperparameters.Seed;
        var name = $"{path}, fold {fold + 1}";
        var samples = Tables.FoldOf<T>(division, fold).OrThrow(RefusedException.At(name));
        var loaded = new LoadedData<T>(
            samples.Train,
            samples.Test,
            Preprocessing.NewTable(samples.Encoding),
            [.. division.Classes],
            [],
            new Dictionary<string, string>()
        );
        var data = new TrainingData<T>(loaded, configuration.Split(loaded));
        var loop = new TrainingLoop<T>(
            configuration,
            configuration.ArchitectureFor(data),
            data.Samples.Scaled(),
            [],
            TimeProvider.System
        );
        var result = await loop.RunAsync(CancellationToken.None);
        var model = data.ModelOf(
            data.Samples.Finish(result.Network).Network,
            configuration,
            result.Iteration
        );
        var evaluation = Evaluations.Create(EvaluationOptions.Default, model, samples.Test);
        return new(
            seed,
            fold + 1,
            data.Samples.Train.Count,
            samples.Test.Count,
            result.Iteration,
            result.TrainSeconds,
            model.Network.Architecture.ToString(),
            evaluation,
            [
                .. division.Warnings,
                .. samples.Unknown.Select(column =>
                    $"{name}, column {column.Item1}: {Counted.Of(column.Item2, "test row")} with a category that no other fold has; tested without it."
                ),
                .. result.Divergence is { } divergence
                    ? [$"{name}, seed {seed}: {divergence}"]
                    : Array.Empty<string>(),
            ]
        );
    }
}
