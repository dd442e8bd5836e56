using System.CommandLine;
using Microsoft.Extensions.Options;
using Pipeline.Training;

var root = new RootCommand("Trains, checks and hosts small neural networks.");
TrainCommand.Configure(root);
root.Subcommands.Add(TrainCommand.Create());
root.Subcommands.Add(CheckCommand.Create());
root.Subcommands.Add(ArithmeticCommand.Create());

var parsed = root.Parse(SettingOptions.SplitEquals(args));
if (parsed.Errors.Count > 0)
    return Refuse(parsed.Errors.Select(error => error.Message));
try
{
    return await parsed.InvokeAsync(
        new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }
    );
}
catch (OptionsValidationException invalid)
{
    return Refuse(invalid.Failures);
}
catch (RefusedException refused)
{
    return Refuse(refused.Reasons);
}
catch (Exception unexpected)
{
    Console.Error.WriteLine($"Unexpected fault: {unexpected}");
    return (int)Outcome.Failed;
}

static int Refuse(IEnumerable<string> reasons)
{
    foreach (var reason in reasons)
        Console.Error.WriteLine(reason);
    return (int)Outcome.Refused;
}
