using System.Text;

namespace Pipeline.Training;

/// <summary>A file that grows line by line. Lines wait in memory until they are written; where that
/// fails they wait on, and none is lost or comes twice.</summary>
internal sealed class LineLog(IFiles files, string path)
{
    /// <summary>So much is written without being asked.</summary>
    private const int Batch = 1 << 16;

    /// <summary>So much may wait for a disk that takes nothing.</summary>
    private const int Most = 1 << 28;

    private readonly Lock gate = new();
    private readonly StringBuilder waiting = new();
    private long length;
    private long flushed;
    private int next = Batch;

    public string Path => path;

    /// <exception cref="IOException">Too many lines wait for the disk.</exception>
    public void Add(string line)
    {
        lock (gate)
        {
            waiting.Append(line).Append('\n');
            if (waiting.Length < next)
                return;
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

    /// <summary>Writes the lines that wait.</summary>
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

    /// <summary>Sees every line so far through to the disk.</summary>
    public void Flush()
    {
        Write();
        var written = Volatile.Read(ref length);
        if (written == flushed)
            return;
        files.Flush(path);
        flushed = written;
    }

    /// <summary>Starts anew behind the first <paramref name="bytes"/> bytes of the file.</summary>
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
