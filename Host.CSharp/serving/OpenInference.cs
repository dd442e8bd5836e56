using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>The Open Inference Protocol, version 2, over REST. The tensors have the names of the exported ONNX
/// graph.</summary>
internal static class OpenInference
{
    /// <summary>The names of the inputs, their types and their sizes besides the batch.</summary>
    private static IEnumerable<(string Name, string Type, int[] Shape)> InputsOf(
        ModelSignature signature
    )
    {
        if (signature.ImageSize is { } size)
        {
            return
            [
                (
                    "pixels",
                    "UINT8",
                    size.Channels == 1
                        ? [size.Rows, size.Columns]
                        : [size.Channels, size.Rows, size.Columns]
                ),
            ];
        }
        if (signature.Columns.Count == 0)
            return [("numbers", FloatOf(signature), [signature.Inputs])];
        var numbers = signature.Columns.Count(column => column.IsNumeric);
        return
        [
            .. numbers > 0 ? new (string, string, int[])[] { ("numbers", "FP64", [numbers]) } : [],
            .. signature
                .Columns.Where(column => !column.IsNumeric)
                .Select(column => (column.Name, "BYTES", new[] { 1 })),
        ];
    }

    /// <summary>The names of the inputs.</summary>
    public static string[] InputNamesOf(ModelSignature signature) =>
        [.. InputsOf(signature).Select(input => input.Name)];

    private static string FloatOf(ModelSignature signature) => signature.IsDouble ? "FP64" : "FP32";

    private static string OutputOf(ModelSignature signature) =>
        signature.Classes.Count > 0 ? "probabilities" : "predictions";

    public static Task WriteServerAsync(HttpContext context) =>
        WriteAsync(
            context,
            new
            {
                name = "pipeline",
                version = typeof(OpenInference).Assembly.GetName().Version!.ToString(3),
                extensions = Array.Empty<string>(),
            }
        );

    public static Task WriteHealthAsync(HttpContext context) =>
        WriteAsync(context, new { live = true, ready = true });

    public static Task WriteReadyAsync(HttpContext context, ServedModel model) =>
        WriteAsync(context, new { name = model.Name, ready = true });

    public static Task WriteMetadataAsync(HttpContext context, ServedModel served)
    {
        var model = served.Current;
        var signature = model.Signature;
        context.Response.Headers[ModelEndpoints.HashHeader] = model.Sha256;
        return WriteAsync(
            context,
            new
            {
                name = served.Name,
                versions = new[] { model.Sha256 },
                platform = "pipeline",
                inputs = InputsOf(signature)
                    .Select(input => new
                    {
                        name = input.Name,
                        datatype = input.Type,
                        shape = input.Shape.Prepend(-1),
                    }),
                outputs = new[]
                {
                    new
                    {
                        name = OutputOf(signature),
                        datatype = FloatOf(signature),
                        shape = new[] { -1, signature.Outputs },
                    },
                },
                parameters = new { classes = signature.Classes },
            }
        );
    }

    private static readonly string[] Types = ["application/json"];

    /// <returns>The number of samples; null if the request was refused.</returns>
    public static async ValueTask<int?> InferAsync(HttpContext context, ServedModel served)
    {
        if (await RequestBody.RequireTypeAsync(context, Types) is null)
            return null;
        var model = served.Current;
        return await Work.RunAsync(
            context,
            model,
            RequestBody.RentAsync,
            body =>
            {
                using var request = InferenceRequest.Parse(body);
                var outputs = Predict(model, request);
                RequestBody.Return(body);
                return (request.Id, Outputs: outputs);
            },
            async answer =>
            {
                await WriteAnswerAsync(context, served.Name, model, answer.Id, answer.Outputs);
                return answer.Outputs.Length / model.Signature.Outputs;
            }
        );
    }

