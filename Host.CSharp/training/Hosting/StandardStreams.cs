using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pipeline.Training;

/// <summary>The standard streams of the process. The output of a command is its result: if standard output
/// cannot be written, the command fails. A training run only prints reports, and continues if nobody reads
/// them. Errors of standard error are ignored, as they cannot be reported.</summary>
internal static class StandardStreams
{
    private static Action<string> outputFailed = Fail;

    /// <summary>Guards output and error for the rest of the process.</summary>
    public static void Guard()
    {
        Console.SetOut(new GuardedWriter(IsOutputOpen ? Console.Out : null, ReportOutput));
        Console.SetError(new GuardedWriter(IsOpen(2) ? Console.Error : null, _ => { }));
    }

    private static void ReportOutput(Exception trouble) =>
        outputFailed(trouble.GetBaseException().Message.TrimEnd('.'));

    /// <summary>Puts both streams behind queues. From then on errors of standard output are ignored, except
    /// that the first one is reported.</summary>
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

    /// <summary>A writer to a pipe, socket or terminal without the lock that the console's writers share:
    /// with that lock one blocked stream would block both. Files do not block and keep the console's
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
    /// <exception cref="RefusedException">The process was started without it.</exception>
    public static Stream OpenInput() =>
        IsOpen(0)
            ? Console.OpenStandardInput()
            : throw RefusedException.Of("standard input", "an open stream", "a closed one");

    /// <summary>Whether the process was started with the stream. If it was not, a file or pipe of the runtime
    /// has its number, and reading or writing it would block or harm the process. Those are closed on exec;
    /// streams that a process is started with are not.</summary>
    private static bool IsOpen(int stream) =>
        OperatingSystem.IsWindows()
        || FileControl(stream, GetFlags) is var flags && (flags & 1) == 0;

    private static void Fail(string reason) =>
        throw new UnsavedException(
            $"standard output: expected a stream that can be written, found '{reason}'."
        );

    /// <summary>F_GETFD. Its result is −1 if the number is unused, otherwise FD_CLOEXEC (1) or 0.</summary>
    private const int GetFlags = 1;

    /// <summary>F_GETFL. O_NONBLOCK is 0x800 on Linux, 4 on macOS and the BSDs.</summary>
    private const int GetStatus = 3;

    [DllImport("libc", EntryPoint = "fcntl")]
    private static extern int FileControl(int file, int command);
}
