using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>What a network was trained on, as its model tells.</summary>
/// <param name="Preprocessing">How a sample is turned into the network's inputs.</param>
/// <param name="Classes">The classes' names; none where it does not tell.</param>
/// <param name="Head">The network's head.</param>
/// <param name="Inputs">How many numbers the network takes.</param>
internal sealed record KnownData(
    Preprocessing Preprocessing,
    IReadOnlyList<string> Classes,
    Head Head,
    int Inputs
);

/// <summary>Rows or images that have been read from files, before they are samples.</summary>
internal abstract class ParsedData
{
    /// <summary>The samples, as a network takes them.</summary>
    /// <param name="known">What a model that is there already takes; else it follows from the training
    /// samples.</param>
    /// <exception cref="RefusedException">They make no samples, or none of this kind.</exception>
    public abstract LoadedData<T> Encode<T>(KnownData? known = null)
        where T : struct, IBinaryFloatingPointIeee754<T>;

    /// <summary>What was assumed of the files, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What may be a mistake in them, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
