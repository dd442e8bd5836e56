using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary><c>train</c>: runs the worker until the run ends.</summary>
internal static class TrainCommand
{
    public static Command Create(SettingOptions settings)
    {
        var command = new Command(
            "train",
            "Train a network and write a run folder (the default command)"
        );
        Configure(command, settings);
        return command;
    }

    /// <summary>Makes a command train: <c>train</c>, and the program without a command.</summary>
    public static void Configure(Command command, SettingOptions settings)
    {
        settings.AddTo(command, setting => setting.Section is not "Serve");
        command.SetAction((parsed, _) => RunAsync(settings.Read(parsed)));
    }

    private static async Task<int> RunAsync(CommandLineSettings given)
    {
        ILogger? logger = null;
        using var streams = StandardStreams.Queue(reason => logger?.OutputFailed(reason));
        using var host = ServiceRegistration.CreateTrainingBuilder(given).Build();
        var status = host.Services.GetRequiredService<ExitStatus>();
        logger = host.Services.GetRequiredService<ILogger<TrainingWorker>>();
        var code = await host.RunTrainingAsync();
        if (status.IsStopped)
            streams.Patience = TimeSpan.FromSeconds(3);
        return code;
    }
}
