using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>What a model expects of its samples.</summary>
/// <param name="Preprocessing">How a sample is turned into the network's inputs.</param>
/// <param name="Classes">The classes' names; empty if the model does not contain them.</param>
/// <param name="Head">The network's head.</param>
/// <param name="Inputs">The number of inputs of the network.</param>
internal sealed record KnownData(
    Preprocessing Preprocessing,
    IReadOnlyList<string> Classes,
    Head Head,
    int Inputs
);

/// <summary>Rows or images that have been read from files, but not yet encoded as samples.</summary>
internal abstract class ParsedData
{
    /// <summary>Encodes the samples for a network.</summary>
    /// <param name="known">What an existing model expects; if null, it follows from the training
    /// samples.</param>
    /// <exception cref="RefusedException">They cannot be encoded as samples, or not as those of the
    /// model.</exception>
    public abstract LoadedData<T> Encode<T>(KnownData? known = null)
        where T : struct, IBinaryFloatingPointIeee754<T>;

    /// <summary>Assumptions about the files, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Possible mistakes in the files, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
