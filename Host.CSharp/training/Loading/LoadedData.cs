using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Training and test samples, and information about them.</summary>
/// <param name="Train">The samples to learn from.</param>
/// <param name="Test">The samples to test with.</param>
/// <param name="Preprocessing">The preprocessing that turned them into the network's inputs.</param>
/// <param name="Classes">The classes' names; empty if numbers are predicted.</param>
/// <param name="Leaked">Indices of test samples that occur among the training samples too.</param>
/// <param name="Hashes">The SHA-256 of each file's content.</param>
/// <param name="Report">A description of a table's columns; null if the data are not a table.</param>
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
    /// <summary>The parsed data, if the samples may be encoded again for another model.</summary>
    public ParsedData? Parsed { get; init; }

    /// <summary>Statistics of a table's columns; null if the data are not a table.</summary>
    public IReadOnlyList<WatchedFeature>? Columns { get; init; }

    /// <summary>Assumptions about the files, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Possible mistakes in the data, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } =
        Report is null ? [] : [.. Report.Warnings];

    /// <summary>A warning if test samples occur among the training samples.</summary>
    public string? Leakage =>
        Leaked.Length == 0
            ? null
            : FormattableString.Invariant(
                $"Leakage: {Leaked.Length} of {Test.Count} test samples are among the training samples too, so figures on the test set are too good."
            );
}
