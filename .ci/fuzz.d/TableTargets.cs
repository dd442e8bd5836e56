using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Fuzz;

/// <summary>Tables, and what their files are made of.</summary>
internal static class TableTargets
{
    private const long Limit = 1 << 20;

    private static readonly DataSettings Layout = new() { MaximumBytes = Limit };

    private static readonly string?[] Encodings =
    [
        null,
        "utf-16",
        "utf-16BE",
        "utf-32",
        "windows-1252",
        "shift_jis",
        "gb18030",
        "iso-2022-jp",
        "us-ascii",
        "utf-7",
        "euc-kr",
    ];

    public static IEnumerable<Target> All { get; } =
    [
        new(
            "csv",
            () =>
                Target.Texts(
                    "a,b,c\n1,x,\n2.5,\"y, \"\"z\"\"\",-0.1\n",
                    "a;b\r\n1,5;x\r\n2;y\r\n",
                    "sep=|\n1|2\n3|4\n",
                    "1 2\n3 4\n",
                    // Numbers at the ends of the forms that columns are kept in.
                    "n,m,k,l\n-32767,254,134217726,1.5\n,0,-134217727,-2.5\n",
                    "\n \nname,id\n\"two\nlines\",1\n\n,2"
                ),
            input => Csv(input, ".csv"),
            ",",
            "\"",
            "\"\"",
            ";",
            "|",
            "sep=",
            "\r\n",
            "\n\n",
            "1e5",
            "-0.5",
            "0.1234567890123",
            "255",
            "256",
            "-32768",
            "32767",
            "134217727",
            "-134217729",
            "999999999999999",
            "\uFEFF",
            "é"
        ),
        new(
            "tsv",
            () => Target.Texts("a\tb\n1\tx\n2\t\"y\tz\"\n", "1\t2\r3\t4\r"),
            input => Csv(input, ".tsv"),
            "\t",
            "\"",
            "\r\n",
            "1e5",
            "-0.5"
        ),
        new(
            "json",
            () =>
                Target.Texts(
                    """[{"a": 1, "b": "x"}, {"a": null, "c": true}]""",
                    "[1, 2.5e3]\n[\"a\\u00e9\", false]\n",
                    "{\"a\": 1}\n{\"a\": -2}\n",
                    "[[1,2],[3,4]]"
                ),
            Json,
            "[",
            "]",
            "{",
            "}",
            ":",
            ",",
            "\"\"",
            "null",
            "true",
            "false",
            "1e999",
            "\\u0000",
            "\\ud800",
            "\\ud83d\\ude00",
            "\n"
        ),
        new(
            "parquet",
            () =>
                [
                    .. new[] { 1, 2 }.Select(version =>
                        File.ReadAllBytes(Fixtures.Path($"arrow-pages-{version}.parquet"))
                    ),
                    .. ParquetSeeds.All(),
                ],
            Parquet,
            "PAR1"
        ),
        new(
            "gzip",
            () =>
                [
                    Zipped("hello, hello, hello"),
                    [.. Zipped("one"), .. Zipped("")],
                    [.. Zipped("one"), .. Zipped("two")],
                ],
            Gunzip
        ),
        new(
            "text",
            () =>
                [
                    [0, .. "plain"u8],
                    [1, .. Encoding.Unicode.GetBytes("as,é\n1,2")],
                    [3, .. Encoding.UTF32.GetBytes("aé")],
                    [5, 0x83, 0x65, 0x83, 0x58, (byte)'\n'],
                    [7, 0x1b, (byte)'$', (byte)'B', 0x25, 0x46, 0x1b, (byte)'(', (byte)'B'],
                ],
            Text,
            "\uFEFF",
            "\u001A"
        ),
        new(
            "decimal",
            () => Target.Texts("1", "-12.50", "0.1", "1,234.5", "1e-5", "−3", "12345678.9", "NA"),
            Decimal,
            "e",
            "E+",
            ".",
            ",",
            "'",
            "’",
            " ",
            "\u00A0",
            "\u202F",
            "−",
            "NaN",
            "Infinity",
            "999999999999999",
            "0000000",
            "\0"
        ),
    ];

    /// <summary>A table of separated values: its numbers are those of its texts, and written with every cell in quotes
    /// it is the same.</summary>
    private static void Csv(byte[] input, string kind)
    {
        Table? last = null;
        RefusedException? refused = null;
        foreach (var header in (bool?[])[null, true, false])
        {
            try
            {
                last = Oracle.Bounded(
                    input.Length,
                    () =>
                        TableFile.Parse(
                            DataFile.Of("x" + kind, input),
                            Layout with
                            {
                                Header = header,
                            }
                        )
                );
                Numbers(last);
                Rewritten(last, kind);
            }
            catch (RefusedException found)
            {
                refused = found;
            }
        }
        var settings = Layout with { Header = true, Separator = NameOf(kind) };
        if (
            Oracle.OrNull(() => TableFile.Parse(DataFile.Of("x" + kind, input), settings)) is
            { } table
        )
            Plain(table, input, kind);
        if (last is null)
            throw refused!;
    }

