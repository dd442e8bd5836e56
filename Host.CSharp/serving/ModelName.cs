using System.Text.RegularExpressions;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>The names of served models, which are parts of URLs.</summary>
internal static partial class ModelName
{
    /// <exception cref="RefusedException">The name is not one for a URL.</exception>
    public static void Require(string name)
    {
        if (!Allowed().IsMatch(name))
        {
            throw RefusedException.Of(
                "the model's name",
                "1 to 200 letters of A to Z, digits, points, hyphens and underscores, not beginning with a point",
                $"'{name}'"
            );
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}\z")]
    private static partial Regex Allowed();
}
