using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Pipeline.Serving;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>The page to try a model.</summary>
/// <param name="Model">The model.</param>
/// <param name="Form">The sample, or the one to begin with.</param>
/// <param name="Answer">The answer; without numbers if nothing was asked.</param>
public sealed record TryView(ModelView Model, SampleForm Form, AnswerView Answer)
{
    /// <summary>What is wrong with the sample.</summary>
    public IReadOnlyList<string> Faults { get; init; } = [];

    /// <summary>What may be wrong with it.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>The pages of the served models: their list, and a page to try each of them. Scripts ask the plain endpoint;
/// without scripts a browser sends the page's form.</summary>
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
            context =>
                Page.WriteAsync<ModelsPage>(
                    context,
                    models.All.Select(model => ViewOf(context, model, model.Current)).ToArray()
                )
        );
        var page = Of("{name}");
        routes.MapRead(page, ModelEndpoints.ForModel(models, WriteAsync));
        routes.MapPost(
            page,
            ModelEndpoints.ForModel(models, ModelEndpoints.Timed(routes, PredictAsync))
        );
    }

    private static ModelView ViewOf(HttpContext context, ServedModel served, LoadedModel model) =>
        ModelView.Of(
            served,
            model,
            context.RequestServices.GetRequiredService<IOptions<ServingOptions>>().Value
        );

    private static Task WriteAsync(HttpContext context, ServedModel served)
    {
        var model = served.Current;
        var view = ViewOf(context, served, model);
        return WriteAsync(context, view, SampleForm.Of(view), model.PredictionsOf([]), []);
    }

    private static async ValueTask<int?> PredictAsync(HttpContext context, ServedModel served)
    {
        var model = served.Current;
        var view = ViewOf(context, served, model);
        if (await SampleForm.ReadAsync(context, view) is not { } form)
            return null;
        try
        {
            return await Work.RunAsync(
                context,
                model,
                _ => ValueTask.FromResult(form),
                sample =>
                    model.Predict(sample.ToFile(view), sample.IsDarkInk, sample.IsExplained, null),
                async predictions =>
                {
                    await WriteAsync(context, view, form, predictions, []);
                    return predictions.Samples.Count;
                }
            );
        }
        catch (RefusedException refused)
        {
            await WriteAsync(context, view, form, model.PredictionsOf([]), refused.Reasons);
            return null;
        }
    }

    private static Task WriteAsync(
        HttpContext context,
        ModelView model,
        SampleForm form,
        Predictions predictions,
        IReadOnlyList<string> faults
    ) =>
        Page.WriteAsync<TryPage>(
            context,
            new TryView(
                model,
                form,
                AnswerView.Of(predictions, model.Fields.Select(field => field.Column))
            )
            {
                Faults = [.. faults.Select(VisibleText.Of)],
                Notes = [.. predictions.Notes.Select(VisibleText.Of)],
            },
            faults.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest
        );
}
