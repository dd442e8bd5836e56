using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>What a run came to, as summary.json says it.</summary>
internal sealed record Summary(
    string Outcome,
    long Iterations,
    long ModelIteration,
    double TrainSeconds,
    double TotalSeconds,
    double? FinalTrainLoss,
    double? FinalTrainAccuracy,
    double? FinalTestLoss,
    double? FinalTestAccuracy,
    double? FinalValidationLoss,
    double? FinalValidationAccuracy,
    double? BestTestAccuracy,
    long? BestIteration,
    string ParametersSha256,
    int Threads,
    string Precision,
    ulong Seed,
    string? Message,
    IReadOnlyList<string> Findings
);

/// <summary>The folder of one run. Logs grow line by line; every other file is whole or
/// absent.</summary>
internal sealed class RunFolder : IRunObserver, IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public const string ModelName = "model.safetensors";

    private readonly StreamWriter progress;
    private readonly StreamWriter epochs;

    private RunFolder(string path)
    {
        Path = path;
        progress = Open("progress.csv");
        epochs = Open("epochs.csv");
        progress.WriteLine("iteration,epoch,loss,learning_rate,seconds");
        epochs.WriteLine(
            "epoch,iteration,train_loss,train_accuracy,test_loss,test_accuracy,seconds,validation_loss,validation_accuracy"
        );
    }

    public string Path { get; }

    /// <summary>The losses after each epoch: on the training samples, and on those kept for validation
    /// or else the test set.</summary>
    public List<EpochLosses> Losses { get; } = [];

    /// <summary>The evaluation with the best test accuracy so far.</summary>
    public EpochFigures? Best { get; private set; }

    /// <exception cref="RefusedException">The folder cannot be made.</exception>
    public static RunFolder Create(
        RunPlan plan,
        Learning.Architecture architecture,
        TimeProvider clock
    )
    {
        var parent = System.IO.Path.GetFullPath(plan.Settings.Run.Directory);
        var time = clock.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var name = plan.Settings.Run.Name ?? architecture.ToString();
        try
        {
            Directory.CreateDirectory(parent);
            var path = System.IO.Path.Combine(parent, $"{time}-{name}");
            for (var again = 2; Directory.Exists(path); again++)
                path = System.IO.Path.Combine(parent, $"{time}-{name}-{again}");
            Directory.CreateDirectory(path);
            return new(path);
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            var fault = Faults.Create(
                "Run:Directory",
                "a folder that can be written",
                $"{parent} ({unusable.Message.TrimEnd('.')})"
            );
            throw new RefusedException([fault.ToString()]);
        }
    }

    /// <summary>The program's version.</summary>
    public static string? Version =>
        typeof(RunFolder)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion;

    /// <summary>Enough to repeat the run.</summary>
    public void WriteSettings(RunPlan plan, IReadOnlyDictionary<string, string> dataHashes)
    {
        var effective = new
        {
            Settings = Effective(plan),
            DataSha256 = dataHashes,
            Build = new
            {
                Version,
                Runtime = RuntimeInformation.FrameworkDescription,
                System = RuntimeInformation.OSDescription,
                Architecture = RuntimeInformation.ProcessArchitecture.ToString(),
            },
            Cpu = new
            {
                Processors = Environment.ProcessorCount,
                Vector512 = Vector512.IsHardwareAccelerated,
                Vector256 = Vector256.IsHardwareAccelerated,
                Vector128 = Vector128.IsHardwareAccelerated,
            },
        };
        WriteJson("settings.json", effective);
    }

    /// <summary>The settings, with what was chosen for those that were left open.</summary>
    private static JsonNode Effective(RunPlan plan)
    {
        var settings = JsonSerializer.SerializeToNode(plan.Settings, Json)!;
        settings["model"]!["hidden"] = JsonSerializer.SerializeToNode(plan.Hidden);
        var training = settings["training"]!;
        if (plan.Hyperparameters.Length is RunLength.Iterations steps)
            training["iterations"] = steps.Item;
        training["threads"] = plan.Threads;
        return settings;
    }

    public void Stepped(in StepFigures step) =>
        progress.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{step.Iteration},{step.Epoch},{step.Loss},{step.LearningRate},{step.Seconds:F6}"
            )
        );

    public void Evaluated(EpochFigures epoch)
    {
        Finished(epoch);
        Losses.Add(new(epoch.Epoch, epoch.Train.Loss, (epoch.Validation ?? epoch.Test).Loss));
        epochs.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{epoch.Epoch},{epoch.Iteration},{epoch.Train.Loss},{epoch.Train.Accuracy},{epoch.Test.Loss},{epoch.Test.Accuracy},{epoch.Seconds:F6},{epoch.Validation?.Loss},{epoch.Validation?.Accuracy}"
            )
        );
        epochs.Flush();
        progress.Flush();
    }

    public void Finished(EpochFigures kept)
    {
        if (Best is null || kept.Test.Accuracy > Best.Test.Accuracy)
            Best = kept;
    }

    public void WriteModel<T>(Model<T> model)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        WriteWhole(ModelName, Safetensors.Write(model));

    public void WriteCurves(Curves curves, string title) =>
        WriteWhole("curves.svg", curves.ToSvg(title));

    public void WriteSummary(Summary summary) => WriteJson("summary.json", summary);

    public void Dispose()
    {
        progress.Dispose();
        epochs.Dispose();
    }

    private StreamWriter Open(string name) =>
        new(System.IO.Path.Combine(Path, name)) { NewLine = "\n" };

    private void WriteJson<TValue>(string name, TValue value) =>
        WriteWhole(name, [.. JsonSerializer.SerializeToUtf8Bytes(value, Json), (byte)'\n']);

    private void WriteWhole(string name, byte[] bytes) =>
        WholeFile.Write(System.IO.Path.Combine(Path, name), bytes);
}
