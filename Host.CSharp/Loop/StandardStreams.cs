using System.Runtime.InteropServices;

namespace Pipeline.Training;

/// <summary>The standard streams of the process. What a command prints is its result: when standard output
/// takes no more, the command fails. A training run prints reports only, and goes on. Faults of standard
/// error are ignored, because there is nowhere else to report them.</summary>
internal static class StandardStreams
{
    private static Action<string> outputFailed = Fail;

    /// <summary>Puts output and error under guard, for the rest of the process.</summary>
    public static void Guard()
    {
        Console.SetOut(
            new GuardedWriter(
                IsOutputOpen ? Console.Out : null,
                trouble => outputFailed(trouble.GetBaseException().Message.TrimEnd('.'))
            )
        );
        Console.SetError(new GuardedWriter(IsOpen(2) ? Console.Error : null, _ => { }));
    }

    /// <summary>From now on faults of standard output are ignored, and the first one is reported.</summary>
    /// <param name="report">Called once, with the reason.</param>
    public static void Tolerate(Action<string> report)
    {
        var reported = 0;
        outputFailed = reason =>
        {
            if (Interlocked.Exchange(ref reported, 1) == 0)
                report(reason);
        };
    }

    /// <summary>Whether there is a standard output.</summary>
    public static bool IsOutputOpen => IsOpen(1);

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

    [DllImport("libc", EntryPoint = "fcntl")]
    private static extern int FileControl(int file, int command);
}
