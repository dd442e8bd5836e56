using System.Numerics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>What is said of the model in use.</summary>
/// <param name="Run">The run it is of.</param>
/// <param name="Iteration">Steps that made it.</param>
/// <param name="Loss">Its loss on the samples by which it was published.</param>
/// <param name="Accuracy">Its accuracy on them; null where it predicts numbers.</param>
/// <param name="Considered">The last run whose model was published or turned down.</param>
internal sealed record PublishedModel(
    string Run,
    long Iteration,
    double Loss,
    double? Accuracy,
    string Considered
);

/// <summary>Puts a run's model in the place of the one in use, in one step, unless it is worse.</summary>
internal sealed class Publisher(RunPlan plan, IFiles files, ILogger<TrainingWorker> logger)
{
    private string RecordPath => Path.ChangeExtension(plan.PublishedModel, ".json");

    /// <summary>What is said of the model in use, if there is one.</summary>
    public PublishedModel? Current()
    {
        try
        {
            return JsonSerializer.Deserialize<PublishedModel>(
                files.Read(RecordPath),
                JsonText.Options
            );
        }
        catch (Exception missing) when (missing is JsonException || WholeFile.IsTrouble(missing))
        {
            return null;
        }
    }

    /// <summary>Publishes a run's model unless the one in use does better, by more than the margin, on
    /// the same samples.</summary>
    /// <param name="run">The run.</param>
    /// <param name="samples">Those kept for validation, or else the test set.</param>
    public void Publish<T>(FinishedRun<T> run, Dataset<T> samples)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var candidate = Network.Evaluate(run.Model.Network, samples);
        var used = Used<T>(samples);
        var isBetter = used is { } score
            ? Publication.IsNoWorse(plan.Settings.Watch.Margin, score, candidate)
            : Publication.IsSound(candidate);
        if (!isBetter)
        {
            logger.ModelKept(run.Folder, Said(candidate), Said(used));
            if (Current() is { } current)
                Record(current with { Considered = run.Folder });
            return;
        }
        var model = run.Model;
        var notes = model.Notes.ToDictionary(note => note.Item1, note => note.Item2);
        notes["run"] = Path.GetFileName(run.Folder);
        var published = Models.Create(model.Network, model.Preprocessing, model.Classes, notes);
        WholeFile.Write(files, plan.PublishedModel, Safetensors.Write(published));
        Record(
            new(
                run.Folder,
                run.Iteration,
                candidate.Loss,
                JsonText.Finite(candidate.Accuracy),
                run.Folder
            )
        );
        logger.ModelPublished(run.Folder, plan.PublishedModel, Said(candidate), Said(used));
    }

    /// <summary>A score in a message: numbers that are predicted have a loss alone.</summary>
    private static string Said(Score? score) =>
        score is not { } known ? "none"
        : double.IsNaN(known.Accuracy) ? FormattableString.Invariant($"loss {known.Loss:F4}")
        : FormattableString.Invariant($"accuracy {known.Accuracy:F4}");

    private void Record(PublishedModel said) =>
        WholeFile.Write(files, RecordPath, JsonText.Of(said));

    /// <summary>How the model in use does; nothing where there is none that these samples fit.</summary>
    private Score? Used<T>(Dataset<T> samples)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (!files.Exists(plan.PublishedModel))
            return null;
        if (
            !Safetensors
                .Read<T>(files.Read(plan.PublishedModel))
                .TryGet(out var model, out var faults)
        )
        {
            foreach (var fault in faults)
                logger.ModelUnreadable(Faults.Within(plan.PublishedModel, fault).ToString());
            return null;
        }
        var network = model.Network;
        return
            network.Architecture.Inputs == samples.Features
            && network.Architecture.Outputs == samples.Classes
            ? Network.Evaluate(network, samples)
            : null;
    }
}
