using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Spectre.Console;

namespace Pipeline.Training;

/// <summary>Every registration.</summary>
internal static class TrainingServices
{
    /// <summary>A builder with configuration, logging and checked settings.</summary>
    /// <param name="given">What the command line gives: its settings are above all other
    /// layers.</param>
    public static HostApplicationBuilder CreateBuilder(GivenSettings given)
    {
        var builder = Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory }
        );
        AddFile(builder.Configuration, "appsettings.json", optional: true);
        if (given.Preset is { } preset)
            AddFile(builder.Configuration, Presets.PathOf(preset), optional: false);
        builder.Configuration.AddInMemoryCollection(given.Run);
        builder.Configuration.AddEnvironmentVariables().AddInMemoryCollection(given.Values);
        string[] logging = [.. SettingsReader.LogLevelFaults(builder.Configuration)];
        if (logging.Length > 0)
            throw new RefusedException(logging);
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
        builder.Services.AddSingleton(_ =>
        {
            var settings = sifted.Values.Get<PipelineSettings>() ?? new();
            var plan = RunPlan.Create(settings, out var faults);
            return sifted.Faults.Count == 0 && plan is not null
                ? plan
                : throw new RefusedException([.. sifted.Faults, .. faults]);
        });
        return builder;
    }

    /// <summary>Everything that is wrong with the settings.</summary>
    public static IReadOnlyList<string> FaultsOf(GivenSettings given)
    {
        try
        {
            using var host = CreateBuilder(given).Build();
            host.Services.GetRequiredService<RunPlan>();
            return [];
        }
        catch (RefusedException refused)
        {
            return refused.Reasons;
        }
    }

    private static void AddFile(IConfigurationBuilder configuration, string path, bool optional)
    {
        try
        {
            configuration.AddJsonFile(path, optional, reloadOnChange: false);
        }
        catch (Exception unusable)
            when (unusable is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new RefusedException([$"{path}: {unusable.GetBaseException().Message}"]);
        }
    }

    /// <summary>The worker and what it needs.</summary>
    public static IServiceCollection AddTraining(this IServiceCollection services) =>
        services
            // A run that is told to stop saves what it has learned, however long that takes.
            .Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan)
            .AddSingleton(TimeProvider.System)
            .AddSingleton<ExitStatus>()
            .AddSingleton(new ConsoleReport(AnsiConsole.Console, Console.Out, Console.Error))
            .AddHostedService<SignalWatch>()
            .AddHostedService<TrainingWorker>();
}
