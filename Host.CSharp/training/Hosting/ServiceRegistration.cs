using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Pipeline.Learning;
using Spectre.Console;

namespace Pipeline.Training;

/// <summary>Registers all services.</summary>
internal static class ServiceRegistration
{
    /// <summary>A builder with configuration, logging and checked settings.</summary>
    /// <param name="given">The command line; its settings override all other layers.</param>
    /// <exception cref="RefusedException">Settings are invalid.</exception>
    public static HostApplicationBuilder CreateBuilder(CommandLineSettings given) =>
        CreateBuilder(given, null, out _);

    /// <summary>The same, with the configuration that the settings make; its number of threads applies from now
    /// on.</summary>
    /// <exception cref="RefusedException">Settings are invalid.</exception>
    public static HostApplicationBuilder CreateBuilder(
        CommandLineSettings given,
        out RunConfiguration configuration
    )
    {
        var builder = CreateBuilder(given, null, out configuration);
        configuration.ApplyThreads();
        return builder;
    }

    /// <summary>The configuration that settings make; its number of threads applies from now on.</summary>
    /// <param name="given">The command line.</param>
    /// <exception cref="RefusedException">Settings are invalid.</exception>
    public static RunConfiguration ConfigurationOf(CommandLineSettings given)
    {
        CreateBuilder(given, out var configuration);
        return configuration;
    }

