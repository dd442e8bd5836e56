using System.Text;

namespace Pipeline.Training;

/// <summary>A writer whose errors (a full disk, a closed stream or terminal) are passed to a handler, not to
/// the caller.</summary>
/// <param name="inner">The stream; null if it is closed.</param>
/// <param name="failed">Called with each error.</param>
internal sealed class GuardedWriter(TextWriter? inner, Action<Exception> failed) : TextWriter
{
    public override Encoding Encoding => inner?.Encoding ?? Encoding.UTF8;

    public override void Write(char value) => Guard(writer => writer.Write(value));

    public override void Write(char[] buffer, int index, int count) =>
        Guard(writer => writer.Write(buffer, index, count));

    public override void Write(string? value) => Guard(writer => writer.Write(value));

    public override void WriteLine(string? value) => Guard(writer => writer.WriteLine(value));

    public override void Flush() => inner?.Flush();

    private void Guard(Action<TextWriter> write)
    {
        try
        {
            write(inner ?? throw new IOException("The stream is closed"));
        }
        catch (Exception trouble) when (AtomicFile.IsDiskError(trouble))
        {
            failed(trouble);
        }
    }
}
