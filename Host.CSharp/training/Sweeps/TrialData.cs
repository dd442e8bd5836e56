using System.Collections.Concurrent;
using System.Numerics;
using System.Text.Json;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The data of a sweep's trials. Trials with the same settings of the data share them.</summary>
/// <param name="repeats">How trials are repeated.</param>
/// <param name="note">Gets what was assumed of the files, in sentences.</param>
internal sealed class TrialData<T>(SweepRepeats repeats, Action<IEnumerable<string>> note)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Data of more different settings are loaded again.</summary>
    private const int Most = 16;

    private readonly ConcurrentDictionary<string, bool> noted = new();
    private readonly ConcurrentDictionary<string, Lazy<LoadedData<T>>> loaded = new();
    private readonly ConcurrentDictionary<string, Lazy<TrainingData<T>>> split = new();
    private readonly ConcurrentDictionary<string, Lazy<Division>> divisions = new();

    /// <summary>The rows of a table in folds.</summary>
    private sealed record Division(
        TableFolds Folds,
        string Path,
        IReadOnlyDictionary<string, string> Hashes
    );

    /// <summary>The samples of a run.</summary>
    /// <exception cref="RefusedException">The data cannot be used; every fault is named.</exception>
    public TrainingData<T> Of(RunConfiguration configuration, TrialPart part)
    {
        var settings = configuration.Settings;
        var key = JsonSerializer.Serialize(
            new
            {
                Load = KeyOf(configuration),
                // If it is not set, it follows from the layers.
                TargetScaling = $"{configuration.TargetScaling}",
                settings.Training.Seed,
                settings.Training.Calibrated,
                settings.Training.Coverage,
                settings.Training.Decision,
                settings.Training.Metric,
                part.Fold,
            }
        );
        return Get(
            split,
            key,
            () =>
            {
                var data = part.Fold is { } fold
                    ? FoldOf(configuration, fold)
                    : Load(configuration);
                return new(data, configuration.Split(data));
            }
        );
    }

    /// <summary>The loaded data of a run that is no fold.</summary>
    public LoadedData<T> Load(RunConfiguration configuration) =>
        Get(
            loaded,
            KeyOf(configuration),
            () =>
            {
                var data = DataFiles.Load<T>(configuration);
                Note([
                    .. data.Notes,
                    .. data.Warnings,
                    .. data.Leakage is { } leakage ? [leakage] : Array.Empty<string>(),
                ]);
                return data;
            }
        );

    /// <summary>Says what was not said of other trials' data.</summary>
    private void Note(IEnumerable<string> sentences) =>
        note(sentences.Where(sentence => noted.TryAdd(sentence, true)).ToArray());

    /// <summary>What the data depend on.</summary>
    private static string KeyOf(RunConfiguration configuration)
    {
        var settings = configuration.Settings;
        return JsonSerializer.Serialize(
            new
            {
                settings.Data,
                settings.Model.Head,
                settings.Model.Embeddings,
                // Rows of a table are divided by the seed.
                Seed = settings.Data.Train is null ? 0 : settings.Training.Seed,
            }
        );
    }

    private LoadedData<T> FoldOf(RunConfiguration configuration, int fold)
    {
        var division = Get(divisions, KeyOf(configuration), () => Divide(configuration));
        var name = $"{division.Path}, fold {fold + 1}";
        var samples = Tables.FoldOf<T>(division.Folds, fold).OrThrow(RefusedException.At(name));
        return new(
            samples.Train,
            samples.Test,
            Preprocessing.NewTable(samples.Encoding),
            [.. division.Folds.Classes],
            [],
            // A run of a fold must not be resumed with all rows.
            division.Hashes.ToDictionary(
                file => file.Key,
                file => $"{file.Value}, fold {fold + 1} of {repeats.Folds}"
            )
        );
    }

    private Division Divide(RunConfiguration configuration)
    {
        var settings = configuration.Settings;
        // The test rows are not looked at.
        var alone = configuration with
        {
            Settings = settings with { Data = settings.Data with { Test = null } },
        };
        var (file, rows) = DataFiles.ParseRows(alone);
        var folds = Tables
            .Divide(
                configuration.Table,
                configuration.Head,
                repeats.Rule,
                configuration.Hyperparameters.Seed,
                repeats.Folds!.Value,
                rows
            )
            .OrThrow(faults => new RefusedException(
                faults.Select(fault => Faults.Within(file.Path, fault).ToString())
            ));
        Note(folds.Warnings);
        return new(folds, file.Path, DataFiles.Hashes([file]));
    }

    private static TValue Get<TValue>(
        ConcurrentDictionary<string, Lazy<TValue>> known,
        string key,
        Func<TValue> make
    )
    {
        var found = known.GetOrAdd(key, _ => new(make));
        foreach (var other in known.Keys)
        {
            if (known.Count > Most && other != key)
                known.TryRemove(other, out _);
        }
        return found.Value;
    }
}
