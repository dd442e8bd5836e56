using System.Text;
using Pipeline.Training;

namespace Pipeline.Fuzz;

/// <summary>Something that should hold for every input and does not.</summary>
internal sealed class FoundException(string message) : Exception(message);

/// <summary>A parser, and what must hold for every input.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Seeds">A few sound inputs.</param>
/// <param name="Check">Reads an input. It throws <see cref="RefusedException"/> for one that is refused, and any other
/// exception where something does not hold.</param>
/// <param name="Words">Words of the format.</param>
internal sealed record Target(
    string Name,
    Func<IEnumerable<byte[]>> Seeds,
    Action<byte[]> Check,
    params string[] Words
)
{
    public static IReadOnlyList<Target> All { get; } =
    [
        .. TableTargets.All,
        .. ArrayTargets.All,
        .. ModelTargets.All,
        .. SettingsTargets.All,
        .. ServingTargets.All,
    ];

    /// <summary>Texts as inputs, in UTF-8.</summary>
    public static IEnumerable<byte[]> Texts(params string[] texts) =>
        texts.Select(Encoding.UTF8.GetBytes);

    public static Target Find(string name) =>
        All.FirstOrDefault(target => target.Name == name)
        ?? throw new ArgumentException(
            $"expected one of {string.Join(", ", All.Select(target => target.Name))}, found {name}"
        );

    /// <summary>Tries an input.</summary>
    /// <returns>What became of it, in words.</returns>
    /// <exception cref="Exception">Something does not hold.</exception>
    public string Try(byte[] input)
    {
        try
        {
            Check(input);
            return "taken";
        }
        catch (RefusedException refused)
        {
            Oracle.Require(refused.Reasons.Count > 0, "a refusal without a reason");
            foreach (var reason in refused.Reasons)
                Oracle.Require(reason.EndsWith('.'), $"no sentence: {reason}");
            return $"refused: {string.Join(' ', refused.Reasons)}";
        }
    }
}
