using System.CommandLine;

namespace Pipeline.Training;

/// <summary><c>worker</c>: trains trials of the sweeps that other machines submit.</summary>
internal static class WorkerCommand
{
    public static Command Create(SettingOptions settings)
    {
        var command = new Command(
            "worker",
            "Train trials of the sweeps of Cluster:Store, on any number of machines"
        );
        settings.AddTo(
            command,
            setting => setting.Section is "Cluster" or "Sweep" || setting.IsOfMachine,
            hasPreset: false
        );
        command.SetAction((parsed, _) => ClusterCommands.WorkAsync(settings.Read(parsed)));
        return command;
    }
}
