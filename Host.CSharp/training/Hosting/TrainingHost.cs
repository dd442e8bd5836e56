using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Pipeline.Training;

/// <summary>Training as a service of an application's own host.</summary>
public static class TrainingHost
{
    /// <summary>Adds a worker that trains as the section <c>Pipeline</c> of the application's configuration says:
    /// once, or in watch mode whenever the data files change. It logs what the program prints.</summary>
    /// <remarks><para><c>Pipeline:Preset</c> names a preset; every other setting overrides it. Relative paths start
    /// from the content root. An
    /// <see cref="IProgress{T}"/> of <see cref="TrainingProgress"/> among the services gets the figures of every
    /// run.</para>
    /// <para>After a run that does not watch, the worker stops the host.</para></remarks>
    /// <param name="builder">The application's builder.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="RefusedException">Settings are invalid; every fault is named.</exception>
    public static IHostApplicationBuilder AddPipelineTraining(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var configuration = ConfigurationOf(builder, null);
        var resumption = Resumption.Of(configuration, run => ConfigurationOf(builder, run));
        builder
            .Services.AddSingleton(configuration)
            .AddTraining(resumption)
            .AddTelemetry(configuration.Exporter)
            .AddSingleton(services => new ConsoleReport(
                AnsiConsole.Console,
                Console.Out,
                Console.Error,
                services.GetRequiredService<TimeProvider>(),
                services.GetRequiredService<ILogger<ConsoleReport>>()
            ));
        return builder;
    }

    /// <summary>Runs the host until its training is done or the process is asked to stop.</summary>
    /// <param name="host">A host with <see cref="AddPipelineTraining"/>.</param>
    /// <returns>The exit code: 0 completed, 1 failed, 2 settings or data refused, 3 diverged, 129, 130, 131 or 143
    /// stopped by a signal after saving what was learned.</returns>
    public static async Task<int> RunTrainingAsync(this IHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var status = host.Services.GetRequiredService<ExitStatus>();
        // A host would log the refusal of its port as a failure, with a stack trace.
        await host.Services.GetRequiredService<HealthServer>().StartAsync(default);
        try
        {
            await host.RunAsync();
        }
        catch (OperationCanceledException)
        {
            // The host was stopped while it started.
        }
        return status.Code;
    }

    /// <summary>The settings of the application over those of a preset and, below both, of an earlier
    /// run.</summary>
    private static RunConfiguration ConfigurationOf(
        IHostApplicationBuilder application,
        StoredRun? earlier
    )
    {
        var layers = new ConfigurationManager();
        foreach (var source in application.Configuration.Sources)
            ((IConfigurationBuilder)layers).Add(source);
        if (layers[SettingsReader.Preset] is { } preset)
            SettingLayers.AddFile(layers, 0, Presets.Find(preset, "Pipeline:Preset"));
        if ((earlier ?? SettingLayers.NamedRun(layers)) is { } run)
            layers.Sources.Insert(0, SettingLayers.Of(run));
        return ServiceRegistration.ConfigurationOf(
            layers,
            isOwn: false,
            folder: application.Environment.ContentRootPath
        );
    }
}
