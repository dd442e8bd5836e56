using System.Globalization;
using System.IO.Hashing;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>Receives the cells of a line, NaN for each empty one.</summary>
internal delegate void LogLine(ReadOnlySpan<double> cells);

/// <summary>A log that another process may be writing, read line by line as it grows.</summary>
internal sealed class LogTail(string path)
{
    /// <summary>The longest line, and the most columns.</summary>
    private const int Longest = 4096;
    private const int MostCells = 32;

    /// <summary>The most bytes that are read at once; the rest follows the next time.</summary>
    private const int Most = 32 << 20;

    private readonly Crc32 read = new();

    /// <summary>The end of what was read. A resumed run writes other times in all lines after its place, so that the
    /// end tells whether the log goes on from there.</summary>
    private byte[] last = [];

    /// <summary>The number of bytes up to the next line.</summary>
    public long Position { get; private set; }

    /// <summary>A checksum of these bytes.</summary>
    public uint Check => read.GetCurrentHashAsUInt32();

    /// <summary>Reads the whole lines that were added; a line without numbers, such as the header, is left out.</summary>
    /// <param name="line">Receives each line.</param>
    /// <returns>False if the log does not go on from what was read: a resumed run cuts it off. It is to be read from
    /// the beginning then.</returns>
    public bool Read(LogLine line)
    {
        try
        {
            var file = new FileInfo(path);
            var length = file.Exists ? file.Length : 0;
            return length == 0 ? Position == 0 : length >= Position && ReadOn(line);
        }
        catch (Exception unreadable) when (AtomicFile.IsDiskError(unreadable))
        {
            // It may be readable the next time.
            return true;
        }
    }

    private bool ReadOn(LogLine line)
    {
        using var stream = new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete,
            bufferSize: 1
        );
        stream.Position = Position - last.Length;
        var before = new byte[last.Length];
        if (stream.ReadAtLeast(before, before.Length, throwOnEndOfStream: false) < before.Length)
            return false;
        if (!before.AsSpan().SequenceEqual(last))
            return false;
        var buffer = new byte[1 << 16];
        var (kept, total) = (0, 0L);
        while (total < Most && stream.Read(buffer.AsSpan(kept)) is > 0 and var count)
        {
            total += count;
            var rest = Lines(buffer.AsSpan(0, kept + count), line);
            // What is longer than a line is no log.
            if (rest.Length > Longest)
                break;
            rest.CopyTo(buffer);
            kept = rest.Length;
        }
        return true;
    }

    /// <summary>Tells the whole lines of a text.</summary>
    /// <returns>What follows the last of them.</returns>
    private ReadOnlySpan<byte> Lines(ReadOnlySpan<byte> text, LogLine line)
    {
        Span<double> cells = stackalloc double[MostCells];
        var before = text;
        while (text.IndexOf((byte)'\n') is >= 0 and var end)
        {
            var whole = text[..(end + 1)];
            Position += whole.Length;
            read.Append(whole);
            var count = CellsOf(text[..end], cells);
            if (count > 0)
                line(cells[..count]);
            text = text[whole.Length..];
        }
        byte[] told = [.. last, .. before[..^text.Length]];
        last = told[Math.Max(0, told.Length - Longest)..];
        return text;
    }

    /// <summary>The number of cells; 0 if some are not numbers.</summary>
    private static int CellsOf(ReadOnlySpan<byte> line, Span<double> cells)
    {
        for (var count = 0; count < cells.Length; )
        {
            var comma = line.IndexOf((byte)',');
            var cell = comma < 0 ? line : line[..comma];
            if (cell.IsEmpty)
                cells[count++] = double.NaN;
            else if (double.TryParse(cell, CultureInfo.InvariantCulture, out var number))
                cells[count++] = number;
            else
                return 0;
            if (comma < 0)
                return count;
            line = line[(comma + 1)..];
        }
        return 0;
    }
}
