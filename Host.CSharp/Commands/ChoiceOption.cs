using System.CommandLine;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>An option that takes one of some names, in any case of letters.</summary>
internal static class ChoiceOption
{
    /// <param name="name">The option's name.</param>
    /// <param name="description">Its purpose.</param>
    /// <param name="choices">The names.</param>
    /// <param name="unlessSet">The default, or null without one.</param>
    public static Option<string?> Create(
        string name,
        string description,
        string[] choices,
        string? unlessSet
    )
    {
        var option = new Option<string?>(name)
        {
            Description = $"{description}: {string.Join(", ", choices)}",
            HelpName = "name",
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                var chosen = Find(choices, text);
                if (chosen is null)
                    result.AddError(Sentence(name, choices, text));
                return chosen;
            },
        };
        if (unlessSet is not null)
            option.DefaultValueFactory = _ => unlessSet;
        return option;
    }

    /// <summary>The choice of that name.</summary>
    /// <returns>Null if there is no such choice.</returns>
    public static string? Find(string[] choices, string text) =>
        Array.Find(choices, choice => choice.Equals(text, StringComparison.OrdinalIgnoreCase));

    public static string Sentence(string name, string[] choices, string text) =>
        Faults.Create(name, $"one of {string.Join(", ", choices)}", $"'{text}'").ToString();
}
