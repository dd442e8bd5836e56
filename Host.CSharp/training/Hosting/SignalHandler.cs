using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Training;

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
