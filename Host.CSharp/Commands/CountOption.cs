using System.CommandLine;
using System.Globalization;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>An option for a count: a whole number with a minimum.</summary>
internal static class CountOption
{
    public static Option<int> Create(
        string name,
        string description,
        int unlessSet,
        int fewest = 1,
        int most = int.MaxValue
    ) =>
        new(name)
        {
            Description =
                most < int.MaxValue ? $"{description}, {fewest} to {most}"
                : fewest > 1 ? $"{description}, {fewest} or more"
                : description,
            DefaultValueFactory = _ => unlessSet,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (
                    int.TryParse(text, CultureInfo.InvariantCulture, out var count)
                    && count >= fewest
                    && count <= most
                )
                    return count;
                var expected = $"a whole number of {fewest} to {most}";
                result.AddError(Faults.Create(name, expected, $"'{text}'").ToString());
                return unlessSet;
            },
        };

    /// <summary>The largest useful number of steps or figures of a report.</summary>
    public const int MostSteps = 1_000_000;
    public const int MostFigures = 1000;

    /// <summary>The count on a command line; null if it is the default.</summary>
    public static int? Given(ParseResult parsed, Option<int> option) =>
        parsed.GetResult(option) is { Implicit: false } ? parsed.GetValue(option) : null;

    /// <summary>The given count, otherwise the default, or the available number if that is smaller.</summary>
    /// <exception cref="RefusedException">The given count is above the available number.</exception>
    public static int Within(string name, int? given, int usual, int most) =>
        given > most
            ? throw new RefusedException([
                Faults.Create(name, $"a whole number of 1 to {most}", $"{given}").ToString(),
            ])
            : given ?? Math.Min(usual, most);
}
