using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Images with their labels.</summary>
/// <param name="classes">The number of classes.</param>
/// <param name="names">Their names; if null, the numbers from 0.</param>
/// <param name="train">The training images.</param>
/// <param name="test">The test images.</param>
/// <param name="files">Their files.</param>
internal sealed class ParsedImages(
    int classes,
    IReadOnlyList<string>? names,
    LabelledImages train,
    LabelledImages test,
    IReadOnlyList<DataFile> files
) : ParsedData
{
    public override LoadedData<T> Encode<T>(KnownData? known = null) =>
        MemoryBudget.Guard(train.Path, () => known is null ? Training<T>() : Samples<T>(known)) with
        {
            Notes = IndexNote(known) is { } note ? [.. Notes, note] : Notes,
        };

    /// <summary>A sentence if labels are numbers and the model's classes have other names, which are then taken in
    /// order.</summary>
    private string? IndexNote(KnownData? known) =>
        names is null
        && known is { Classes: { Count: > 0 } own }
        && !own.Select((name, place) => name == $"{place}").All(isNumber => isNumber)
            ? $"{test.LabelsPath}: the labels are numbers, so 0 is taken for {own[0]}{(own.Count > 1 ? $", 1 for {own[1]}" : "")} and so on, in the order of the model's classes."
            : null;

    /// <summary>The samples for training a new network.</summary>
    private LoadedData<T> Training<T>()
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var data = Samples<T>(null);
        ClassCheck
            .RequireSeveral([.. data.Classes], train.Labels)
            .OrThrow(RefusedException.At(train.LabelsPath));
        return data with
        {
            Warnings =
            [
                .. Warnings,
                .. ClassCheck.Untrained([.. data.Classes], data.Train, data.Test),
            ],
        };
    }

    private LoadedData<T> Samples<T>(KnownData? known)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        names is null || known is null or { Classes.Count: 0 }
            ? DataFiles.OfImages<T>(classes, names, train, test, files)
            : DataFiles.OfImages<T>(
                known.Classes.Count,
                known.Classes,
                Renamed(train, known),
                Renamed(test, known),
                files
            );

    /// <summary>The images with labels that are indices of a model's classes.</summary>
    private LabelledImages Renamed(LabelledImages images, KnownData known)
    {
        string[] own = [.. known.Classes];
        int[] places = [.. names!.Select(name => Array.IndexOf(own, name))];
        var labels = images.Labels.Select(label => places[label]).ToArray();
        return Array.IndexOf(labels, -1) is var wrong and >= 0
            ? throw RefusedException.Of(
                $"{images.Path}, label {wrong}",
                $"one of {string.Join(", ", known.Classes.Take(20))}",
                $"'{names![images.Labels[wrong]]}'"
            )
            : images with
            {
                Labels = labels,
            };
    }
}
