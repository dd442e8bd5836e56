using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Spectre.Console;

namespace Pipeline.Training;

/// <summary>Every registration.</summary>
internal static class TrainingServices
{
    /// <summary>A builder with configuration, logging and checked settings.</summary>
    /// <param name="overrides">Settings from the command line, above all other layers.</param>
    public static HostApplicationBuilder CreateBuilder(
        IReadOnlyDictionary<string, string?> overrides
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory }
        );
        try
        {
            builder.Configuration.AddJsonFile(
                "appsettings.json",
                optional: true,
                reloadOnChange: false
            );
        }
        catch (InvalidDataException malformed)
        {
            throw new RefusedException([
                $"{malformed.Message} {malformed.InnerException?.Message}",
            ]);
        }
        builder.Configuration.AddEnvironmentVariables().AddInMemoryCollection(overrides);
        builder
            .Logging.AddConfiguration(builder.Configuration.GetSection("Logging"))
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss ";
            });
        builder.Services.Configure<ConsoleLoggerOptions>(console =>
            console.LogToStandardErrorThreshold = LogLevel.Trace
        );

        var sifted = SettingsReader.Sift((IConfigurationRoot)builder.Configuration);
        builder.Services.AddSingleton(sifted);
        builder
            .Services.AddOptions<PipelineSettings>()
            .Bind(sifted.Values, binder => binder.ErrorOnUnknownConfiguration = true)
            .ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<PipelineSettings>, SettingsValidator>();
        builder.Services.AddSingleton(services =>
            RunPlan.Create(
                services.GetRequiredService<IOptions<PipelineSettings>>().Value,
                out var faults
            ) ?? throw new RefusedException(faults)
        );
        return builder;
    }

    /// <summary>The worker and what it needs.</summary>
    public static IServiceCollection AddTraining(this IServiceCollection services) =>
        services
            .AddSingleton(TimeProvider.System)
            .AddSingleton<ExitStatus>()
            .AddSingleton(new ConsoleReport(AnsiConsole.Console, Console.Out, Console.Error))
            .AddHostedService<SignalWatch>()
            .AddHostedService<TrainingWorker>();
}
