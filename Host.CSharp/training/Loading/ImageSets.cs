using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Images with their labels, and the paths of both.</summary>
internal sealed record LabelledImages(
    IdxImages Images,
    int[] Labels,
    string Path,
    string LabelsPath
);

/// <summary>The number of classes, and its origin.</summary>
/// <param name="Count">The number of classes: labels are 0 to Count − 1.</param>
/// <param name="Reason">The reason for the number, for messages.</param>
internal sealed record ClassCount(int Count, string Reason)
{
    /// <summary>The number of the setting, otherwise the number of columns of one-hot training labels,
    /// otherwise 10.</summary>
    /// <param name="set">The value of Data:Classes; null if unset.</param>
    /// <param name="labels">The training labels, null if they cannot be read.</param>
    public static ClassCount Of(int? set, Tensor? labels) =>
        set is { } count ? new(count, "as Data:Classes says")
        : labels is not null
        && ClassLabels.OfTensor(labels).TryGet(out var column, out _)
        && column.OneHot is { IsSome: true, Value: var width }
            ? new(width, "as the training labels are")
        : new(RunConfiguration.BookClasses, "as Data:Classes is unless set");
}

/// <summary>Arrays of images and of their labels, as they were read.</summary>
/// <param name="Images">The images, of any numbers.</param>
/// <param name="Labels">The labels.</param>
/// <param name="ImagesPath">The path of the images, for messages.</param>
/// <param name="LabelsPath">The path of the labels.</param>
/// <param name="LabelsPlace">The place of single labels in messages: the path, with the array's name if the
/// file has several.</param>
internal sealed record ImageArrays(
    Tensor Images,
    Tensor Labels,
    string ImagesPath,
    string LabelsPath,
    string LabelsPlace
)
{
    /// <summary>The images as bytes, with labels of 0 to classes − 1.</summary>
    /// <param name="classes">The number of classes.</param>
    /// <param name="scale">The range of the images' numbers.</param>
    /// <param name="isTransposed">Whether rows and columns are exchanged.</param>
    /// <param name="notes">The list that gets the assumptions.</param>
    /// <exception cref="RefusedException">The arrays are not such; every fault is named.</exception>
    public LabelledImages Take(
        ClassCount classes,
        PixelScale scale,
        bool isTransposed,
        ICollection<string> notes
    )
    {
        Pixels.OfTensor(scale, Images).TryGet(out var images, out var faults);
        if (Pixels.Assumption(scale, Images).OrNull() is { } assumption)
            notes.Add($"{ImagesPath}, {assumption}");
        if (Pixels.Dimensions(Images).OrNull() is { } dimensions)
            notes.Add($"{ImagesPath}, {dimensions}");
        var reasons = faults.Select(fault => DataFile.Sentence(ImagesPath, fault)).ToList();
        var labels = LabelsOf(Labels, classes, LabelsPath, LabelsPlace, reasons, notes);
        if (images is not null && labels is not null && images.Count != labels.Length)
        {
            reasons.Add(
                DataFile.Sentence(
                    $"{LabelsPath}, labels",
                    $"one for each of the {images.Count} images",
                    $"{labels.Length}"
                )
            );
        }
        if (reasons.Count > 0)
            throw new RefusedException(reasons);
        return new(
            isTransposed ? Pixels.Transpose(images!) : images!,
            labels!,
            ImagesPath,
            LabelsPlace
        );
    }

    /// <summary>Labels of 0 to classes − 1.</summary>
    /// <param name="tensor">The labels as they were read.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="path">The path of the array.</param>
    /// <param name="place">The place of single labels in messages.</param>
    /// <param name="reasons">The list that gets the faults.</param>
    /// <param name="notes">The list that gets the assumptions.</param>
    /// <returns>Null after adding reasons.</returns>
    public static int[]? LabelsOf(
        Tensor tensor,
        ClassCount classes,
        string path,
        string place,
        List<string> reasons,
        ICollection<string> notes
    )
    {
        if (!ClassLabels.OfTensor(tensor).TryGet(out var column, out var faults))
        {
            reasons.AddRange(faults.Select(fault => DataFile.Sentence(path, fault)));
            return null;
        }
        if (column.Note.OrNull() is { } note)
            notes.Add($"{path}, {note}");
        if (column.OneHot is { IsSome: true, Value: var width } && width != classes.Count)
        {
            reasons.Add(
                DataFile.Sentence(
                    place,
                    $"one-hot labels of {classes.Count} columns, {classes.Reason}",
                    $"{width} columns"
                )
            );
            return null;
        }
        ClassLabels.Classes(classes.Count, column.Labels).TryGet(out var labels, out faults);
        reasons.AddRange(faults.Select(fault => DataFile.Sentence(place, fault)));
        return labels;
    }
}
