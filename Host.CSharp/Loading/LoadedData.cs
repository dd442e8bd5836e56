using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Training and test samples, and what goes with them.</summary>
/// <param name="Train">The samples to learn from.</param>
/// <param name="Test">The samples to test with.</param>
/// <param name="Preprocessing">How they were turned into the network's inputs.</param>
/// <param name="Classes">The classes' names; none where numbers are to be predicted.</param>
/// <param name="Leaked">Places of test samples that stand among the training samples too.</param>
/// <param name="Hashes">The SHA-256 of each file's content.</param>
/// <param name="Report">What was made of a table's columns.</param>
internal sealed record LoadedData<T>(
    Dataset<T> Train,
    Dataset<T> Test,
    Preprocessing Preprocessing,
    IReadOnlyList<string> Classes,
    int[] Leaked,
    IReadOnlyDictionary<string, string> Hashes,
    TableReport? Report = null
)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>What the samples were made of, where they are to be made again for another model.</summary>
    public ParsedData? Parsed { get; init; }

    /// <summary>What was assumed of the files, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What may be a mistake in the data, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } =
        Report is null ? [] : [.. Report.Warnings];

    /// <summary>A sentence for people, where test samples have leaked.</summary>
    public string? Leakage =>
        Leaked.Length == 0
            ? null
            : FormattableString.Invariant(
                $"Leakage: {Leaked.Length} of {Test.Count} test samples are among the training samples too, so figures on the test set are too good."
            );
}
