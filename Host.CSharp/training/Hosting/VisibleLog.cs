using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Pipeline.Training;

/// <summary>Escapes text from data and files in log lines, so that a message is one line and has no control
/// characters. JSON escapes them itself.</summary>
internal sealed class VisibleLog(ConsoleFormatter inner) : ConsoleFormatter(inner.Name)
{
    /// <summary>Wraps every formatter of lines.</summary>
    public static void AddTo(IServiceCollection services)
    {
        for (var place = 0; place < services.Count; place++)
        {
            if (
                services[place]
                    is { ServiceType: var service, ImplementationType: { } implementation }
                && service == typeof(ConsoleFormatter)
            )
            {
                services[place] = ServiceDescriptor.Singleton<ConsoleFormatter>(provider =>
                {
                    var inner = (ConsoleFormatter)
                        ActivatorUtilities.CreateInstance(provider, implementation);
                    return inner.Name == ConsoleFormatterNames.Json ? inner : new VisibleLog(inner);
                });
            }
        }
    }

    public override void Write<TState>(
        in LogEntry<TState> logEntry,
        IExternalScopeProvider? scopeProvider,
        TextWriter textWriter
    )
    {
        var original = logEntry.Formatter;
        inner.Write(
            new LogEntry<TState>(
                logEntry.LogLevel,
                logEntry.Category,
                logEntry.EventId,
                logEntry.State,
                logEntry.Exception,
                (state, exception) => VisibleText.Of(original(state, exception))
            ),
            scopeProvider,
            textWriter
        );
    }
}
