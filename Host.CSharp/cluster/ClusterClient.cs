using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Pipeline.Learning;
using Pipeline.Training;
using static System.FormattableString;

namespace Pipeline.Cluster;

/// <summary>Asks a cluster from outside, for commands of another terminal.</summary>
internal static class ClusterClient
{
    /// <summary>How long an answer may take: members that were killed are asked first, perhaps.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Shows a sweep.</summary>
    /// <exception cref="RefusedException">No such sweep is there, or nobody works with the store.</exception>
    public static Task ShowAsync(
        ClusterSettings settings,
        string name,
        ILoggerFactory loggers,
        TextWriter output
    ) =>
        AskAsync(
            settings,
            loggers,
            async (grains, store) =>
            {
                var sweep = grains.GetGrain<ISweep>(name);
                var submission =
                    await sweep.Describe() ?? throw NoSweep(name, store, "no such one");
                var view = await sweep.View("");
                Write(submission, view, output);
            }
        );

    /// <summary>Pauses, continues or stops a sweep.</summary>
    /// <exception cref="RefusedException">No such sweep is there, it is done, or nobody works with the
    /// store.</exception>
    public static Task AskAsync(
        ClusterSettings settings,
        string name,
        SweepPhase wanted,
        ILoggerFactory loggers
    ) =>
        AskAsync(
            settings,
            loggers,
            async (grains, store) =>
            {
                var before = await grains.GetGrain<ISweep>(name).Ask(wanted);
                if (before is SweepPhase.Unknown or SweepPhase.Done)
                {
                    throw NoSweep(
                        name,
                        store,
                        before == SweepPhase.Done ? "a completed one" : "no such one"
                    );
                }
            }
        );

    private static RefusedException NoSweep(string name, string store, string found) =>
        RefusedException.Of(name, $"a sweep of {store} that is not completed", found);

    private static async Task AskAsync(
        ClusterSettings settings,
        ILoggerFactory loggers,
        Func<IGrainFactory, string, Task> ask
    )
    {
        var store = ClusterStore.Of(settings.Store!);
        var certificate = ClusterCertificate.Of(settings);
        await store.CheckAsync();
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddSingleton(loggers);
        builder.UseOrleansClient(client =>
        {
            store.AddTo(client);
            ClusterNetwork.AddTo(client);
            certificate?.AddTo(client);
        });
        var host = builder.Build();
        try
        {
            await host.StartAsync().WaitAsync(Patience);
            await ask(host.Services.GetRequiredService<IGrainFactory>(), store.Address)
                .WaitAsync(Patience);
            await host.StopAsync().WaitAsync(Patience);
        }
        catch (Exception silent) when (silent is OrleansException or TimeoutException)
        {
            throw RefusedException.Of(
                store.Address,
                "a worker or a sweep that works with this store",
                $"no answer ({silent.Message.Split('\n')[0].TrimEnd('.')})"
            );
        }
    }

    private static void Write(Submission submission, SweepView view, TextWriter output)
    {
        var file = SweepFile.Parse($"{submission.Name}.json", submission.Plan);
        var read = ReadBoard.Of(submission.Name, file.Plan, view.Board, 0, long.MaxValue / 2);
        var running = view.Running.ToDictionary(each => each.Trial);

        string StateOf(SweepTrial trial) =>
            !trial.State.IsLeased ? TrialText.StateOf(trial)
            : running.TryGetValue(trial.Number, out var at) && at.Total > 0
                ? Invariant($"running {100 * at.Iteration / at.Total} %: {trial.Worker}")
            : $"running: {trial.Worker}";

        var state =
            view.Phase == SweepPhase.Done ? "completed" : $"{view.Phase}".ToLowerInvariant();
        output.Write(
            new ReportTable(
                Invariant(
                    $"{submission.Name}: {state}: {TrialText.SettledOf(read.Board)} of {Counted.Of(read.Board.Trials.Length, "trial")} settled"
                ),
                TrialRows.Titles(read.Board.Plan.Settings, file.Goal),
                [.. TrialRows.Of(read.Board, file.Goal, trial => trial.State.IsLeased, StateOf)]
            ).ToText()
        );
        foreach (var difference in read.Differences)
            output.WriteLine(VisibleText.Of(difference));
    }
}