    private static string NameOf(string kind) => kind == ".csv" ? "comma" : "tab";

    /// <summary>The numbers that a reader gives for texts are those of the texts.</summary>
    private static void Numbers(Table table)
    {
        foreach (var column in table.Columns)
        {
            if (column.Cells is not Cells.Texts { Item: IDecimalTexts texts })
                continue;
            foreach (var first in (int[])[0, table.Rows / 2])
            {
                var numbers = new double[table.Rows - first];
                texts.CopyNumbers(first, numbers);
                for (var i = 0; i < numbers.Length; i++)
                {
                    var text = texts[first + i];
                    Oracle.Require(
                        double.IsNaN(numbers[i])
                            || double.Parse(text, CultureInfo.InvariantCulture) == numbers[i],
                        $"the number of '{text}' is {numbers[i]}"
                    );
                }
                Oracle.Require(
                    !texts.AreAll(first)
                        || !numbers
                            .Where((number, i) => double.IsNaN(number) && texts[first + i] != "")
                            .Any(),
                    "a column of numbers has a cell that is not a number"
                );
            }
        }
    }

    /// <summary>The cells of a text without quotes are what is between the separators, whatever form they are kept
    /// in.</summary>
    private static void Plain(Table table, byte[] input, string kind)
    {
        var text = Encoding.UTF8.GetString(input);
        if (
            text.Contains('"')
            || text.Contains("sep=", StringComparison.OrdinalIgnoreCase)
            || table.Columns.Length < 2
        )
            return;
        var rows = text.Replace("\r\n", "\n")
            .Replace('\r', '\n')
            .Split('\n')
            .Select(line => line.Split(kind == ".csv" ? ',' : '\t'))
            .Where(cells => cells.Length == table.Columns.Length)
            .ToArray();
        // Columns or lines that are left out are not looked at.
        if (rows.Length != table.Rows + 1)
            return;
        var own = table.Columns.Select(column => Tables.TextsOf(column)).ToArray();
        foreach (var (row, cells) in rows[^table.Rows..].Index())
        {
            for (var column = 0; column < cells.Length; column++)
                Oracle.Require(
                    own[column][row].Trim() == cells[column].Trim(),
                    $"row {row}, column {column}: '{own[column][row]}' is '{cells[column]}'"
                );
        }
    }

