using System.Globalization;
using System.Numerics;
using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Reads a made-up table while a real one is read from the disk, so that the JIT compiler has done its work (a
/// tenth of a second) before the rows are there.</summary>
internal static class TableWarmUp
{
    /// <summary>The least number of bytes of a file whose reading takes longer than this.</summary>
    private const long Least = 1 << 24;

    private const int Rows = 64;

    /// <summary>Whether the training rows come from a text that takes time to read.</summary>
    public static bool IsWorthwhile(DataSettings settings) =>
        settings.Train is { } path
        && FileKinds.Separated.Split(", ").Contains(DataFile.KindOf(path))
        && File.Exists(path)
        && new FileInfo(path) is { Exists: true, Length: >= Least };

    /// <returns>Whether the table became samples, so that all code was run.</returns>
    public static bool Run<T>(Head head)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var text = new StringBuilder("number,whole,blank,label\n");
        for (var row = 0; row < Rows; row++)
        {
            var label = head == Head.Identity ? $"{row}" : $"class {row % 3}";
            text.Append(
                CultureInfo.InvariantCulture,
                $"{row * 0.37:F2},{row * row},{(row % 9 == 0 ? "" : $"{row}.5")},{label}\n"
            );
        }
        var table = CsvFile.Parse(Encoding.UTF8.GetBytes($"{text}"), new(), "");
        var usual = TableOptions.Default;
        var options = new TableOptions(
            usual.Label,
            usual.Numeric,
            usual.Categorical,
            usual.Ignored,
            usual.Weight,
            usual.Cells,
            Missing.Mean,
            usual.Scaling
        );
        return Tables
            .Prepare<T>(options, head, TestRows.NewFraction(0.3, 1), "", table)
            .TryGet(out _, out _);
    }
}
