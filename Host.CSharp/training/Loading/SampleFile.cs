using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Samples to predict, with their names.</summary>
internal sealed record NamedSamples<T>(IReadOnlyList<string> Names, Dataset<T> Data)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The rows of a table before they were encoded; null for images.</summary>
    public Table? Rows { get; init; }

    /// <summary>Columns of the rows that their predictions keep.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<string> Texts)> Kept { get; init; } = [];

    /// <summary>Assumptions about the file and possible errors in it, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>Reads samples without labels for a model.</summary>
internal static class SampleFile
{
    /// <summary>The samples of a file.</summary>
    /// <param name="file">Images (PNG or IDX), or a table of any format.</param>
    /// <param name="model">The model.</param>
    /// <param name="isDarkInk">For PNG: whether images have dark ink on light paper.</param>
    /// <param name="settings">How tables are laid out.</param>
    /// <param name="cells">How cells are written, if not as in training.</param>
    /// <param name="kept">Columns of a table, such as an identifier, that the predictions keep.</param>
    /// <exception cref="RefusedException">The file is bad, or does not fit the model.</exception>
    public static NamedSamples<T> Parse<T>(
        DataFile file,
        Model<T> model,
        bool isDarkInk,
        DataSettings settings,
        CellRules? cells = null,
        IReadOnlyList<string>? kept = null
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var bytes = file.Content.Span;
        if (kept is { Count: > 0 } && TableKind.Of(file) is null)
        {
            throw RefusedException.Of(
                file.Path,
                $"rows of a table, as they have columns to keep ({string.Join(", ", kept)})",
                "images"
            );
        }
        if (PngReader.IsPng(bytes))
        {
            var channels = ChannelsOf(model.Preprocessing, file.Path);
            // Before the pixels are decompressed, which may take gigabytes.
            if (PngReader.SizeOf(bytes, channels) is { } size)
                CheckSize(size, model, file.Path);
            var image = PngReader.Parse(
                file.Content,
                channels,
                isDarkInk,
                settings.MaximumBytes,
                file.Path
            );
            return OfImages(file, model, new(1, image.Size, image.Numbers)) with
            {
                Notes = image.Size.Channels == 1 ? InkCheck.Notes(image, isDarkInk, file.Path) : [],
            };
        }
        if (bytes is [0, 0, >= 8 and <= 14, 3 or 4, ..])
        {
            List<string> notes = [];
            return OfImages(file, model, IdxFolder.Images(file, notes)) with { Notes = notes };
        }
        if (model.Preprocessing.IsPixels && TableKind.Of(file) is null)
        {
            throw RefusedException.Of(
                file.Path,
                $"images ({FileKinds.Images}), as the model takes them",
                BinaryFormat.Of(bytes) ?? "bytes of another kind"
            );
        }
        var names = ColumnsOf(model.Preprocessing);
        var given = TableFile.Parse(file, settings, names);
        Column[] columns =
        [
            .. (kept ?? []).Select(key =>
                Tables.Find(key, given).OrThrow(RefusedException.At(file.Path))
            ),
        ];
        // A model of plain numbers takes every column.
        var inputs =
            names.Count > 0 || columns.Length == 0
                ? given
                : Tables
                    .Without(columns.Select(column => column.Name), given)
                    .OrThrow(RefusedException.At(file.Path));
        TableFile.RequireOrder(names, inputs, file);
        var table = TableFile.WithColumns(names, inputs, file);
        var network = model.Network;
        var encoding = Tables
            .EncodingOf(model.Preprocessing, cells, network.Architecture.Inputs, table)
            .OrThrow(RefusedException.At(file.Path));
        var name = $"{file.Name} row";
        var data = Tables
            .Samples<T>(encoding, network.Architecture.Outputs, table)
            .OrThrow(RefusedException.At(file.Path));
        PixelRows.Require(model.Preprocessing, data, file.Path);
        return new([.. Enumerable.Range(1, table.Rows).Select(row => $"{name} {row}")], data)
        {
            Rows = table,
            Kept = [.. columns.Select(column => (column.Name, TextsOf(column, file)))],
            Notes = TableFile.UnusedNote(names, table, null, file) is { } note ? [note] : [],
        };
    }

    /// <summary>The cells of a column as the file has them.</summary>
    private static IReadOnlyList<string> TextsOf(Column column, DataFile file)
    {
        var texts = Tables.TextsOf(column);
        return TableKind.Of(file) == TableKind.Json ? [.. texts.Select(JsonRows.Plain)] : texts;
    }

    /// <summary>The names of the columns that a model takes; empty for a model that takes plain
    /// numbers.</summary>
    public static IReadOnlyList<string> ColumnsOf(Preprocessing preprocessing) =>
        preprocessing is Preprocessing.Table { Item: var encoding }
            ?
            [
                .. encoding.Numbers.Select(column => column.Name),
                .. encoding.Categories.Select(column => column.Name),
            ]
            : [];

    /// <summary>The channels that a PNG is read with: those of a model of images, otherwise one.</summary>
    /// <exception cref="RefusedException">The model has another number of channels than a PNG can have.</exception>
    private static int ChannelsOf(Preprocessing preprocessing, string path) =>
        preprocessing is not Preprocessing.Pixels { size: var size } ? 1
        : PngReader.CanHave(size.Channels) ? size.Channels
        : throw RefusedException.Of(
            path,
            $"images of {size} as IDX, as the model takes them",
            "a PNG, which is read as one channel of grey or three of colour"
        );

    private static NamedSamples<T> OfImages<T>(DataFile file, Model<T> model, IdxImages images)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        CheckSize(images.Size, model, file.Path);
        return new(
            images.Count == 1
                ? [file.Name]
                : [.. Enumerable.Range(0, images.Count).Select(i => $"{file.Name} {i}")],
            Dataset
                .OfIdx<T>(model.Network.Architecture.Outputs, images, new int[images.Count])
                .OrThrow(RefusedException.At(file.Path))
        );
    }

    /// <exception cref="RefusedException">The model does not take images of that size.</exception>
    private static void CheckSize<T>(ImageSize size, Model<T> model, string path)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var inputs = model.Network.Architecture.Inputs;
        var (fits, expected) = model.Preprocessing switch
        {
            Preprocessing.Pixels pixels => (pixels.size.Equals(size), $"images of {pixels.size}"),
            Preprocessing.Table => (false, "rows of a table"),
            _ => (inputs == size.Count, $"{inputs} numbers"),
        };
        if (!fits)
        {
            throw RefusedException.Of(
                path,
                $"{expected}, as the model takes them",
                $"images of {size}"
            );
        }
    }
}
