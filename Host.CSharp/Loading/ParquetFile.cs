using Parquet;
using Parquet.Schema;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Tables as Parquet files of flat columns.</summary>
internal static class ParquetFile
{
    /// <summary>So long, and a second more for every megabyte, may a file take.</summary>
    private const int Patience = 20;

    /// <summary>The table in a file.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="limit">The most bytes of all columns, once they are unpacked.</param>
    /// <param name="path">Where it is from.</param>
    /// <exception cref="RefusedException">It is no such file, has columns of other types, or is too
    /// large.</exception>
    public static Table Parse(ReadOnlyMemory<byte> content, long limit, string path)
    {
        // Some damaged footers keep the library in a loop, which only the end of the process ends: a
        // service that watches its data pays for each such file with a thread.
        var patience = TimeSpan.FromSeconds(Patience + (content.Length >> 20));
        var reading = Task.Run(() => ReadAsync(content, limit, path));
        try
        {
            return reading.Wait(patience)
                ? reading.Result
                : throw Refused(path, $"not read within {patience.TotalSeconds:F0} seconds");
        }
        catch (AggregateException broken) when (broken.InnerException is RefusedException refused)
        {
            throw refused;
        }
        catch (AggregateException broken) when (broken.InnerException is not OutOfMemoryException)
        {
            // The library throws what its parts do: of a damaged file that may be anything.
            throw Refused(path, broken.InnerException!.Message.TrimEnd('.'));
        }
    }

    private static RefusedException Refused(string path, string found) =>
        new([DataFile.Sentence(path, "a Parquet file", found)]);

    private static async Task<Table> ReadAsync(
        ReadOnlyMemory<byte> content,
        long limit,
        string path
    )
    {
        await using var reader = await ParquetReader.CreateAsync(DataFile.StreamOf(content));
        var fields = reader.Schema.GetDataFields();
        var rows = reader.RowGroups.Sum(group => group.RowCount);
        // A cell takes eight bytes here, or a text of its own.
        var size = Math.Max(
            (decimal)rows * fields.Length * sizeof(double),
            reader
                .RowGroups.SelectMany(group => group.RowGroup.Columns)
                .Sum(column => (decimal)(column.MetaData?.TotalUncompressedSize ?? 0))
        );
        if (rows < 0 || size > limit)
        {
            throw new RefusedException([
                DataFile.Sentence(
                    path,
                    $"columns of at most {limit} bytes (Data:MaximumBytes)",
                    $"{size}"
                ),
            ]);
        }
        var columns = new List<Column>();
        foreach (var field in fields)
        {
            var cells = await CellsAsync(reader, field, (int)rows);
            if (cells is null)
            {
                throw new RefusedException([
                    DataFile.Sentence(
                        $"{path}, column {field.Path}",
                        "numbers, truth values or texts, one a row",
                        field.MaxRepetitionLevel > 0 ? "a list" : field.ClrType.Name
                    ),
                ]);
            }
            columns.Add(new(field.Path.ToString(), cells));
        }
        return DataFile.Require(Learning.TableModule.Create(columns), path);
    }

    /// <returns>Null of a type that is no cell.</returns>
    private static async Task<Cells?> CellsAsync(ParquetReader reader, DataField field, int rows)
    {
        if (field.MaxRepetitionLevel > 0)
            return null;
        if (field.ClrType == typeof(string) || field.ClrType == typeof(ReadOnlyMemory<char>))
            return Cells.NewTexts(await TextsAsync(reader, field, rows));
        return Type.GetTypeCode(field.ClrType) switch
        {
            TypeCode.Boolean => await NumbersAsync<bool>(reader, field, rows, b => b ? 1 : 0),
            TypeCode.SByte => await NumbersAsync<sbyte>(reader, field, rows, n => n),
            TypeCode.Byte => await NumbersAsync<byte>(reader, field, rows, n => n),
            TypeCode.Int16 => await NumbersAsync<short>(reader, field, rows, n => n),
            TypeCode.UInt16 => await NumbersAsync<ushort>(reader, field, rows, n => n),
            TypeCode.Int32 => await NumbersAsync<int>(reader, field, rows, n => n),
            TypeCode.UInt32 => await NumbersAsync<uint>(reader, field, rows, n => n),
            TypeCode.Int64 => await NumbersAsync<long>(reader, field, rows, n => n),
            TypeCode.UInt64 => await NumbersAsync<ulong>(reader, field, rows, n => n),
            TypeCode.Single => await NumbersAsync<float>(reader, field, rows, n => n),
            TypeCode.Double => await NumbersAsync<double>(reader, field, rows, n => n),
            TypeCode.Decimal => await NumbersAsync<decimal>(reader, field, rows, n => (double)n),
            _ => null,
        };
    }

    private static async Task<string[]> TextsAsync(ParquetReader reader, DataField field, int rows)
    {
        var all = new List<string>(rows);
        foreach (var group in reader.RowGroups)
        {
            var texts = new string?[group.RowCount];
            await group.ReadAsync(field, texts!.AsMemory());
            all.AddRange(texts.Select(text => text ?? ""));
        }
        return [.. all];
    }

    private static async Task<Cells> NumbersAsync<TNumber>(
        ParquetReader reader,
        DataField field,
        int rows,
        Func<TNumber, double> convert
    )
        where TNumber : struct
    {
        var all = new List<double>(rows);
        foreach (var group in reader.RowGroups)
        {
            if (field.IsNullable)
            {
                var numbers = new TNumber?[group.RowCount];
                await group.ReadAsync(field, numbers.AsMemory());
                all.AddRange(numbers.Select(n => n is { } there ? convert(there) : double.NaN));
            }
            else
            {
                var numbers = new TNumber[group.RowCount];
                await group.ReadAsync<TNumber>(field, numbers.AsMemory());
                all.AddRange(numbers.Select(convert));
            }
        }
        return Cells.NewNumbers([.. all]);
    }
}
