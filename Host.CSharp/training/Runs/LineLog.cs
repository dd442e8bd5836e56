using System.Text;

namespace Pipeline.Training;

/// <summary>A file that grows line by line. Lines are buffered in memory for about a second. If writing fails they
/// stay there, so that none is lost or written twice.</summary>
internal sealed class LineLog(IFiles files, string path)
{
    /// <summary>The buffer size at which lines are written.</summary>
    private const int Batch = 1 << 16;

    /// <summary>The largest buffer size while the disk fails.</summary>
    private const int Most = 1 << 28;

    private readonly Lock gate = new();
    private readonly StringBuilder waiting = new();
    private long length;
    private long flushed;
    private int next = Batch;
    private double written;

    public string Path => path;

    /// <summary>Adds a line.</summary>
    /// <param name="line">The line without its end.</param>
    /// <param name="seconds">The time of the run at the line, in seconds: once a second has passed since lines were
    /// written, they are written.</param>
    /// <exception cref="IOException">The buffer is full, as the disk fails.</exception>
    public void Add(string line, double seconds)
    {
        lock (gate)
        {
            waiting.Append(line).Append('\n');
            if (waiting.Length < next && seconds - written < 1)
                return;
            written = seconds;
            try
            {
                Write();
            }
            catch (Exception trouble)
                when (AtomicFile.IsDiskError(trouble) && waiting.Length < Most)
            {
                next = waiting.Length + Batch;
            }
        }
    }

    /// <summary>Writes the buffered lines.</summary>
    public void Write()
    {
        lock (gate)
        {
            if (waiting.Length == 0)
                return;
            var bytes = Encoding.UTF8.GetBytes(waiting.ToString());
            files.Append(path, length, bytes);
            length += bytes.Length;
            waiting.Clear();
            next = Batch;
        }
    }

    /// <summary>Writes all lines and flushes them to the disk.</summary>
    public void Flush()
    {
        Write();
        var written = Volatile.Read(ref length);
        if (written == flushed)
            return;
        files.Flush(path);
        flushed = written;
    }

    /// <summary>Continues after the first <paramref name="bytes"/> bytes of the file.</summary>
    public void Rewind(long bytes)
    {
        lock (gate)
        {
            waiting.Clear();
            files.Truncate(path, bytes);
            length = bytes;
            flushed = 0;
        }
    }
}
