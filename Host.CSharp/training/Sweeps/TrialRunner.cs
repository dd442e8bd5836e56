using System.Numerics;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Spectre.Console;

namespace Pipeline.Training;

/// <summary>Runs stages of trials.</summary>
internal interface ITrialRunner
{
    /// <summary>The data of the first trial.</summary>
    IReadOnlyDictionary<string, string> DataSha256 { get; }

    /// <summary>Loads the data of all configurations that are known, and checks that they can be trained
    /// with.</summary>
    /// <exception cref="RefusedException">The data cannot be used; every fault is named.</exception>
    void Check(IReadOnlyList<RunConfiguration> configurations);

    /// <summary>Runs a stage to its end.</summary>
    /// <param name="folders">The run folders.</param>
    /// <param name="lease">The stage.</param>
    /// <param name="progress">Gets the iterations done, and how many the whole run has.</param>
    /// <param name="stop">Ends the run; what it has learned so far is saved.</param>
    /// <returns>The result; null if the run was stopped before the stage's end.</returns>
    Task<TrialResult?> RunAsync(
        TrialFolders folders,
        SweepLease lease,
        Action<long, long> progress,
        CancellationToken stop
    );

    /// <summary>Trains with all rows and the settings of a trial that was trained on folds.</summary>
    /// <returns>Whether the run has ended, rather than having been stopped.</returns>
    Task<bool> TrainBestAsync(TrialFolders folders, SweepTrial best, CancellationToken stop);
}

