using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>Adds models to an application.</summary>
public static class ServingExtensions
{
    /// <summary>Adds a model. <see cref="IPredictor"/> is registered under its name and, for an application with one
    /// model, without a name. The file is read when the application starts, and again when it changes; a health check
    /// of the model's name is degraded while a changed file cannot be used.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The model's name in URLs: 1 to 200 letters, digits, points, hyphens and underscores.</param>
    /// <param name="path">A <c>.safetensors</c> or <c>.npz</c> file, or the folder of a run.</param>
    /// <exception cref="RefusedException">The name is not one for a URL.</exception>
    public static IServiceCollection AddPipelineModel(
        this IServiceCollection services,
        string name,
        string path
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(path);
        ModelName.Require(name);
        services.AddServing();
        services.AddKeyedSingleton(
            name,
            (provider, _) =>
                new ServedModel(
                    name,
                    path,
                    provider.GetRequiredService<IFiles>(),
                    provider.GetRequiredService<TimeProvider>()
                )
        );
        services.AddSingleton(provider => provider.GetRequiredKeyedService<ServedModel>(name));
        services.AddKeyedSingleton<IPredictor>(
            name,
            (provider, _) => provider.GetRequiredKeyedService<ServedModel>(name)
        );
        services.AddSingleton<IPredictor>(provider =>
            provider.GetRequiredKeyedService<ServedModel>(name)
        );
        services
            .AddHealthChecks()
            .Add(
                new HealthCheckRegistration(
                    name,
                    provider => new ModelHealthCheck(
                        provider.GetRequiredKeyedService<ServedModel>(name)
                    ),
                    null,
                    ["pipeline"]
                )
            );
        return services;
    }

    /// <summary>Adds what any number of models share.</summary>
    internal static void AddServing(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IFiles, DiskFiles>();
        services.AddMetrics();
        services.TryAddSingleton<ServingMetrics>();
        services.TryAddSingleton<ServedModels>();
        services.TryAddSingleton<WorkLimiter>();
        services.AddHostedService<ModelReloader>();
        services.AddOptions<ServingOptions>();
        services.AddHostedService<DriftMonitor>();
    }

    /// <summary>Maps the endpoints of all models: the Open Inference Protocol below <c>/v2</c>, the plain endpoint
    /// <c>POST /models/{name}/predict</c>, the list <c>/models</c>, <c>/models/{name}/drift</c>, and
    /// <c>/openapi.json</c>.</summary>
    /// <param name="routes">The application.</param>
    /// <returns>The endpoints, for authorisation and other conventions.</returns>
    public static IEndpointConventionBuilder MapPipelineModels(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        return ModelEndpoints.Map(routes);
    }
}
