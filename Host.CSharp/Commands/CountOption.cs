using System.CommandLine;
using System.Globalization;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>An option that takes a count: a whole number, 1 or more.</summary>
internal static class CountOption
{
    public static Option<int> Create(string name, string description, int unlessSet) =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => unlessSet,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (int.TryParse(text, CultureInfo.InvariantCulture, out var count) && count >= 1)
                    return count;
                var expected = $"a whole number of 1 to {int.MaxValue}";
                result.AddError(Faults.Create(name, expected, $"'{text}'").ToString());
                return unlessSet;
            },
        };
}
