using System.Buffers;
using System.Text.Json;
using Pipeline.Learning;
using Pipeline.Serving;
using Pipeline.Training;

namespace Pipeline.Fuzz;

/// <summary>Bodies of requests.</summary>
internal static class ServingTargets
{
    private static readonly LoadedModel[] Served =
    [
        new LoadedModel<float>("", "numbers", Models.OfNumbers),
        new LoadedModel<float>("", "images", Models.OfImages),
        new LoadedModel<double>("", "rows", Models.OfRows),
    ];

    private static readonly string[] Kinds = [".json", ".csv", ".tsv", ".png"];

    public static IEnumerable<Target> All { get; } =
    [
        new(
            "infer",
            () =>
                Target.Texts(
                    """{"id":"a","inputs":[{"name":"numbers","shape":[2,2],"datatype":"FP32","data":[1,2.5,-3e1,4]}]}""",
                    """{"inputs":[{"name":"pixels","shape":[1,2,3],"datatype":"UINT8","data":[0,0,0,0,255,7]}]}""",
                    """{"inputs":[{"name":"pixels","data":[[0,0,0],[0,255, 7]]}],"outputs":[]}""",
                    """{"inputs":[{"name":"numbers","shape":[1,2],"data":[40,2]},{"name":"plan","shape":[1,1],"data":["basic"]}]}"""
                ),
            Infer,
            "\"name\":",
            "\"shape\":[",
            "\"data\":[",
            "\"inputs\":[",
            "\"id\":",
            "0,0,0,0,",
            "[[",
            "]]",
            "256",
            "4294967296",
            "2147483647",
            "1e999",
            "-0",
            "\\ud800",
            "null",
            "\"plan\"",
            "\"numbers\"",
            "\"pixels\""
        ),
        new(
            "predict",
            () =>
                [
                    [0, 0, .. "[[1,2],[3,4.5]]"u8],
                    [2, 0, .. """{"age":40,"calls":2,"plan":"basic","id":7}"""u8],
                    [2, 1, .. "age,calls,plan\n40,2,basic\n,,plus\n"u8],
                    [2, 2, .. "age\tcalls\tplan\n40\t2\tbasic\n"u8],
                    [1, 0, .. "[[0,0,0,0,255,7]]"u8],
                    [1, 3, .. PngWriter.OfBytes(new(ImageSize.Grey(2, 3), [0, 1, 2, 3, 4, 255]))],
                    [1, 3, 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 255, 7],
                ],
            Predict,
            "age",
            "calls",
            "plan",
            "basic",
            "plus",
            ",",
            "\n",
            "\"",
            "1e999",
            "1e308",
            "null",
            "NA"
        ),
    ];

    /// <summary>A request of the Open Inference Protocol: read with the loop for pixels and without it, it is the same,
    /// and so are the answers of every model.</summary>
    private static void Infer(byte[] input)
    {
        InferenceRequest? slow = null;
        RefusedException? refused = null;
        try
        {
            slow = Oracle.Bounded(input.Length, () => InferenceRequest.Parse(input, isFast: false));
        }
        catch (RefusedException found)
        {
            refused = found;
        }
        var fast = Oracle.OrNull(() => InferenceRequest.Parse(input, isFast: true));
        Oracle.Require(
            slow is null == fast is null,
            $"one reader refuses, the other not: {refused?.Message}"
        );
        if (slow is null || fast is null)
            throw refused!;
        Same(fast, slow);
        refused = null;
        var answers = 0;
        foreach (var model in Served)
        {
            try
            {
                var outputs = OpenInference.Predict(model, slow);
                answers++;
                var others = OpenInference.Predict(model, fast);
                Oracle.Require(
                    outputs.AsSpan().SequenceEqual(others),
                    "the two readings have other answers"
                );
                Oracle.Require(
                    outputs.Length % model.Signature.Outputs == 0,
                    "a part of a sample's outputs"
                );
            }
            catch (RefusedException found)
            {
                Oracle.Require(
                    Oracle.OrNull(() => OpenInference.Predict(model, fast)) is null,
                    "one reading is answered, the other refused"
                );
                refused = found;
            }
        }
        slow.Dispose();
        fast.Dispose();
        if (answers == 0)
            throw refused!;
    }

    private static void Same(InferenceRequest one, InferenceRequest other)
    {
        Oracle.Require(one.Id == other.Id, "another id");
        Oracle.Require(one.Inputs.Count == other.Inputs.Count, "another number of inputs");
        foreach (var (first, second) in one.Inputs.Zip(other.Inputs))
        {
            Oracle.Require(first.Name == second.Name, "another name");
            Oracle.Require(
                (first.Shape ?? []).SequenceEqual(second.Shape ?? [])
                    && first.Shape is null == second.Shape is null,
                "another shape"
            );
            Oracle.Require(
                (first.Strings ?? []).SequenceEqual(second.Strings ?? []),
                "other texts"
            );
            Oracle.Require(Numbers(first).SequenceEqual(Numbers(second)), "other numbers");
            if (first.Shape is { } shape)
            {
                var size = shape.Aggregate(
                    System.Numerics.BigInteger.One,
                    (product, each) => product * each
                );
                var count = first.Strings?.Length ?? Numbers(first).Count;
                var isFitting =
                    Oracle.OrNull(() =>
                        first.Strings is null
                            ? (object)first.RequireNumbers(1)
                            : first.RequireTexts()
                    )
                    is not null;
                Oracle.Require(
                    !isFitting || size == count,
                    $"{count} values of the shape of {size}"
                );
            }
        }
    }

    private static IReadOnlyList<double> Numbers(InferenceInput input) =>
        input.Numbers ?? [.. input.Pixels?.Select(pixel => (double)pixel) ?? []];

    /// <summary>Samples of the plain endpoint: the answer is JSON, twice the same, and that of a model of rows is the
    /// same row by row.</summary>
    private static void Predict(byte[] input)
    {
        if (input.Length < 2)
            return;
        var model = Served[input[0] % Served.Length];
        var kind = Kinds[input[1] % Kinds.Length];
        var isExplained = (input[1] & 0x80) != 0;
        var body = input[2..];
        Predictions Ask(byte[] bytes) =>
            model.Predict(
                DataFile.Of("standard input", bytes, kind),
                isDarkInk: false,
                isExplained,
                kept: (input[1] & 0x40) != 0 ? ["plan"] : null
            );

        var predictions = Oracle.Bounded(body.Length, () => Ask(body), 16_000_000);
        var json = Written(predictions);
        using (JsonDocument.Parse(json)) { }
        Oracle.Require(
            Written(Ask(body)).AsSpan().SequenceEqual(json),
            "the same samples have other answers"
        );
        foreach (var outputs in predictions.Samples.Select(sample => sample.Outputs))
            Oracle.Require(!outputs.Any(double.IsNaN), "an answer that is not a number");
        predictions.ToCsv();
        predictions.ToText(3);
    }

    private static byte[] Written(Predictions predictions)
    {
        var bytes = new ArrayBufferWriter<byte>();
        predictions.WriteJson(bytes);
        return bytes.WrittenSpan.ToArray();
    }
}
