using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Pipeline.Training;

/// <summary><c>sweep</c>: many trials of settings, the best of which go on; and commands for another
/// terminal.</summary>
internal static class SweepCommand
{
    public static Command Create(SettingOptions settings)
    {
        var file = new Argument<string>("plan")
        {
            Description = "a JSON file with the plan of the sweep",
        };
        var command = new Command(
            "sweep",
            "Try many settings, compare them on validation samples and keep the best model"
        )
        {
            file,
        };
        settings.AddTo(
            command,
            setting =>
                SweepSpace.CanSet(setting)
                || setting.Key == "Run:Directory"
                || setting.Section is "Sweep"
                || setting.Section is "Cluster" && setting.Key != "Cluster:Prepare",
            hasPreset: false
        );
        command.SetAction((parsed, _) => RunAsync(settings.Read(parsed), parsed.GetValue(file)!));
        command.Subcommands.Add(
            Other(
                settings,
                "status",
                "Show a sweep: its trials, the best first",
                Show,
                ClusterCommands.ShowAsync
            )
        );
        command.Subcommands.Add(
            Other(
                settings,
                "pause",
                "Ask the process of a sweep to save its trials and to wait",
                path => Ask(path, SweepRequest.Pause),
                (cluster, name) => ClusterCommands.AskAsync(cluster, name, SweepRequest.Pause)
            )
        );
        command.Subcommands.Add(
            Other(
                settings,
                "continue",
                "Ask the process of a paused sweep to go on",
                path => Ask(path, SweepRequest.None),
                (cluster, name) => ClusterCommands.AskAsync(cluster, name, SweepRequest.None)
            )
        );
        command.Subcommands.Add(
            Other(
                settings,
                "stop",
                "Ask the process of a sweep to save its trials and to end",
                path => Ask(path, SweepRequest.Stop),
                (cluster, name) => ClusterCommands.AskAsync(cluster, name, SweepRequest.Stop)
            )
        );
        return command;
    }

    /// <summary>A command for another terminal.</summary>
    private static Command Other(
        SettingOptions settings,
        string name,
        string description,
        Action<string> act,
        Func<ClusterSettings, string, Task> actInCluster
    )
    {
        var folder = new Argument<string>("sweep")
        {
            Description =
                "the folder of a sweep, or its name in Run:Directory; its name with Cluster:Store",
        };
        var command = new Command(name, description) { folder };
        settings.AddTo(
            command,
            setting => setting.Key is "Run:Directory" or "Cluster:Store" or "Cluster:Certificate",
            hasPreset: false
        );
        command.SetAction(
            async (parsed, _) =>
            {
                var (said, given) = (parsed.GetValue(folder)!, settings.Read(parsed));
                var cluster = ServiceRegistration
                    .ConfigurationAlone(given with { IsForTraining = false })
                    .Settings.Cluster;
                if (cluster.Store is null)
                    act(PathOf(said, given));
                else
                    await actInCluster(cluster, said);
                return (int)Outcome.Completed;
            }
        );
        return command;
    }

    private static string PathOf(string said, CommandLineSettings given)
    {
        if (said.Length == 0)
            throw RefusedException.Of("the sweep", "a folder or a name", "nothing");
        var path = Path.GetFullPath(said);
        if (SweepFolder.IsSweep(path))
            return path;
        var directory = ServiceRegistration.ConfigurationAlone(given).Settings.Run.Directory;
        var named = Path.GetFullPath(Path.Combine(directory, said));
        return SweepFolder.IsSweep(named) ? named : path;
    }

    private static void Show(string path)
    {
        var sweep = SweepStatus.Read(path);
        Console.Write(
            new ReportTable(
                $"{sweep.File.Name}: {sweep.Summary}",
                sweep.Titles,
                sweep.Rows
            ).ToText()
        );
        foreach (var difference in sweep.Differences)
            Print.Line($"{difference}");
    }

    private static void Ask(string path, SweepRequest request)
    {
        var sweep = SweepStatus.Read(path);
        if (sweep.State is not (TrialText.Running or SweepStatus.Paused))
        {
            throw RefusedException.Of(
                sweep.Path,
                "a sweep that a process works on",
                $"a {sweep.State} one"
            );
        }
        SweepFolder.Ask(new DiskFiles(), sweep.Path, request);
    }

    private static async Task<int> RunAsync(CommandLineSettings given, string plan)
    {
        var file = SweepFile.Read(plan);
        var space = new SweepSpace(file, given);
        var configurations = space.Check();
        var first = configurations[0];
        var builder = ServiceRegistration.CreateBuilder(
            space.SettingsOf([.. Learning.Interop.SweepPlans.Examples(file.Plan)[0]])
        );
        // Trials report by the sweep; what goes wrong with one is logged.
        builder.Logging.AddFilter(level => level >= LogLevel.Warning);
        builder
            .Services.AddSingleton(file)
            .AddSingleton(space)
            .AddSingleton(
                new SweepOptions(
                    configurations,
                    first.Settings.Run.Directory,
                    first.Settings.Sweep.Slots,
                    Print.Notes
                )
            )
            .AddSingleton(services => new SweepReport(
                AnsiConsole.Console,
                Console.Out,
                services.GetRequiredService<TimeProvider>(),
                file,
                first.Settings.Data is { Train: not null, Test: null }
            ));
        if (first.Settings.Cluster.Store is not null)
            return await ClusterCommands.SubmitAsync(builder, first.Settings.Cluster);
        builder
            .Services.AddRunServices()
            .AddSingleton<LocalSweep>()
            .AddHostedService<SweepWorker>();
        return await SweepHost.RunAsync<SweepWorker>(builder);
    }
}
