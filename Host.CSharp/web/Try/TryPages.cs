using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Serving;

namespace Pipeline.Web;

/// <summary>A served model as its page shows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Sha256">The SHA-256 of its file.</param>
/// <param name="Signature">What it takes and gives.</param>
/// <param name="Fault">Why a changed file cannot be used; null if the model in use is the file's.</param>
public sealed record ModelView(string Name, string Sha256, ModelSignature Signature, string? Fault);

/// <summary>The pages of the served models: their list, and a page to try each of them.</summary>
internal static class TryPages
{
    public const string Root = "/try";

    /// <summary>The address of a model's page.</summary>
    public static string Of(string model) => $"{Root}/{model}";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var models = routes.ServiceProvider.GetRequiredService<ServedModels>();
        routes.MapPage(
            Root,
            context => Page.WriteAsync<ModelsPage>(context, models.All.Select(ViewOf).ToArray())
        );
        routes.MapPage(
            $"{Root}/{{name}}",
            context =>
            {
                var name = (string)context.Request.RouteValues["name"]!;
                return models.Find(name) is { } model
                    ? Page.WriteAsync<TryPage>(context, ViewOf(model))
                    : ModelEndpoints.WriteNoModelAsync(context, models, name);
            }
        );
    }

    private static ModelView ViewOf(ServedModel model)
    {
        var current = model.Current;
        return new(model.Name, current.Sha256, current.Signature, model.Fault);
    }
}