/// <summary>Runs stages of trials in the folder of a sweep, each in run folders that are resumed.</summary>
internal sealed class TrialRunner<T>(
    SweepFile file,
    SweepSpace space,
    int threads,
    Action<IEnumerable<string>> note,
    IServiceProvider services
) : ITrialRunner
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private static readonly TrialPart AllRows = new(0, null, "");

    private readonly TrialData<T> data = new(file.Repeats, note);

    /// <summary>The samples of which it is known whether the goal has a value on them.</summary>
    private readonly HashSet<Dataset<T>> looked = new(ReferenceEqualityComparer.Instance);

    public IReadOnlyDictionary<string, string> DataSha256 { get; private set; } =
        new Dictionary<string, string>();

    public void Check(IReadOnlyList<RunConfiguration> configurations)
    {
        List<string> faults = [];
        foreach (var (index, configuration) in configurations.Index())
        {
            try
            {
                // All folds of the first one; the others divide the rows as it does.
                var parts = file
                    .Repeats.Parts.Where(part => part.Seed == 0)
                    .Take(index == 0 ? int.MaxValue : 1);
                foreach (var part in parts)
                    faults.AddRange(FaultsOf(configuration, part));
                if (file.Repeats.Folds is not null)
                {
                    var all = WithAllRows(configuration);
                    all.ArchitectureFor(data.Of(all, AllRows));
                }
            }
            catch (RefusedException refused)
            {
                faults.AddRange(refused.Reasons);
            }
        }
        if (faults.Count > 0)
            throw new RefusedException(faults);
    }

    private IEnumerable<string> FaultsOf(RunConfiguration configuration, TrialPart part)
    {
        var samples = data.Of(configuration, part);
        if (DataSha256.Count == 0)
            DataSha256 = samples.Loaded.Hashes;
        var architecture = configuration.ArchitectureFor(samples);
        if (RungsFault(configuration, samples) is { } rungs)
            yield return rungs;
        var measured = MeasuredOf(samples, part);
        if (looked.Add(measured) && file.Goal.FaultOf(architecture, measured) is { } goal)
        {
            var place = part.Name.Length == 0 ? "" : $" ({part.Name})";
            yield return $"{file.Path}, goal{place}: {goal}";
        }
    }

    /// <summary>The samples that a run is measured on.</summary>
    private static Dataset<T> MeasuredOf(TrainingData<T> samples, TrialPart part) =>
        part.Fold is null ? samples.Samples.Validation! : samples.Loaded.Test;

    /// <summary>For a run that is no fold: the column that divides the rows into folds is no input there either.</summary>
    private RunConfiguration WithAllRows(RunConfiguration configuration) =>
        file.Repeats.Column is { } column ? configuration.Ignoring(column) : configuration;

    private string? RungsFault(RunConfiguration configuration, TrainingData<T> samples)
    {
        if (file.Plan.Rungs.IsEmpty)
            return null;
        var settings = configuration.Hyperparameters;
        var count = samples.Samples.Train.Count;
        var iterations = Runs.Iterations(settings, count);
        var perEpoch = Batch.IterationsPerEpoch(count, settings.BatchSize);
        return (long)file.Plan.Rungs.Last() * perEpoch < iterations
            ? null
            : space.RungsFault(iterations / perEpoch);
    }

    public async Task<TrialResult?> RunAsync(
        TrialFolders folders,
        SweepLease lease,
        Action<long, long> progress,
        CancellationToken stop
    )
    {
        var parts = file.Repeats.Parts;
        List<TrialResult> results = [];
        foreach (var part in parts)
        {
            var known = results.Count;
            var result = await RunPartAsync(
                folders,
                lease,
                part,
                (iteration, total) => progress((known * total) + iteration, parts.Count * total),
                stop
            );
            if (result is null)
                return null;
            results.Add(result);
        }
        return results is [var only] ? only : Mean(results);
    }

    private static TrialResult Mean(List<TrialResult> results) =>
        SweepBoards.Result(
            results.Average(result => result.Deficit),
            results
                .SelectMany(result => result.Figures)
                .GroupBy(figure => figure.Item1)
                .Where(figure => figure.Count() == results.Count)
                .Select(figure => (figure.Key, figure.Average(each => each.Item2))),
            results.Sum(result => result.Iterations),
            string.Join(' ', results.Select(result => result.Model)),
            results.All(result => result.HasEnded)
        );

    private async Task<TrialResult?> RunPartAsync(
        TrialFolders folders,
        SweepLease lease,
        TrialPart part,
        Action<long, long> progress,
        CancellationToken stop
    )
    {
        var configuration = ConfigurationOf(folders, [.. lease.Values], part);
        var samples = data.Of(configuration, part);
        var path = folders.RunOf(lease.Trial, part);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var total = Runs.Iterations(configuration.Hyperparameters, samples.Samples.Train.Count);
        var watch = new StageEnd(
            lease.Epoch.ToNullable(),
            ending,
            iteration => progress(iteration, total)
        );
        var finished = await TrainAsync(configuration, samples, path, watch, ending.Token);
        if (finished.Outcome == Outcome.Failed)
            throw new UnsavedException($"{path}: the run could not be saved.");
        var hasEnded = finished.Outcome is Outcome.Completed or Outcome.Diverged;
        if (!hasEnded && !watch.IsReached)
            return null;
        var figures = SweepGoal.FiguresOf(finished.Model, MeasuredOf(samples, part));
        return SweepBoards.Result(
            finished.Outcome == Outcome.Diverged
                ? double.PositiveInfinity
                : file.Goal.DeficitOf(file.Goal.ValueOf(figures)),
            finished.Outcome == Outcome.Diverged ? [] : figures,
            finished.Iteration,
            Convert.ToHexStringLower(
                SHA256.HashData(File.ReadAllBytes(Path.Combine(path, RunFolder.ModelName)))
            ),
            hasEnded
        );
    }

    public async Task<bool> TrainBestAsync(
        TrialFolders folders,
        SweepTrial best,
        CancellationToken stop
    )
    {
        var configuration = WithAllRows(ConfigurationOf(folders, [.. best.Values], AllRows));
        using var never = new CancellationTokenSource();
        var finished = await TrainAsync(
            configuration,
            data.Of(configuration, AllRows),
            folders.BestRun,
            new(null, never, _ => { }),
            stop
        );
        return finished.Outcome is Outcome.Completed or Outcome.Diverged;
    }

    /// <summary>A run in a folder, resumed if it is there.</summary>
    private async Task<FinishedRun<T>> TrainAsync(
        RunConfiguration configuration,
        TrainingData<T> samples,
        string path,
        StageEnd watch,
        CancellationToken stop
    )
    {
        var earlier = File.Exists(Path.Combine(path, RunFolder.SettingsFile))
            ? StoredRun.Read(path)
            : null;
        var run = new TrainingRun<T>(
            configuration,
            services.GetRequiredService<ExitStatus>(),
            Silent(),
            [watch],
            [],
            ActivatorUtilities.CreateInstance<TrainingMetrics>(services),
            services.GetRequiredService<IFiles>(),
            services.GetRequiredService<TimeProvider>(),
            new QuietLoggers(services.GetRequiredService<ILoggerFactory>())
        );
        return await run.RunAsync(samples, earlier, null, stop, path);
    }

    private RunConfiguration ConfigurationOf(
        TrialFolders folders,
        IReadOnlyList<string> values,
        TrialPart part
    )
    {
        (string, string)[] own =
        [
            ("Run:Mode", "Once"),
            ("Run:Resume", "Never"),
            ("Run:Directory", folders.Path),
            ("Training:Threads", Text((ulong)threads)),
        ];
        var configuration = space.ConfigurationOf(values, own);
        return part.Seed == 0
            ? configuration
            : space.ConfigurationOf(
                values,
                [
                    .. own,
                    ("Training:Seed", Text(configuration.Hyperparameters.Seed + (ulong)part.Seed)),
                ]
            );
    }

    private static string Text(ulong number) =>
        number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A report that prints nothing: the sweep has one of its own.</summary>
    private ConsoleReport Silent() =>
        new(
            AnsiConsole.Create(
                new()
                {
                    Out = new AnsiConsoleOutput(TextWriter.Null),
                    Interactive = InteractionSupport.No,
                }
            ),
            TextWriter.Null,
            TextWriter.Null,
            services.GetRequiredService<TimeProvider>()
        );

    /// <summary>Ends a run at the epoch of its stage.</summary>
    /// <param name="epoch">The epoch; null for the last stage.</param>
    /// <param name="ending">Is cancelled at the epoch.</param>
    /// <param name="progress">Gets the iterations done.</param>
    private sealed class StageEnd(int? epoch, CancellationTokenSource ending, Action<long> progress)
        : IRunObserver
    {
        public bool IsReached { get; private set; }

        public void Stepped(in StepFigures step) => progress(step.Iteration);

        public void Evaluated(EpochFigures figures)
        {
            if (epoch is not { } end || figures.Epoch < end)
                return;
            IsReached = true;
            ending.Cancel();
        }
    }
}
