using System.CommandLine;
using Pipeline.Training;

StandardStreams.Guard();
var settings = new SettingOptions();
var root = CommandTree.Create(settings);

try
{
    var parsed = root.Parse(
        SettingOptions.SplitEquals(args),
        new ParserConfiguration { ResponseFileTokenReplacer = null }
    );
    if (parsed.Errors.Count > 0)
        throw new RefusedException([
            .. settings.Faults(parsed).Distinct(),
            .. ServiceRegistration.FaultsOf(settings.Read(parsed)),
        ]);
    return await parsed.InvokeAsync(
        new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }
    );
}
catch (RefusedException refused)
{
    foreach (var reason in refused.Reasons)
        Console.Error.WriteLine(VisibleText.Of(reason));
    return (int)Outcome.Refused;
}
catch (UnsavedException unsaved)
{
    Console.Error.WriteLine(VisibleText.Of(unsaved.Message));
    return (int)Outcome.Failed;
}
catch (Exception unexpected)
{
    Console.Error.WriteLine($"Unexpected fault: {unexpected}");
    return (int)Outcome.Failed;
}