    private static HostApplicationBuilder CreateBuilder(
        CommandLineSettings given,
        StoredRun? earlier,
        out RunConfiguration configuration
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory }
        );
        SettingLayers.Add(builder.Configuration, given, earlier);
        var root = (IConfigurationRoot)builder.Configuration;
        string[] logging = [.. LoggingSettings.FaultsOf(root, to => AddLogging(to, root))];
        if (logging.Length > 0)
            throw new RefusedException(logging);
        AddLogging(builder.Logging, root);

        configuration = ConfigurationOf(root, given.IsForTraining);
        builder.Services.AddSingleton(configuration);
        return builder;
    }

    /// <summary>The configuration that the section <c>Pipeline</c> of some layers makes.</summary>
    /// <param name="root">The layers.</param>
    /// <param name="isForTraining">Whether training rows are needed.</param>
    /// <param name="isOwn">Whether all sections of a file are the program's own, so that others are faults.</param>
    /// <param name="folder">The folder that relative paths start from; null for the working folder.</param>
    /// <exception cref="RefusedException">Settings are invalid.</exception>
    public static RunConfiguration ConfigurationOf(
        IConfigurationRoot root,
        bool isForTraining = true,
        bool isOwn = true,
        string? folder = null
    )
    {
        var read = SettingsReader.ReadChecked(root, isOwn);
        var settings = read.Values.Get<PipelineSettings>() ?? new();
        if (folder is not null)
            SettingCatalog.Root(settings, folder);
        var made = RunConfiguration.Create(
            settings,
            out IReadOnlyList<Fault> faults,
            isForTraining
        );
        return read.Faults.Count == 0 && made is not null
            ? made
            : throw new RefusedException([
                .. read.Faults,
                .. faults.Select(fault => SettingsReader.Sentence(root, fault)),
            ]);
    }

    /// <summary>The configuration that settings make, without a builder of a host. The number of threads does not
    /// change.</summary>
    /// <param name="given">The command line.</param>
    /// <exception cref="RefusedException">Settings are invalid.</exception>
    public static RunConfiguration ConfigurationAlone(CommandLineSettings given)
    {
        using var layers = new ConfigurationManager();
        SettingLayers.Add(layers, given, null);
        return ConfigurationOf(layers, given.IsForTraining);
    }

    /// <summary>Logs to standard error in the format of Logging:Console:FormatterName; by default as plain
    /// lines, or in systemd's format if systemd started the process.</summary>
    public static void AddLogging(ILoggingBuilder logging, IConfiguration settings)
    {
        var said = settings["Logging:Console:FormatterName"];
        logging
            .AddConfiguration(settings.GetSection(LoggingSettings.Section))
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat ??= "yyyy-MM-dd'T'HH:mm:sszzz ";
            });
        logging.Services.Configure<JsonConsoleFormatterOptions>(console =>
        {
            if (console.TimestampFormat is not null)
                return;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
        });
        VisibleLog.AddTo(logging.Services);
        logging.Services.PostConfigure<ConsoleLoggerOptions>(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.FormatterName = said ?? console.FormatterName;
        });
    }

    /// <summary>Everything that is wrong with the settings.</summary>
    public static IReadOnlyList<string> FaultsOf(CommandLineSettings given)
    {
        try
        {
            CreateBuilder(given);
            return [];
        }
        catch (RefusedException refused)
        {
            return refused.Reasons;
        }
    }

    /// <summary>Whether log messages are JSON: a run then reports everything as log messages.</summary>
    private static bool LogsAreJson(IServiceProvider services) =>
        services
            .GetRequiredService<IOptionsMonitor<ConsoleLoggerOptions>>()
            .CurrentValue.FormatterName?.Equals(
                ConsoleFormatterNames.Json,
                StringComparison.OrdinalIgnoreCase
            ) == true;

    /// <summary>A builder with the worker and what it needs.</summary>
    /// <param name="given">The command line.</param>
    /// <exception cref="RefusedException">Settings are invalid.</exception>
    public static HostApplicationBuilder CreateTrainingBuilder(CommandLineSettings given)
    {
        var builder = CreateBuilder(given, null, out var configuration);
        var resumption = Resumption.Of(
            configuration,
            run =>
            {
                CreateBuilder(given, run, out var ofRun);
                return ofRun;
            }
        );
        builder
            .Services.AddTraining(resumption)
            // Each of the two has an effect only if it started the process.
            .AddSystemd()
            .AddWindowsService()
            .AddTelemetry(configuration.Exporter)
            .AddSingleton(services => new ConsoleReport(
                AnsiConsole.Console,
                Console.Out,
                Console.Error,
                services.GetRequiredService<TimeProvider>(),
                LogsAreJson(services) ? services.GetRequiredService<ILogger<ConsoleReport>>() : null
            ));
        return builder;
    }

    /// <summary>Adds what every run needs: the clock, the disk, the exit status and metrics.</summary>
    public static IServiceCollection AddRunServices(this IServiceCollection services) =>
        services
            .AddSingleton(TimeProvider.System)
            .AddSingleton<IFiles, DiskFiles>()
            .AddSingleton<ExitStatus>()
            .AddMetrics();

    /// <summary>Adds the worker and what it needs, apart from the configuration and the report.</summary>
    /// <param name="services">The services.</param>
    /// <param name="resumption">The runs to resume.</param>
    public static IServiceCollection AddTraining(
        this IServiceCollection services,
        Resumption resumption
    ) =>
        services
            .AddSingleton(resumption)
            .AddSingleton<RunResumer>()
            .AddSingleton<SingleRun>()
            // A run that is asked to stop saves what it has learned, however long that takes.
            .Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan)
            .AddRunServices()
            .AddSingleton<TrainingMetrics>()
            .AddSingleton<Liveness>()
            .AddSingleton<IRunObserver>(all => all.GetRequiredService<Liveness>())
            .AddSingleton<IRunObserver>(all => all.GetRequiredService<TrainingMetrics>())
            .AddSingleton<DataLoader>()
            .AddSingleton<DataFileWatcher>()
            .AddSingleton<ModelPublisher>()
            .AddSingleton<RunRetention>()
            .AddTransient(typeof(TrainingRun<>))
            .AddTransient(typeof(WatchMode<>))
            .AddHostedService<SignalHandler>()
            .AddSingleton<HealthServer>()
            .AddHostedService(all => all.GetRequiredService<HealthServer>())
            .AddHostedService<SystemdWatchdog>()
            .AddHostedService<TrainingWorker>();
}
