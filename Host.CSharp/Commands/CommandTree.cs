using System.CommandLine;

namespace Pipeline.Training;

/// <summary>The program's commands.</summary>
internal static class CommandTree
{
    /// <summary>The command line: all commands; without one, the program trains.</summary>
    public static RootCommand Create(SettingOptions settings)
    {
        var root = new RootCommand("Trains, checks and hosts small neural networks.");
        TrainCommand.Configure(root, settings);
        root.Subcommands.Add(TrainCommand.Create(settings));
        root.Subcommands.Add(CheckCommand.Create(settings));
        root.Subcommands.Add(SanityCommand.Create(settings));
        root.Subcommands.Add(FindRateCommand.Create(settings));
        root.Subcommands.Add(RegularisersCommand.Create(settings));
        root.Subcommands.Add(CrossValidateCommand.Create(settings));
        root.Subcommands.Add(SweepCommand.Create(settings));
        root.Subcommands.Add(WorkerCommand.Create(settings));
        root.Subcommands.Add(EvaluateCommand.Create(settings));
        root.Subcommands.Add(PredictCommand.Create(settings));
        root.Subcommands.Add(ServeCommand.Create(settings));
        root.Subcommands.Add(ModelsCommand.Create(settings));
        root.Subcommands.Add(ExportCommand.Create());
        root.Subcommands.Add(InspectCommand.Create(settings));
        root.Subcommands.Add(DiffCommand.Create());
        root.Subcommands.Add(ArithmeticCommand.Create());
        RootHelp.AddTo(root, settings);
        return root;
    }
}
