using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary><c>POST /models/{name}/predict</c>: what <c>predict --format json</c> prints for standard input.</summary>
internal static class PlainEndpoint
{
    /// <summary>The name of the samples, as <c>predict</c> calls those of standard input.</summary>
    private const string Source = "standard input";

    private const string DarkInk = "dark_ink";
    private const string Explain = "explain";
    private const string Keep = "keep";

    /// <summary>The endings of the files that have these media types.</summary>
    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["application/json"] = ".json",
        ["application/x-ndjson"] = ".json",
        ["text/csv"] = ".csv",
        ["text/tab-separated-values"] = ".tsv",
        ["image/png"] = ".png",
        ["application/octet-stream"] = "",
    };

    /// <summary>The models with their signatures.</summary>
    public static Task WriteListAsync(HttpContext context, ServedModels models)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(
            JsonSerializer.Serialize(
                new
                {
                    Models = models.All.Select(served =>
                    {
                        var model = served.Current;
                        var signature = model.Signature;
                        return new
                        {
                            served.Name,
                            model.Sha256,
                            signature.Inputs,
                            signature.Outputs,
                            Image = signature.ImageSize is { } size
                                ? new
                                {
                                    size.Channels,
                                    size.Rows,
                                    size.Columns,
                                }
                                : null,
                            Columns = signature.Columns.Select(column => new
                            {
                                column.Name,
                                Categories = column.IsNumeric ? null : column.Categories,
                            }),
                            signature.Classes,
                            Precision = signature.IsDouble ? "double" : "single",
                        };
                    }),
                },
                JsonText.Options
            ),
            context.RequestAborted
        );
    }

    /// <summary>What is known of the drift of a model's samples.</summary>
    public static Task WriteDriftAsync(HttpContext context, ServedModel served)
    {
        var options = context.RequestServices.GetRequiredService<IOptions<ServingOptions>>().Value;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(
            JsonSerializer.Serialize(DriftState.Of(served, options), JsonText.Options),
            context.RequestAborted
        );
    }

    /// <returns>The number of samples; null if the request was refused.</returns>
    public static async ValueTask<int?> PredictAsync(HttpContext context, ServedModel served)
    {
        var request = context.Request;
        if (await RequestBody.RequireTypeAsync(context, Kinds.Keys) is not { } type)
            return null;
        var kind = Kinds[type];
        RequireParameters(request, kind);
        var isDarkInk = Flag(request, DarkInk);
        var isExplained = Flag(request, Explain);
        var kept = request.QueryString.HasValue
            ? ModelPredictions.Columns(request.Query[Keep].ToString())
            : null;
        var model = served.Current;
        return await Work.RunAsync(
            context,
            model,
            RequestBody.RentAsync,
            body =>
            {
                if (kind.Length > 0)
                    return model.Predict(
                        DataFile.Of(Source, body, kind),
                        isDarkInk,
                        isExplained,
                        kept
                    );
                var predictions = Images(served.Name, model, body);
                RequestBody.Return(body);
                return predictions;
            },
            async predictions =>
            {
                var response = context.Response;
                response.ContentType = "application/json";
                response.Headers[ModelEndpoints.HashHeader] = model.Sha256;
                foreach (var note in predictions.Notes)
                    response.Headers.Append(ModelEndpoints.NoteHeader, HeaderText(note));
                predictions.WriteJson(response.BodyWriter);
                await response.BodyWriter.FlushAsync();
                return predictions.Samples.Count;
            }
        );
    }

    /// <summary>A text as the value of a header, which is ASCII: other characters become <c>\uXXXX</c>.</summary>
    public static string HeaderText(string text) =>
        string.Concat(
            VisibleText
                .Of(text)
                .Select(each => each is >= ' ' and <= '~' ? $"{each}" : $"\\u{(int)each:x4}")
        );

    /// <summary>Images as their bytes alone, one after the other.</summary>
    private static Predictions Images(string name, LoadedModel model, ReadOnlySpan<byte> bytes)
    {
        if (model.Signature.ImageSize is not { } size)
            throw RefusedException.Of(name, "a model of images", $"one of {model.Signature}");
        var pixels = size.Count;
        if (bytes.Length == 0 || bytes.Length % pixels != 0)
        {
            throw RefusedException.Of(
                "the body",
                $"images of {pixels} bytes, a byte for each of {size}",
                $"{bytes.Length} bytes"
            );
        }
        var samples = new List<SamplePrediction>(bytes.Length / pixels);
        for (var place = 0; place < bytes.Length; place += pixels)
        {
            var outputs = new double[model.Signature.Outputs];
            model.PredictPixels(bytes.Slice(place, pixels), outputs);
            samples.Add(
                new(bytes.Length == pixels ? Source : $"{Source} {place / pixels}", outputs)
            );
        }
        return model.PredictionsOf(samples);
    }

    /// <summary>Refuses parameters that are unknown or do not apply to a kind of body.</summary>
    private static void RequireParameters(HttpRequest request, string kind)
    {
        if (!request.QueryString.HasValue)
            return;
        string[] apply = kind switch
        {
            "" => [],
            ".png" => [DarkInk],
            _ => [Explain, Keep],
        };
        foreach (var (name, values) in request.Query)
        {
            if (!apply.Contains(name))
            {
                throw RefusedException.Of(
                    "the query",
                    apply.Length == 0
                        ? "no parameters with this Content-Type"
                        : $"parameters of {string.Join(", ", apply)} with this Content-Type",
                    $"'{name}'"
                );
            }
            if (values.Count > 1)
                throw RefusedException.Of("the query", $"{name} once", "it twice");
        }
    }

    /// <exception cref="RefusedException">The value is neither true nor false.</exception>
    private static bool Flag(HttpRequest request, string name) =>
        request.QueryString.HasValue
        && request.Query.TryGetValue(name, out var value)
        && value.ToString() switch
        {
            "false" => false,
            "true" => true,
            var other => throw RefusedException.Of(name, "true or false", $"'{other}'"),
        };
}
