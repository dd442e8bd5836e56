using System.Globalization;
using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The model of a run without model.safetensors (it was killed or is in progress): that of its
/// newest whole checkpoint.</summary>
internal static class CheckpointModel
{
    /// <summary>The iterations of a run's checkpoints, empty if it has no checkpoint.</summary>
    /// <param name="run">The run's folder.</param>
    public static IReadOnlyList<long> Iterations(string run) =>
        [.. StoreOf(run).Iterations().Order()];

    /// <summary>The model of the newest whole checkpoint. Its preprocessing follows from the run's training
    /// data, which are read again.</summary>
    /// <param name="path">The run's folder.</param>
    /// <exception cref="RefusedException">No checkpoint is whole, or the run's settings or data have
    /// changed.</exception>
    public static ModelFile Read(string path)
    {
        var run = StoredRun.Read(path);
        var configuration = ServiceRegistration.ConfigurationOf(
            new(new Dictionary<string, string?>(), Run: run.Values().ToDictionary())
        );
        return configuration.Precision.IsDouble
            ? Read<double>(run, configuration)
            : Read<float>(run, configuration);
    }

    private static CheckpointStore StoreOf(string run) =>
        new(new DiskFiles(), RunFolder.CheckpointsOf(run), keep: 1);

    private static ModelFile Read<T>(StoredRun run, RunConfiguration configuration)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var data = DataFiles.Load<T>(configuration);
        string[] differences = [.. run.Differences(configuration), .. run.Differences(data.Hashes)];
        if (differences.Length > 0)
            throw new RefusedException(differences);
        var architecture = configuration.ArchitectureFor(data);
        var samples = configuration.Split(data);
        foreach (var checkpoint in StoreOf(run.Path).Load(Console.Error.WriteLine))
        {
            if (!checkpoint.Manifest.IsOf(configuration.AffectingResultSha256, data.Hashes))
                continue;
            var state = Checkpoint
                .Read<T>(configuration.Hyperparameters, architecture, checkpoint.Bytes)
                .OrThrow(RefusedException.At(checkpoint.Path));
            var model = new TrainingData<T>(data, samples).ModelOf(
                samples.Finish(Trainer.CurrentNetwork(state)).Network,
                configuration,
                state.Iteration
            );
            Console.Error.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{run.Path} has no {RunFolder.ModelName}: the model is that of its checkpoint of iteration {state.Iteration}."
                )
            );
            return new(checkpoint.Path, Model.ToTensors(model));
        }
        throw RefusedException.Of(
            run.Path,
            $"a {RunFolder.ModelName} or a whole checkpoint of the run",
            "neither"
        );
    }
}

/// <summary>The notes on a model's origin in its file; the same for all runs with the same
/// settings.</summary>
internal static class Provenance
{
    /// <summary>The note that holds the iteration.</summary>
    public const string Iteration = "iteration";

    /// <summary>The note that holds the seed.</summary>
    public const string Seed = "seed";

    /// <param name="configuration">The run's settings.</param>
    /// <param name="iteration">The iteration of the model.</param>
    public static Dictionary<string, string> Of(RunConfiguration configuration, long iteration) =>
        new()
        {
            [Iteration] = iteration.ToString(CultureInfo.InvariantCulture),
            [Seed] = configuration.Hyperparameters.Seed.ToString(CultureInfo.InvariantCulture),
            ["settings_sha256"] = configuration.AffectingResultSha256,
            ["program"] = $"Pipeline {RunFolder.Version}",
        };
}
