using System.Text.RegularExpressions;

namespace Pipeline.Training;

/// <summary>The parts of the name of an IDX file of MNIST and similar sets:
/// <c>train-images-idx3-ubyte.gz</c>, <c>t10k-labels.idx1-ubyte</c>,
/// <c>emnist-letters-test-images-idx3-ubyte</c>, <c>qmnist-train-labels-idx2-int</c>.</summary>
/// <param name="Path">The file.</param>
/// <param name="Set">The text before the half: empty for MNIST, <c>emnist-letters-</c> for example.</param>
/// <param name="IsTrain">Whether it is for training; else for the test.</param>
/// <param name="IsImages">Whether it holds images; else labels.</param>
internal sealed partial record IdxName(string Path, string Set, bool IsTrain, bool IsImages)
{
    private const string Emnist = "emnist";

    /// <summary>The name without .gz, in lower case.</summary>
    public string Name { get; } = DataFile.NameOf(Path).ToLowerInvariant();

    /// <summary>Whether its images are transposed: EMNIST's are.</summary>
    public static bool IsTransposed(string path) =>
        DataFile.NameOf(path).StartsWith(Emnist, StringComparison.OrdinalIgnoreCase);

    /// <returns>Null if the name is not one of these.</returns>
    public static IdxName? Of(string path)
    {
        var found = Pattern().Match(DataFile.NameOf(path));
        return found.Success
            ? new(
                path,
                found.Groups["set"].Value.ToLowerInvariant(),
                found.Groups["half"].Value.Equals("train", StringComparison.OrdinalIgnoreCase),
                found.Groups["kind"].Value.Equals("images", StringComparison.OrdinalIgnoreCase)
            )
            : null;
    }

    [GeneratedRegex(
        @"^(?<set>|.*[-._])(?<half>train|test|t10k)[-._](?<kind>images|labels)[-._]idx[0-9][-._][a-z0-9]+$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex Pattern();
}
