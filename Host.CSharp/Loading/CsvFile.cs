using System.Globalization;
using System.Text;
using Pipeline.Learning;
using Sylvan.Data.Csv;

namespace Pipeline.Training;

/// <summary>How a file of separated values is laid out.</summary>
/// <param name="HasHeader">Whether the first row holds names; unless said, where none of its cells is a
/// number.</param>
/// <param name="Skip">Lines before the first row.</param>
internal sealed record CsvLayout(bool? HasHeader = null, int Skip = 0);

/// <summary>Tables as comma-separated values (or tabs, semicolons, bars).</summary>
internal static class CsvFile
{
    /// <summary>A file with more faults than these is not described further.</summary>
    private const int MostFaults = 10;

    /// <summary>The longest record, in characters.</summary>
    private const int MostCharacters = 1 << 24;

    /// <exception cref="RefusedException">Rows differ in length, or a quote does not end.</exception>
    public static Table Parse(ReadOnlyMemory<byte> content, CsvLayout layout, string path)
    {
        using var text = new StreamReader(DataFile.StreamOf(content), Encoding.UTF8);
        for (var i = 0; i < layout.Skip; i++)
            text.ReadLine();
        if (text.Peek() < 0)
            throw new RefusedException([DataFile.Sentence(path, "rows of cells", "none")]);
        var options = new CsvDataReaderOptions
        {
            HasHeaders = false,
            Culture = CultureInfo.InvariantCulture,
            MaxBufferSize = MostCharacters,
            Delimiter = DataFile.KindOf(path) is ".tsv" ? '\t' : null,
        };
        try
        {
            using var reader = CsvDataReader.Create(text, options);
            return Read(reader, layout, path);
        }
        catch (Exception broken)
            when (broken is FormatException or InvalidOperationException or IOException)
        {
            throw new RefusedException([
                DataFile.Sentence(path, "comma-separated values", broken.Message.TrimEnd('.')),
            ]);
        }
    }

    private static Table Read(CsvDataReader reader, CsvLayout layout, string path)
    {
        var columns = Enumerable.Range(0, reader.FieldCount).Select(_ => new List<string>());
        List<string>[] cells = [.. columns];
        var faults = new List<string>();
        var lines = new List<int>();
        var next = layout.Skip + 1;
        while (reader.Read() && faults.Count < MostFaults)
        {
            var line = next;
            next += 1 + LineEndsWithin(reader.GetRawRecordSpan());
            if (reader.RowFieldCount != cells.Length)
            {
                faults.Add(
                    DataFile.Sentence(
                        $"{path}, line {line}",
                        $"{cells.Length} cells, as in the first row",
                        $"{reader.RowFieldCount}"
                    )
                );
                continue;
            }
            lines.Add(line);
            for (var i = 0; i < cells.Length; i++)
                cells[i].Add(reader.GetString(i));
        }
        if (faults.Count > 0)
            throw new RefusedException(faults);
        if (lines.Count == 0)
            throw new RefusedException([DataFile.Sentence(path, "rows of cells", "none")]);
        var hasHeader =
            layout.HasHeader ?? Learning.TableModule.IsHeader(cells.Select(column => column[0]));
        var first = hasHeader ? 1 : 0;
        var table = DataFile.Require(
            Learning.TableModule.Create(
                cells.Select(
                    (column, place) =>
                        new Column(
                            hasHeader ? column[0] : $"{place}",
                            Cells.NewTexts([.. column.Skip(first)])
                        )
                )
            ),
            path
        );
        return Learning.TableModule.AtLines([.. lines.Skip(first)], table);
    }

    /// <summary>How many line ends a record has inside, its own not counted.</summary>
    private static int LineEndsWithin(ReadOnlySpan<char> record)
    {
        record = record.TrimEnd("\r\n");
        return record.Count('\n') + record.Count('\r') - record.Count("\r\n");
    }
}
