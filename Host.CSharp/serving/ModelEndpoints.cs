using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>The endpoints of the served models.</summary>
internal static class ModelEndpoints
{
    /// <summary>The header with the SHA-256 of the model that an answer is of.</summary>
    public const string HashHeader = "Pipeline-Model-Sha256";

    /// <summary>The header with a note on an answer, which <c>predict</c> prints.</summary>
    public const string NoteHeader = "Pipeline-Note";

    /// <summary>The path of the description of all endpoints.</summary>
    private const string OpenApi = "/openapi.json";

    /// <summary>What answers a request for a model that exists.</summary>
    public delegate Task ModelRequest(HttpContext context, ServedModel model);

    /// <summary>The path of a model's plain endpoint.</summary>
    public static string PathOf(string model) => $"/models/{model}/predict";

    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder routes)
    {
        var models = routes.ServiceProvider.GetRequiredService<ServedModels>();
        var group = routes.MapGroup("");
        group.MapRead("/v2", Answer(OpenInference.WriteServerAsync));
        group.MapRead(
            "/v2/health/live",
            Answer(context => OpenInference.WriteHealthAsync(context))
        );
        group.MapRead(
            "/v2/health/ready",
            Answer(context => OpenInference.WriteHealthAsync(context))
        );
        foreach (var version in (string[])["", "/versions/{version}"])
        {
            group.MapRead($"/v2/models/{{name}}{version}", Of(OpenInference.WriteMetadataAsync));
            group.MapRead($"/v2/models/{{name}}{version}/ready", Of(OpenInference.WriteReadyAsync));
            group.MapPost(
                $"/v2/models/{{name}}{version}/infer",
                Of(Timed(routes, OpenInference.InferAsync))
            );
        }
        group.MapRead("/models", Answer(context => PlainEndpoint.WriteListAsync(context, models)));
        group.MapRead("/models/{name}/drift", Of(PlainEndpoint.WriteDriftAsync));
        group.MapPost(PathOf("{name}"), Of(Timed(routes, PlainEndpoint.PredictAsync)));
        group.MapRead(OpenApi, Answer(WriteOpenApiAsync));
        return group;

        RequestDelegate Of(ModelRequest request) => ForModel(models, request);
    }

    /// <summary>Maps a resource that clients read: GET, and HEAD, which has no body.</summary>
    public static void MapRead(
        this IEndpointRouteBuilder routes,
        string pattern,
        RequestDelegate answer
    ) => routes.MapMethods(pattern, ["GET", "HEAD"], answer);

    /// <summary>Answers a request for the model, and the version if there is one, that its path names.</summary>
    public static RequestDelegate ForModel(ServedModels models, ModelRequest request) =>
        Answer(context =>
        {
            var name = (string)context.Request.RouteValues["name"]!;
            if (models.Find(name) is not { } model)
                return WriteNoModelAsync(context, models, name);
            if (context.Request.RouteValues["version"] is string version && version != model.Sha256)
            {
                return Problem.WriteAsync(
                    context,
                    StatusCodes.Status404NotFound,
                    $"the version of model {name}",
                    $"{model.Sha256}, or no version",
                    $"'{version}'"
                );
            }
            return request(context, model);
        });

    private static Task WriteNoModelAsync(HttpContext context, ServedModels models, string name) =>
        Problem.WriteAsync(
            context,
            StatusCodes.Status404NotFound,
            "the model",
            models.All.Count > 0
                ? $"one of {string.Join(", ", models.All.Select(served => served.Name))}"
                : "one of the service's models (none)",
            $"'{name}'"
        );

    /// <summary>Counts a request for predictions, and its time and samples.</summary>
    /// <param name="routes">Where the endpoint is mapped.</param>
    /// <param name="predict">Answers the request; its result is the number of samples, or null if the request was
    /// refused.</param>
    public static ModelRequest Timed(
        IEndpointRouteBuilder routes,
        Func<HttpContext, ServedModel, ValueTask<int?>> predict
    )
    {
        // The services of the request itself would be made for each of them.
        var metrics = routes.ServiceProvider.GetRequiredService<ServingMetrics>();
        return async (context, model) =>
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                if (await predict(context, model) is { } samples)
                {
                    var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                    metrics.Predicted(model.Name, samples, seconds);
                }
                else
                    metrics.Refused(model.Name, context.Response.StatusCode);
            }
            catch (BadHttpRequestException bad) when (!context.Response.HasStarted)
            {
                metrics.Refused(model.Name, bad.StatusCode);
                throw;
            }
            catch (OperationCanceledException) when (IsLate(context))
            {
                metrics.Refused(model.Name, StatusCodes.Status504GatewayTimeout);
                throw;
            }
            catch (RefusedException refused)
            {
                metrics.Refused(model.Name, StatusCodes.Status400BadRequest);
                await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, refused.Reasons);
            }
        };
    }

    /// <summary>Whether the time for a request is over, as opposed to a client that went away.</summary>
    private static bool IsLate(HttpContext context) =>
        context.Features.Get<IHttpRequestTimeoutFeature>() is { } timeout
        && timeout.RequestTimeoutToken.IsCancellationRequested;

    /// <summary>Turns every fault into a problem with its sentence.</summary>
    public static RequestDelegate Answer(RequestDelegate request) =>
        async context =>
        {
            try
            {
                await request(context);
            }
            catch (BadHttpRequestException bad) when (!context.Response.HasStarted)
            {
                // The server's own limits: a body that is too long or too slow.
                await Problem.WriteAsync(context, bad.StatusCode, bad.Message);
            }
            catch (RefusedException refused) when (!context.Response.HasStarted)
            {
                // The answer depends on a file that cannot be read: faults of the request itself are caught earlier.
                await Problem.WriteAsync(
                    context,
                    StatusCodes.Status422UnprocessableEntity,
                    refused.Reasons
                );
            }
            catch (Exception unexpected)
                when (unexpected is not OperationCanceledException && !context.Response.HasStarted)
            {
                context
                    .RequestServices.GetRequiredService<ILoggerFactory>()
                    .CreateLogger(typeof(ModelEndpoints))
                    .RequestFailed(unexpected);
                await Problem.WriteAsync(
                    context,
                    StatusCodes.Status500InternalServerError,
                    "The request failed; the log of the service says why."
                );
            }
        };

    private static async Task WriteOpenApiAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        await using var document = typeof(ModelEndpoints).Assembly.GetManifestResourceStream(
            "Pipeline.Serving.openapi.json"
        )!;
        await document.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
