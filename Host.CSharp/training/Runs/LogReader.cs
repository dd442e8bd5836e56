using System.Globalization;
using System.Text;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Reads the lines of a log one after the other, with only a part of the file in memory.</summary>
internal sealed class LogReader : IDisposable
{
    /// <summary>The longest line of a log.</summary>
    private const int Longest = 4096;

    private readonly Stream stream;
    private readonly string path;
    private readonly byte[] buffer = new byte[1 << 16];
    private readonly byte[] text = new byte[Longest];
    private int next;
    private int end;
    private long line;

    /// <param name="files">The disk.</param>
    /// <param name="path">The log.</param>
    /// <param name="header">Its first line.</param>
    /// <exception cref="RefusedException">The log cannot be read, or has another first line.</exception>
    public LogReader(IFiles files, string path, string header)
    {
        this.path = path;
        try
        {
            stream = files.OpenRead(path);
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            throw Unreadable(trouble);
        }
        var found = ReadLine();
        if (found != header)
        {
            stream.Dispose();
            throw Refused($"the names of the columns, {header}", found);
        }
    }

    /// <summary>The number of bytes up to the next line.</summary>
    public long Position { get; private set; }

    /// <summary>The numbers of the line of an iteration, null for each empty cell. Lines of iterations before
    /// it are skipped, as earlier versions wrote a line for each iteration.</summary>
    /// <param name="what">The line in words, for messages.</param>
    /// <param name="iteration">Its iteration.</param>
    /// <param name="place">The column of the iteration.</param>
    /// <param name="count">The number of columns.</param>
    /// <exception cref="RefusedException">The line is missing or damaged.</exception>
    public double?[] Find(string what, long iteration, int place, int count)
    {
        while (true)
        {
            var found = ReadLine();
            var numbers = Numbers(found);
            if (numbers.Length != count || !(numbers[place] <= iteration))
                throw Refused($"the {count} numbers of {what}", found);
            if (numbers[place] == iteration)
                return numbers;
        }
    }

    public void Dispose() => stream.Dispose();

    /// <summary>The numbers of a line; fewer if some cells are not numbers.</summary>
    private static double?[] Numbers(string? line)
    {
        var numbers = new List<double?>();
        foreach (var cell in line?.Split(',') ?? [])
        {
            if (cell.Length == 0)
                numbers.Add(null);
            else if (double.TryParse(cell, CultureInfo.InvariantCulture, out var number))
                numbers.Add(number);
        }
        return [.. numbers];
    }

    /// <summary>The next line; null if the file ends before the end of the line.</summary>
    private string? ReadLine()
    {
        line++;
        var length = 0;
        while (ReadByte() is { } found)
        {
            if (found == '\n')
            {
                Position += length + 1;
                return Encoding.UTF8.GetString(text, 0, length);
            }
            if (length == Longest)
                throw Refused(
                    $"a line of at most {Longest} bytes",
                    "a longer one",
                    isQuoted: false
                );
            text[length++] = found;
        }
        return null;
    }

    private byte? ReadByte()
    {
        if (next == end)
        {
            try
            {
                (next, end) = (0, stream.Read(buffer));
            }
            catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
            {
                throw Unreadable(trouble);
            }
        }
        return next == end ? null : buffer[next++];
    }

    private RefusedException Unreadable(Exception trouble) =>
        new([
            Faults
                .Create(path, "the log of the run to resume", trouble.Message.TrimEnd('.'))
                .ToString(),
        ]);

    private RefusedException Refused(string expected, string? found, bool isQuoted = true) =>
        new([
            Faults
                .Create(
                    $"{path}, line {line}",
                    expected,
                    found is null ? "the end of the file"
                        : isQuoted ? $"'{found}'"
                        : found
                )
                .ToString(),
        ]);
}
