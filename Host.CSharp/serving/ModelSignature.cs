using Pipeline.Learning;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>What a model takes and gives.</summary>
/// <param name="Inputs">The numbers that enter the network.</param>
/// <param name="Outputs">The classes, or the numbers that are predicted.</param>
/// <param name="ImageSize">The size of the images that the model takes; null if it takes no images.</param>
/// <param name="Columns">The columns of the rows that the model takes; empty if it takes no rows of a table.</param>
/// <param name="Classes">The classes' names; empty if numbers are predicted.</param>
/// <param name="IsDouble">Whether the model computes in double precision.</param>
public sealed record ModelSignature(
    int Inputs,
    int Outputs,
    ImageSize? ImageSize,
    IReadOnlyList<TableModelColumn> Columns,
    IReadOnlyList<string> Classes,
    bool IsDouble
)
{
    /// <summary>Whether a model with another signature can take this one's place: it takes and gives the
    /// same.</summary>
    internal bool IsReplacedBy(ModelSignature other) =>
        Inputs == other.Inputs
        && Outputs == other.Outputs
        && ImageSize.Equals(other.ImageSize)
        && Columns
            .Select(column => column.Name)
            .SequenceEqual(other.Columns.Select(column => column.Name))
        && Columns
            .Select(column => column.IsNumeric)
            .SequenceEqual(other.Columns.Select(column => column.IsNumeric))
        && Classes.SequenceEqual(other.Classes);

    /// <summary>In words, for messages.</summary>
    public override string ToString() =>
        (
            ImageSize is { } size ? $"images of {size}"
            : Columns.Count > 0
                ? $"rows with {string.Join(", ", Columns.Select(column => column.Name))}"
            : $"{Inputs} numbers"
        )
        + " to "
        + (Classes.Count > 0 ? $"classes {string.Join(", ", Classes)}" : $"{Outputs} numbers");
}
