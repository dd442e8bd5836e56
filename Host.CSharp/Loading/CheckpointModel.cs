using System.Globalization;
using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The model of a run that has no model.safetensors, as it was killed or is under way: that of its
/// newest whole checkpoint.</summary>
internal static class CheckpointModel
{
    /// <summary>The iterations of a run's checkpoints, none where it has no checkpoint.</summary>
    /// <param name="run">The run's folder.</param>
    public static IReadOnlyList<long> Iterations(string run) =>
        [.. StoreOf(run).Iterations().Order()];

    /// <summary>The model of the newest whole checkpoint. Its preprocessing follows from the run's training
    /// data, which are read again.</summary>
    /// <param name="path">The run's folder.</param>
    /// <exception cref="RefusedException">No checkpoint is whole, or the run's settings or data are not
    /// what they were.</exception>
    public static ModelFile Read(string path)
    {
        var run = EarlierRun.Read(path);
        var plan = ServiceRegistration.PlanOf(
            new(new Dictionary<string, string?>(), Run: run.Values().ToDictionary())
        );
        return plan.Precision.IsDouble ? Read<double>(run, plan) : Read<float>(run, plan);
    }

    private static CheckpointStore StoreOf(string run) =>
        new(new DiskFiles(), RunFolder.CheckpointsOf(run), keep: 1);

    private static ModelFile Read<T>(EarlierRun run, RunConfiguration plan)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var data = DataFiles.Load<T>(plan);
        string[] differences = [.. run.Differences(plan), .. run.Differences(data.Hashes)];
        if (differences.Length > 0)
            throw new RefusedException(differences);
        var architecture = plan.ArchitectureFor(data.Train);
        foreach (var checkpoint in StoreOf(run.Path).Load(Console.Error.WriteLine))
        {
            if (!checkpoint.Manifest.IsOf(plan.DecidingSha256, data.Hashes))
                continue;
            var state = Checkpoint
                .Read<T>(plan.Hyperparameters, architecture, checkpoint.Bytes)
                .OrThrow(RefusedException.At(checkpoint.Path));
            var model = Models.Create(
                Trainer.Model(state),
                data.Preprocessing,
                data.Classes,
                Provenance.Of(plan, state.Iteration)
            );
            Console.Error.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{run.Path} has no {RunFolder.ModelName}: the model is that of its checkpoint of iteration {state.Iteration}."
                )
            );
            return new(checkpoint.Path, Model.ToTensors(model));
        }
        throw new RefusedException([
            DataFile.Sentence(
                run.Path,
                $"a {RunFolder.ModelName} or a whole checkpoint of the run",
                "neither"
            ),
        ]);
    }
}

/// <summary>Where a model comes from, which its file keeps; the same for every run with the same
/// settings.</summary>
internal static class Provenance
{
    /// <summary>The note that holds the iteration.</summary>
    public const string Iteration = "iteration";

    /// <param name="plan">The run's settings.</param>
    /// <param name="iteration">Steps that made the model.</param>
    public static Dictionary<string, string> Of(RunConfiguration plan, long iteration) =>
        new()
        {
            [Iteration] = iteration.ToString(CultureInfo.InvariantCulture),
            ["seed"] = plan.Hyperparameters.Seed.ToString(CultureInfo.InvariantCulture),
            ["settings_sha256"] = plan.DecidingSha256,
            ["program"] = $"Pipeline {RunFolder.Version}",
        };
}
