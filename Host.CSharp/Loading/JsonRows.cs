using System.Text.Json;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Rows as JSON: a list of objects (names and values) or of lists (values), or one of them a
/// line.</summary>
internal static class JsonRows
{
    /// <param name="content">The whole file.</param>
    /// <param name="limit">The most bytes of the table's cells: rows that share no name make many of
    /// little text.</param>
    /// <param name="path">Where it is from.</param>
    /// <exception cref="RefusedException">It is no such JSON, or makes too many cells.</exception>
    public static Table Parse(ReadOnlyMemory<byte> content, long limit, string path)
    {
        try
        {
            return Read(content, limit, path);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw Refused(path, broken.Message.TrimEnd('.'));
        }
    }

    private static Table Read(ReadOnlyMemory<byte> content, long limit, string path)
    {
        var options = new JsonReaderOptions { AllowMultipleValues = true };
        var reader = new Utf8JsonReader(content.Span, options);
        var rows = new List<Dictionary<string, string>>();
        // The line of each row, where every value of the file is a row.
        List<int>? lines = [];
        var (line, counted) = (1, 0);
        while (reader.Read())
        {
            var start = (int)reader.TokenStartIndex;
            line += content.Span[counted..start].Count((byte)'\n');
            counted = start;
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            // A list of rows, or a row.
            var isRows =
                root.ValueKind == JsonValueKind.Array
                && root.GetArrayLength() > 0
                && root[0].ValueKind is JsonValueKind.Array or JsonValueKind.Object;
            JsonElement[] found = isRows ? [.. root.EnumerateArray()] : [root];
            if (isRows)
                lines = null;
            foreach (var row in found)
            {
                rows.Add(Row(row, lines is null ? $"row {rows.Count + 1}" : $"line {line}", path));
            }
            lines?.Add(line);
        }
        string[] names = [.. rows.SelectMany(row => row.Keys).Distinct()];
        if ((long)names.Length * rows.Count > limit / IntPtr.Size)
        {
            throw new RefusedException([
                DataFile.Sentence(
                    path,
                    $"cells of at most {limit} bytes (Data:MaximumBytes)",
                    $"{rows.Count} rows of {names.Length} columns"
                ),
            ]);
        }
        var table = DataFile.Require(
            TableModule.Create(
                names.Select(name => new Column(
                    name,
                    Cells.NewTexts([.. rows.Select(row => row.GetValueOrDefault(name, ""))])
                ))
            ),
            path
        );
        return lines is null ? table : TableModule.AtLines([.. lines], table);
    }

    private static Dictionary<string, string> Row(JsonElement row, string place, string path) =>
        row.ValueKind switch
        {
            JsonValueKind.Object => row.EnumerateObject()
                .GroupBy(property => property.Name)
                .ToDictionary(same => same.Key, same => Cell(same.Last().Value, place, path)),
            JsonValueKind.Array => row.EnumerateArray()
                .Select((value, place) => (Name: $"{place}", Value: value))
                .ToDictionary(cell => cell.Name, cell => Cell(cell.Value, place, path)),
            _ => throw Refused($"{path}, {place}", $"{row.ValueKind}"),
        };

    private static string Cell(JsonElement value, string place, string path) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.True => "1",
            JsonValueKind.False => "0",
            JsonValueKind.Null => "",
            _ => throw Refused($"{path}, {place}", $"{value.ValueKind} in a cell"),
        };

    private static RefusedException Refused(string place, string found) =>
        new([DataFile.Sentence(place, "rows as JSON objects, or lists of values", found)]);
}
