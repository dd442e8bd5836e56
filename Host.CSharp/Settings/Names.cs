using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Choices of the host by their names, in any case of letters.</summary>
internal static class Names
{
    public static bool TryParse<TChoice>(string text, out TChoice choice)
        where TChoice : struct, Enum
    {
        choice = default;
        // A number would do for the library, and mean nothing to a person.
        return text.All(char.IsLetter) && Enum.TryParse(text, ignoreCase: true, out choice);
    }

    public static Fault Fault<TChoice>(string subject, string found)
        where TChoice : struct, Enum =>
        Faults.Create(
            subject,
            $"one of {string.Join(", ", Enum.GetNames<TChoice>())}",
            $"'{found}'"
        );
}
