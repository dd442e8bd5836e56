using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pipeline.Training;

/// <summary>The standard streams of the process. What a command prints is its result: when standard output
/// takes no more, the command fails. A training run prints reports only, and goes on, also when nobody reads
/// them. Faults of standard error are ignored, because there is nowhere else to report them.</summary>
internal static class StandardStreams
{
    private static Action<string> outputFailed = Fail;

    /// <summary>Puts output and error under guard, for the rest of the process.</summary>
    public static void Guard()
    {
        Console.SetOut(new GuardedWriter(IsOutputOpen ? Console.Out : null, ReportOutput));
        Console.SetError(new GuardedWriter(IsOpen(2) ? Console.Error : null, _ => { }));
    }

    private static void ReportOutput(Exception trouble) =>
        outputFailed(trouble.GetBaseException().Message.TrimEnd('.'));

    /// <summary>Puts both streams behind queues. Faults of standard output are ignored from now on, except that the
    /// first one is reported.</summary>
    /// <param name="report">Called once, with the reason.</param>
    /// <returns>Disposing it writes the rest and restores the streams.</returns>
    public static QueuedStreams Queue(Action<string> report)
    {
        var reported = 0;
        outputFailed = reason =>
        {
            if (Interlocked.Exchange(ref reported, 1) == 0)
                report(reason);
        };
        var (output, errors) = (Console.Out, Console.Error);
        return new QueuedStreams(
            new(Own(1, output, ReportOutput), () => outputFailed("nobody reads it")),
            new(Own(2, errors, _ => { }), () => { })
        );
    }

    /// <summary>Whether there is a standard output.</summary>
    public static bool IsOutputOpen => IsOpen(1);

    /// <summary>A writer to a pipe, socket or terminal, without the lock that the console's writers share: with it,
    /// one stream that nobody reads would block both. Files do not wait for a reader, and keep the console's
    /// writer.</summary>
    private static TextWriter Own(int stream, TextWriter console, Action<Exception> failed)
    {
        if (OperatingSystem.IsWindows() || !IsOpen(stream) || !IsBlocking(stream))
            return console;
        var file = new FileStream(
            new SafeFileHandle(stream, ownsHandle: false),
            FileAccess.Write,
            bufferSize: 0
        );
        return file.CanSeek
            ? console
            : new GuardedWriter(
                new StreamWriter(file, console.Encoding) { AutoFlush = true },
                failed
            );
    }

    private static bool IsBlocking(int stream) =>
        (FileControl(stream, GetStatus) & (OperatingSystem.IsLinux() ? 0x800 : 4)) == 0;

    /// <summary>Standard input.</summary>
    /// <exception cref="RefusedException">The process was started without.</exception>
    public static Stream OpenInput() =>
        IsOpen(0)
            ? Console.OpenStandardInput()
            : throw new RefusedException([
                DataFile.Sentence("standard input", "an open stream", "a closed one"),
            ]);

    /// <summary>Whether the process was started with the stream. Where it was not, the runtime's own files
    /// and pipes get its number: reading or writing them would hang or harm the process. Those are closed
    /// on exec, and what a process is started with never is.</summary>
    private static bool IsOpen(int stream) =>
        OperatingSystem.IsWindows()
        || FileControl(stream, GetFlags) is var flags && (flags & 1) == 0;

    private static void Fail(string reason) =>
        throw new UnsavedException(
            $"standard output: expected a place that takes what is printed, found '{reason}'."
        );

    /// <summary>F_GETFD. Its answer is −1 where nothing has the number, or FD_CLOEXEC, 1, or 0.</summary>
    private const int GetFlags = 1;

    /// <summary>F_GETFL. O_NONBLOCK is 0x800 on Linux, 4 on macOS and the BSDs.</summary>
    private const int GetStatus = 3;

    [DllImport("libc", EntryPoint = "fcntl")]
    private static extern int FileControl(int file, int command);
}
