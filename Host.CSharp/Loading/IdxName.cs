using System.Text.RegularExpressions;

namespace Pipeline.Training;

/// <summary>What the name of an IDX file says, as MNIST and the sets made after it have them:
/// <c>train-images-idx3-ubyte.gz</c>, <c>t10k-labels.idx1-ubyte</c>,
/// <c>emnist-letters-test-images-idx3-ubyte</c>, <c>qmnist-train-labels-idx2-int</c>.</summary>
/// <param name="Path">The file.</param>
/// <param name="Set">What stands before the half: nothing of MNIST, <c>emnist-letters-</c>.</param>
/// <param name="IsTrain">Whether it is for training; else for the test.</param>
/// <param name="IsImages">Whether it holds images; else labels.</param>
internal sealed partial record IdxName(string Path, string Set, bool IsTrain, bool IsImages)
{
    private const string Emnist = "emnist";

    /// <summary>The name without .gz, in small letters.</summary>
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
