using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using static System.FormattableString;

namespace Pipeline.Training;

/// <summary>Rows as JSON: a list of objects (names and values) or of lists (values), or one row on each
/// line.</summary>
internal static class JsonRows
{
    /// <summary>The most decimals of a number that is written with a point again.</summary>
    private const int MostPlaces = 30;

    /// <param name="content">The whole file, in UTF-8.</param>
    /// <param name="limit">The largest size of the table's cells in bytes: rows without common names make
    /// many cells of a short text.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <exception cref="RefusedException">The text is not JSON of this form, or has too many
    /// cells.</exception>
    public static Table Parse(ReadOnlyMemory<byte> content, long limit, string path)
    {
        // A cell's text and its entries in lists need about 48 bytes.
        long count = content.Span.Count((byte)',') + content.Span.Count((byte)'\n') + 1;
        MemoryBudget.Require(path, $"up to {count} cells", 48 * count);
        try
        {
            return Read(content.Span, limit, path);
        }
        catch (JsonException broken)
        {
            var (place, found) = JsonFault.Of(broken, content.Span);
            throw Refused(path + place, found);
        }
    }

    /// <summary>Whether a text begins with a list or an object of JSON.</summary>
    public static bool IsJson(ReadOnlySpan<byte> text)
    {
        try
        {
            var reader = new Utf8JsonReader(text, new() { AllowMultipleValues = true });
            return reader.Read()
                && reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject
                && reader.TrySkip();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The cells of a column. Rows without the name have no cell.</summary>
    private sealed class NamedCells(string name)
    {
        private readonly List<int> rows = [];
        private readonly List<string> texts = [];

        /// <summary>Sets a row's cell.</summary>
        /// <returns>False if the row already has a cell of this name.</returns>
        public bool TrySet(int row, string text)
        {
            if (rows.Count > 0 && rows[^1] == row)
                return false;
            rows.Add(row);
            texts.Add(text);
            return true;
        }

        public Column ToColumn(int count)
        {
            var cells = new string[count];
            Array.Fill(cells, "");
            for (var i = 0; i < rows.Count; i++)
                cells[rows[i]] = texts[i];
            return new(name, Cells.NewTexts(cells));
        }
    }

    /// <summary>Whether rows have their cells in the same way. A row may lack names of the first one, whose cells are missing
    /// there, or have more: both at once is a name that is spelled in another way.</summary>
    private sealed class RowNames
    {
        private readonly List<string> first = [];
        private readonly List<string> others = [];
        private bool? areObjects;
        private bool isFirst;
        private int known;

        public void Begin(bool isObject, string place)
        {
            isFirst = areObjects is null;
            areObjects ??= isObject;
            if (areObjects != isObject)
            {
                throw RefusedException.Of(
                    place,
                    areObjects.Value
                        ? "an object, as the first row is"
                        : "a list, as the first row is",
                    isObject ? "an object" : "a list"
                );
            }
            known = 0;
            others.Clear();
        }

        public void Add(string name)
        {
            if (isFirst)
                first.Add(name);
            // Most rows have the names in the order of the first.
            else if (known < first.Count && others.Count == 0 && first[known] == name)
                known++;
            else
                others.Add(name);
        }

        public void End(string place)
        {
            if (isFirst || others.Count == 0)
                return;
            HashSet<string> left = [.. first.Skip(known)];
            string? added = null;
            foreach (var name in others)
            {
                if (!left.Remove(name))
                    added ??= name;
            }
            if (added is not null && left.Count > 0)
            {
                throw RefusedException.Of(
                    place,
                    $"the names of the first row ({string.Join(", ", left.Order(StringComparer.Ordinal))}; null for a missing value)",
                    added
                );
            }
        }
    }

    private static Table Read(ReadOnlySpan<byte> content, long limit, string path)
    {
        var reader = new Utf8JsonReader(
            content,
            new JsonReaderOptions { AllowMultipleValues = true }
        );
        var columns = new Dictionary<string, NamedCells>();
        var names = new RowNames();
        var rows = 0;
        // The line of each row, if every value of the file is a row.
        List<int>? lines = [];
        var (line, counted) = (1, 0);
        while (reader.Read())
        {
            var start = (int)reader.TokenStartIndex;
            line += TextFile.LineEnds(content[counted..start]);
            counted = start;
            if (reader.TokenType == JsonTokenType.StartArray && IsListOfRows(reader))
            {
                lines = null;
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    ReadRow(ref reader, columns, names, rows++, $"{path}, row {rows}");
                continue;
            }
            lines?.Add(line);
            ReadRow(
                ref reader,
                columns,
                names,
                rows++,
                lines is null ? $"{path}, row {rows}" : $"{path}, line {line}"
            );
        }
        if ((long)columns.Count * rows > limit / IntPtr.Size)
        {
            throw RefusedException.Of(
                path,
                $"cells of at most {limit} bytes (Data:MaximumBytes)",
                $"{rows} rows of {columns.Count} columns"
            );
        }
        var table = Tables
            .Create(columns.Values.Select(column => column.ToColumn(rows)))
            .OrThrow(RefusedException.At(path));
        return lines is null ? table : Tables.WithLineNumbers([.. lines], table);
    }

    /// <summary>Whether a list holds rows, not values. (The reader is a copy.)</summary>
    private static bool IsListOfRows(Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject;

    private static void ReadRow(
        ref Utf8JsonReader reader,
        Dictionary<string, NamedCells> columns,
        RowNames names,
        int row,
        string place
    )
    {
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            throw Refused(place, $"{reader.TokenType}");
        var isObject = reader.TokenType == JsonTokenType.StartObject;
        names.Begin(isObject, place);
        for (var i = 0; ; i++)
        {
            reader.Read();
            if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                names.End(place);
                return;
            }
            var name = isObject ? TextOf(ref reader, place) : $"{i}";
            if (isObject)
                reader.Read();
            var text = Cell(ref reader, place);
            names.Add(name);
            if (!columns.TryGetValue(name, out var column))
                columns.Add(name, column = new(name));
            if (!column.TrySet(row, text))
                throw RefusedException.Of(place, "each name once", $"{name} twice");
        }
    }

    private static string TextOf(ref Utf8JsonReader reader, string place)
    {
        try
        {
            return reader.GetString()!;
        }
        // An escape can stand for half of a surrogate pair, which is not a text.
        catch (InvalidOperationException)
        {
            throw RefusedException.Of(
                place,
                "text of whole characters",
                "half of a surrogate pair"
            );
        }
    }

    private static string Cell(ref Utf8JsonReader reader, string place) =>
        reader.TokenType switch
        {
            JsonTokenType.String => TextOf(ref reader, place),
            JsonTokenType.Number => NumberText(reader.ValueSpan),
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            JsonTokenType.Null => "",
            _ => throw Refused(place, "a list or object in a cell"),
        };

    /// <summary>A number that reads the same in any format of cells: 1.25 as 125E-2. A point may separate thousands in
    /// the format of the table that a model was trained on; in JSON it never does.</summary>
    private static string NumberText(ReadOnlySpan<byte> number)
    {
        var text = Encoding.UTF8.GetString(number);
        var point = text.IndexOf('.', StringComparison.Ordinal);
        if (point < 0)
            return text;
        var end = text.IndexOfAny(['e', 'E'], point);
        var fraction = end < 0 ? text[(point + 1)..] : text[(point + 1)..end];
        var exponent =
            end < 0
                ? BigInteger.Zero
                : BigInteger.Parse(
                    text.AsSpan(end + 1),
                    NumberStyles.AllowLeadingSign,
                    CultureInfo.InvariantCulture
                );
        var sign = text[0] == '-' ? "-" : "";
        var digits = (text[sign.Length..point] + fraction).TrimStart('0');
        return Invariant(
            $"{sign}{(digits.Length == 0 ? "0" : digits)}E{exponent - fraction.Length}"
        );
    }

    /// <summary>The decimal form of a text that was written for a number with a point.</summary>
    /// <param name="text">A cell of a table in JSON.</param>
    public static string Plain(string text)
    {
        var end = text.IndexOf("E-", StringComparison.Ordinal);
        var sign = text.StartsWith('-') ? "-" : "";
        if (
            end <= sign.Length
            || text.AsSpan(sign.Length, end - sign.Length).ContainsAnyExceptInRange('0', '9')
            || !int.TryParse(
                text.AsSpan(end + 2),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var places
            )
            || places is 0 or > MostPlaces
        )
            return text;
        var digits = text[sign.Length..end].PadLeft(places + 1, '0');
        return $"{sign}{digits[..^places]}.{digits[^places..]}";
    }

    private static RefusedException Refused(string place, string found) =>
        new([DataFile.Sentence(place, "rows as JSON objects, or lists of values", found)]);
}
