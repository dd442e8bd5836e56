using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

/// <summary>The exit status of the process.</summary>
internal sealed class ExitStatus
{
    /// <summary>The outcome of the worker; null if the process was stopped before the worker
    /// started.</summary>
    public Outcome? Decided { get; set; }

    /// <summary>The outcome of a run that was stopped, which depends on the signal.</summary>
    public Outcome Stopped { get; private set; } = Outcome.Interrupted;

    /// <summary>Whether the process was asked to stop.</summary>
    public bool IsStopped { get; private set; }

    public void Stop(Outcome outcome) => (Stopped, IsStopped) = (outcome, true);

    public int Code => (int)(Decided ?? Stopped);
}

/// <summary>Handles the signals that end a process: requests a stop and remembers the signal.</summary>
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
