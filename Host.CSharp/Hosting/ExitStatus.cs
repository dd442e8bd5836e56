using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>How the process is to end.</summary>
internal sealed class ExitStatus
{
    /// <summary>What the worker has decided. Told to stop while the host still starts, it is never
    /// asked.</summary>
    public Outcome? Decided { get; set; }

    /// <summary>What a run that was told to stop ends with: the signal's own outcome.</summary>
    public Outcome Stopped { get; private set; } = Outcome.Interrupted;

    /// <summary>Whether the process was told to stop.</summary>
    public bool IsStopped { get; private set; }

    public void Stop(Outcome outcome) => (Stopped, IsStopped) = (outcome, true);

    public int Code => (int)(Decided ?? Stopped);
}

/// <summary>Turns the signals that ask a process to end into a request to stop, and remembers which it
/// was.</summary>
internal sealed class SignalHandler : IHostedService, IDisposable
{
    private readonly PosixSignalRegistration[] registrations;

    public SignalHandler(
        ExitStatus status,
        IHostApplicationLifetime lifetime,
        ILogger<SignalHandler> logger
    )
    {
        PosixSignalRegistration Register(PosixSignal signal, Outcome outcome) =>
            PosixSignalRegistration.Create(
                signal,
                context =>
                {
                    context.Cancel = true;
                    status.Stop(outcome);
                    logger.SignalReceived(signal.ToString());
                    lifetime.StopApplication();
                }
            );
        registrations =
        [
            Register(PosixSignal.SIGINT, Outcome.Interrupted),
            Register(PosixSignal.SIGTERM, Outcome.Terminated),
            Register(PosixSignal.SIGHUP, Outcome.HungUp),
            Register(PosixSignal.SIGQUIT, Outcome.Quit),
        ];
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => Array.ForEach(registrations, registration => registration.Dispose());
}
