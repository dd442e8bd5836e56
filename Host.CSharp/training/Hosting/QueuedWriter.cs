using System.Collections.Concurrent;
using System.Text;

namespace Pipeline.Training;

/// <summary>A writer that does not block its caller if nobody reads the stream: texts are queued and written
/// by a separate thread. If the queue stays full for a second, texts are dropped until it is empty
/// again.</summary>
internal sealed class QueuedWriter : TextWriter
{
    private const int Capacity = 4096;

    /// <summary>The longest wait for a reader before texts are dropped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly BlockingCollection<string> queue = new(Capacity);
    private readonly TextWriter inner;
    private readonly Action leftOut;
    private readonly Thread thread;
    private long written;
    private volatile bool isStalled;

    /// <param name="inner">The writer that the thread uses. Its errors must not reach the caller.</param>
    /// <param name="leftOut">Called when a text is dropped for the first time since the queue was
    /// empty.</param>
    public QueuedWriter(TextWriter inner, Action leftOut)
    {
        (this.inner, this.leftOut) = (inner, leftOut);
        thread = new Thread(WriteAll) { IsBackground = true, Name = "console output" };
        thread.Start();
    }

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Add(value.ToString());

    public override void Write(char[] buffer, int index, int count) =>
        Add(new string(buffer, index, count));

    public override void Write(string? value)
    {
        if (!string.IsNullOrEmpty(value))
            Add(value);
    }

    public override void WriteLine(string? value) => Add(value + NewLine);

    private void Add(string text)
    {
        if (queue.IsAddingCompleted)
            return;
        if (isStalled && queue.Count == 0)
            isStalled = false;
        if (queue.TryAdd(text, isStalled ? TimeSpan.Zero : Patience) || isStalled)
            return;
        isStalled = true;
        leftOut();
    }

    private void WriteAll()
    {
        foreach (var text in queue.GetConsumingEnumerable())
        {
            inner.Write(text);
            Interlocked.Increment(ref written);
        }
    }

    /// <summary>Waits until everything is written. Later texts are dropped.</summary>
    /// <param name="patience">The longest wait for a reader that does not read.</param>
    public void Finish(TimeSpan patience)
    {
        queue.CompleteAdding();
        long before;
        do before = Interlocked.Read(ref written);
        while (!thread.Join(patience) && Interlocked.Read(ref written) > before);
    }
}