    private static void Rewritten(Table table, string kind)
    {
        // A first line that names the separator is no row, in quotes too.
        if (table.Columns.Head.Name.StartsWith("sep=", StringComparison.OrdinalIgnoreCase))
            return;
        var separator = kind == ".csv" ? ',' : '\t';
        string Row(IEnumerable<string> cells) =>
            string.Join(separator, cells.Select(cell => $"\"{cell.Replace("\"", "\"\"")}\""))
            + "\n";

        var texts = table.Columns.Select(column => Tables.TextsOf(column)).ToArray();
        var written = new StringBuilder(Row(table.Columns.Select(column => column.Name)));
        for (var row = 0; row < table.Rows; row++)
            written.Append(Row(texts.Select(column => column[row])));
        var settings = Layout with { Header = true, Separator = NameOf(kind) };
        var again = Oracle.Again(
            $"the table\n{written}",
            () =>
                TableFile.Parse(
                    DataFile.Of("x" + kind, Encoding.UTF8.GetBytes(written.ToString())),
                    settings
                )
        );
        Oracle.Same(table, again, "a written table");
    }

    /// <summary>Rows of JSON: written as objects of texts they are the same table.</summary>
    private static void Json(byte[] input)
    {
        Table Read(byte[] bytes) => TableFile.Parse(DataFile.Of("x.json", bytes), Layout);

        var table = Oracle.Bounded(input.Length, () => Read(input), Limit);
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartArray();
            var texts = table.Columns.Select(column => Tables.TextsOf(column)).ToArray();
            for (var row = 0; row < table.Rows; row++)
            {
                json.WriteStartObject();
                foreach (var (column, cells) in table.Columns.Zip(texts))
                    json.WriteString(column.Name, cells[row]);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        var again = Oracle.Again("a written table", () => Read(bytes.ToArray()));
        Oracle.Same(table, again, "a written table");
    }

    /// <summary>Parquet: a smaller limit gives the same table or none.</summary>
    private static void Parquet(byte[] input)
    {
        var table = Oracle.Bounded(
            input.Length,
            () => ParquetFile.Parse(input, Limit, "x.parquet"),
            8 * Limit
        );
        if (Oracle.OrNull(() => ParquetFile.Parse(input, Limit / 64, "x.parquet")) is { } smaller)
            Oracle.Same(table, smaller, "a smaller limit");
        if (table.Columns.Any(column => column.Cells.IsUnreadable))
            return;
        foreach (var column in table.Columns)
            Oracle.Require(Tables.TextsOf(column).Count == table.Rows, "columns of other lengths");
    }

    private static byte[] Zipped(string text)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Optimal))
            zip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }

    /// <summary>A gzip stream: .NET's own reader gives the same content, and its content zipped gives it again.</summary>
    private static void Gunzip(byte[] input)
    {
        var content = Oracle
            .Bounded(
                input.Length,
                () => new Unpacked(Gzip.Unpack(input, "x.gz", Limit, null)),
                4 * Limit
            )
            .Content;
        using var plain = new MemoryStream();
        using (var zip = new GZipStream(new MemoryStream(input), CompressionMode.Decompress))
            zip.CopyTo(plain);
        Oracle.Require(
            content.Span.SequenceEqual(plain.GetBuffer().AsSpan(0, (int)plain.Length)),
            ".NET's reader gives something else"
        );
        Oracle.Require(
            Oracle.OrNull(() =>
                new Unpacked(Gzip.Unpack(input.AsMemory(..^1), "x.gz", Limit, null))
            )
                is null,
            "a stream that is cut short is taken"
        );
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Fastest))
            zip.Write(content.Span);
        Oracle.Require(
            content.Span.SequenceEqual(Gzip.Unpack(bytes.ToArray(), "x.gz", Limit, null).Span),
            "the content is another one when it is zipped again"
        );
    }

    private sealed record Unpacked(ReadOnlyMemory<byte> Content);

    /// <summary>A text in some encoding: in one piece it is the same, and read again as UTF-8 too.</summary>
    private static void Text(byte[] input)
    {
        if (input.Length == 0)
            return;
        var name = Encodings[input[0] % Encodings.Length];
        var content = input.AsMemory(1);
        var text = Oracle
            .Bounded(
                input.Length,
                () => new Unpacked(TextFile.ToUtf8(content, name, "x.csv")),
                2 * Limit
            )
            .Content;
        var again = TextFile.ToUtf8(text, null, "x.csv");
        // A second byte order mark is content once the first is gone.
        if (!text.Span.StartsWith(Encoding.UTF8.Preamble) && text.Span is not [.., 0x1A])
            Oracle.Require(text.Span.SequenceEqual(again.Span), "a text in UTF-8 is another one");
        _ = Encoding.UTF8.GetString(text.Span);
    }

    /// <summary>A cell: every reader of numbers gives the same one.</summary>
    private static void Decimal(byte[] input)
    {
        if (input.Length is 0 or > 64)
            return;
        var text = Encoding.UTF8.GetString(input);
        var isNumber = double.TryParse(
            input,
            NumberStyles.Float,
            CultureInfo.InvariantCulture,
            out var number
        );
        var length = DecimalCell.Read(input, out var cell);
        Oracle.Require(length <= input.Length, "a decimal that is longer than its text");
        if (length > 0)
        {
            var own = Encoding.UTF8.GetString(input, 0, length);
            Oracle.Require(cell.ToString() == own, $"the text of '{own}' is '{cell}'");
            Oracle.Require(
                double.Parse(own, CultureInfo.InvariantCulture).Equals(cell.Number),
                $"the number of '{own}' is {cell.Number}"
            );
        }
        byte[] padded = [.. input, .. new byte[9]];
        var shorter = DecimalCell.ReadShort(padded, out var same);
        if (shorter > 0)
        {
            Oracle.Require(shorter == length, $"'{text}' has {shorter} characters or {length}");
            Oracle.Require(same == cell, $"'{text}' is {same} or {cell}");
        }
        var parsed = NumberText.Parse(input);
        Oracle.Require(
            double.IsNaN(parsed) || (isNumber && parsed.Equals(number)),
            $"'{text}' is {parsed} or {number}"
        );
        foreach (var (point, thousands) in Separators)
        {
            var rules = CellRulesModule
                .Parse(default, Some(point), thousands is null ? default : Some(thousands))
                .OrThrow(RefusedException.At("rules"));
            var reader = new CellReader(CellFormatModule.apply(rules, CellFormat.Default));
            var value = reader.Number(text);
            var canonical = reader.Canonical(text);
            if (value.IsSome)
            {
                Oracle.Require(double.IsFinite(value.Value), $"'{text}' is not finite");
                if (point == "." && thousands is null)
                {
                    Oracle.Require(
                        text.Trim().Contains('−') || double.IsNaN(parsed) || parsed == value.Value,
                        $"'{text}' is {value.Value} or {parsed}"
                    );
                }
            }
            else if (point == "." && thousands is null)
                Oracle.Require(
                    double.IsNaN(parsed),
                    $"one reader does not read '{text}' as a number, another one reads {parsed}"
                );
            var plain = new CellReader(CellFormat.Default);
            Oracle.Require(
                plain.Canonical(canonical) == canonical || value.IsNone,
                $"'{text}' is written as '{canonical}', and that as '{plain.Canonical(canonical)}'"
            );
        }
    }

    private static readonly (string, string?)[] Separators =
    [
        (".", null),
        (".", ","),
        (",", null),
        (",", "."),
        (".", "'"),
        (",", " "),
    ];

    private static Microsoft.FSharp.Core.FSharpValueOption<string> Some(string text) =>
        Microsoft.FSharp.Core.FSharpValueOption<string>.Some(text);
}