    /// <summary>The outputs of all samples, one after the other.</summary>
    public static double[] Predict(LoadedModel model, InferenceRequest request)
    {
        var signature = model.Signature;
        request.RequireInputs(model.InputNames);
        request.RequireOutputs(OutputOf(signature));
        if (signature.Columns.Count > 0)
            return model.PredictTable(TableOf(signature, request));
        var input = request.Inputs[0];
        return signature.ImageSize is { } size
            ? PredictEach(
                signature,
                input.RequirePixels(size.Channels, size.Rows, size.Columns),
                model.PredictPixels
            )
            : PredictEach<double>(
                signature,
                input.RequireNumbers(signature.Inputs),
                model.PredictNumbers
            );
    }

    private delegate void PredictSample<T>(ReadOnlySpan<T> sample, Span<double> outputs);

    private static double[] PredictEach<T>(
        ModelSignature signature,
        ReadOnlySpan<T> samples,
        PredictSample<T> predict
    )
    {
        var outputs = new double[samples.Length / signature.Inputs * signature.Outputs];
        for (var sample = 0; sample * signature.Inputs < samples.Length; sample++)
        {
            predict(
                samples.Slice(sample * signature.Inputs, signature.Inputs),
                outputs.AsSpan(sample * signature.Outputs, signature.Outputs)
            );
        }
        return outputs;
    }

    /// <summary>The table of the tensors: one with all columns of numbers, and one for each column of
    /// categories.</summary>
    private static Table TableOf(ModelSignature signature, InferenceRequest request)
    {
        string[] numeric =
        [
            .. signature.Columns.Where(column => column.IsNumeric).Select(column => column.Name),
        ];
        var columns = new List<Column>();
        if (numeric.Length > 0)
        {
            var numbers = request.Of("numbers", isText: false).RequireNumbers(numeric.Length);
            var rows = numbers.Length / numeric.Length;
            for (var column = 0; column < numeric.Length; column++)
            {
                var own = new double[rows];
                for (var row = 0; row < rows; row++)
                    own[row] = numbers[row * numeric.Length + column];
                columns.Add(new(numeric[column], Cells.NewNumbers(own)));
            }
        }
        columns.AddRange(
            signature
                .Columns.Where(column => !column.IsNumeric)
                .Select(column => new Column(
                    column.Name,
                    Cells.NewTexts(request.Of(column.Name, isText: true).RequireTexts())
                ))
        );
        return Tables.Create(columns).OrThrow(RefusedException.At("the inputs"));
    }

    private static async Task WriteAnswerAsync(
        HttpContext context,
        string name,
        LoadedModel model,
        string? id,
        double[] outputs
    )
    {
        var signature = model.Signature;
        var response = context.Response;
        response.ContentType = "application/json";
        response.Headers[ModelEndpoints.HashHeader] = model.Sha256;
        await using var json = new Utf8JsonWriter(
            response.BodyWriter,
            new() { SkipValidation = true }
        );
        json.WriteStartObject();
        json.WriteString("model_name", name);
        json.WriteString("model_version", model.Sha256);
        if (id is not null)
            json.WriteString("id", id);
        json.WriteStartArray("outputs");
        json.WriteStartObject();
        json.WriteString("name", OutputOf(signature));
        json.WriteString("datatype", FloatOf(signature));
        json.WriteStartArray("shape");
        json.WriteNumberValue(outputs.Length / signature.Outputs);
        json.WriteNumberValue(signature.Outputs);
        json.WriteEndArray();
        json.WriteStartArray("data");
        foreach (var output in outputs)
        {
            // JSON has no numbers that are not finite.
            if (!double.IsFinite(output))
                json.WriteNullValue();
            else if (signature.IsDouble)
                json.WriteNumberValue(output);
            else
                json.WriteNumberValue((float)output);
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync();
    }

    private static Task WriteAsync<TValue>(HttpContext context, TValue value)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(
            context.Response.Body,
            value,
            JsonText.Options,
            context.RequestAborted
        );
    }
}
