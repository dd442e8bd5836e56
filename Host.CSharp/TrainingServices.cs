using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
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
    /// <param name="given">What the command line gives: its settings are above all other
    /// layers.</param>
    /// <exception cref="RefusedException">Settings do not fit.</exception>
    public static HostApplicationBuilder CreateBuilder(GivenSettings given) =>
        CreateBuilder(given, null, out _);

    /// <summary>The plan that settings make, which computations keep to from now on.</summary>
    /// <param name="given">What the command line gives.</param>
    /// <exception cref="RefusedException">Settings do not fit.</exception>
    public static RunPlan PlanOf(GivenSettings given)
    {
        CreateBuilder(given, null, out var plan);
        plan.ApplyThreads();
        return plan;
    }

    private static HostApplicationBuilder CreateBuilder(
        GivenSettings given,
        EarlierRun? earlier,
        out RunPlan plan
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory }
        );
        AddFile(builder.Configuration, "appsettings.json", optional: true);
        var defaults = builder.Configuration.Sources.Count;
        if (given.Preset is { } preset)
            AddFile(builder.Configuration, Presets.PathOf(preset), optional: false);
        builder.Configuration.AddInMemoryCollection(given.Run);
        builder.Configuration.AddEnvironmentVariables().AddInMemoryCollection(given.Values);
        AddEarlierRun(builder.Configuration, defaults, earlier);
        string[] logging = [.. SettingsReader.LoggingFaults(builder.Configuration)];
        if (logging.Length > 0)
            throw new RefusedException(logging);
        AddLogging(builder);

        var sifted = SettingsReader.Sift((IConfigurationRoot)builder.Configuration);
        var settings = sifted.Values.Get<PipelineSettings>() ?? new();
        var made = RunPlan.Create(settings, out var faults, given.IsForTraining);
        plan =
            sifted.Faults.Count == 0 && made is not null
                ? made
                : throw new RefusedException([.. sifted.Faults, .. faults]);
        builder.Services.AddSingleton(plan);
        return builder;
    }

    /// <summary>Logs on standard error, in the format that Logging:Console:FormatterName says: unless it
    /// says one, plain lines, or systemd's where that started the process.</summary>
    private static void AddLogging(HostApplicationBuilder builder)
    {
        var said = builder.Configuration["Logging:Console:FormatterName"];
        builder
            .Logging.AddConfiguration(builder.Configuration.GetSection("Logging"))
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat ??= "yyyy-MM-dd'T'HH:mm:sszzz ";
            });
        builder.Services.Configure<JsonConsoleFormatterOptions>(console =>
        {
            if (console.TimestampFormat is not null)
                return;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
        });
        builder.Services.PostConfigure<ConsoleLoggerOptions>(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.FormatterName = said ?? console.FormatterName;
        });
    }

    /// <summary>Everything that is wrong with the settings.</summary>
    public static IReadOnlyList<string> FaultsOf(GivenSettings given)
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

    /// <summary>A run to resume brings its settings: above the defaults, and below those given now, which
    /// are then compared with them.</summary>
    private static void AddEarlierRun(
        ConfigurationManager configuration,
        int place,
        EarlierRun? earlier
    )
    {
        earlier ??= NamedRun(configuration);
        if (earlier is not null)
            configuration.Sources.Insert(
                place,
                new MemoryConfigurationSource { InitialData = earlier.Values() }
            );
    }

    private static EarlierRun? NamedRun(IConfiguration configuration)
    {
        string? Said(string name) => configuration[$"{SettingsReader.Root}:Run:{name}"];

        return
            Said("Resume") is not { Length: > 0 } resume
            || resume.Equals(RunSettings.Never, StringComparison.OrdinalIgnoreCase)
            || resume.Equals(RunSettings.Auto, StringComparison.OrdinalIgnoreCase)
            ? null
            : EarlierRun.Find(resume, Said("Directory") ?? new RunSettings().Directory);
    }

    /// <summary>The runs that the settings ask to resume.</summary>
    private static Resumption ResumptionOf(GivenSettings given, RunPlan plan)
    {
        RunPlan PlanOf(EarlierRun run)
        {
            CreateBuilder(given, run, out var itsPlan);
            return itsPlan;
        }

        return plan.IsResumedByItself ? Resumption.Find(plan, PlanOf)
            : plan.NamedRun() is { } named ? Resumption.Of(named, plan)
            : Resumption.None;
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

    /// <summary>Whether log messages are JSON: then a run reports nothing beside them.</summary>
    private static bool LogsAreJson(IServiceProvider services) =>
        services
            .GetRequiredService<IOptionsMonitor<ConsoleLoggerOptions>>()
            .CurrentValue.FormatterName?.Equals(
                ConsoleFormatterNames.Json,
                StringComparison.OrdinalIgnoreCase
            ) == true;

    /// <summary>A builder with the worker and what it needs.</summary>
    /// <param name="given">What the command line gives.</param>
    /// <exception cref="RefusedException">Settings do not fit.</exception>
    public static HostApplicationBuilder CreateTrainingBuilder(GivenSettings given)
    {
        var builder = CreateBuilder(given, null, out var plan);
        builder
            .Services.AddSingleton(ResumptionOf(given, plan))
            .AddSingleton<Resuming>()
            .AddSingleton<SingleRun>()
            // A run that is told to stop saves what it has learned, however long that takes.
            .Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan)
            // Each of the two does nothing unless that is what started the process.
            .AddSystemd()
            .AddWindowsService()
            .AddTelemetry(plan.Exporter)
            .AddSingleton(TimeProvider.System)
            .AddSingleton<IFiles, DiskFiles>()
            .AddSingleton<ExitStatus>()
            .AddSingleton(services => new ConsoleReport(
                AnsiConsole.Console,
                Console.Out,
                Console.Error,
                services.GetRequiredService<TimeProvider>(),
                LogsAreJson(services) ? services.GetRequiredService<ILogger<ConsoleReport>>() : null
            ))
            .AddSingleton<Pulse>()
            .AddSingleton<IRunObserver>(services => services.GetRequiredService<Pulse>())
            .AddSingleton<IRunObserver>(services => services.GetRequiredService<TrainingMetrics>())
            .AddSingleton<DataLoader>()
            .AddSingleton<DataWatch>()
            .AddSingleton<Publisher>()
            .AddSingleton<RunRetention>()
            .AddTransient(typeof(TrainingRun<>))
            .AddTransient(typeof(Watching<>))
            .AddHostedService<SignalWatch>()
            .AddSingleton<HealthServer>()
            .AddHostedService(services => services.GetRequiredService<HealthServer>())
            .AddHostedService<SystemdWatchdog>()
            .AddHostedService<TrainingWorker>();
        return builder;
    }
}
