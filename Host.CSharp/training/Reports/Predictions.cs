using System.Globalization;
using System.Text;
using System.Text.Json;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The prediction for a sample.</summary>
/// <param name="Sample">The sample's name.</param>
/// <param name="Outputs">The probability of every class, or the numbers predicted.</param>
internal sealed record SamplePrediction(string Sample, double[] Outputs);

/// <summary>Predictions as text, CSV and JSON.</summary>
/// <param name="OutputNames">The classes' names.</param>
/// <param name="AreClasses">Whether the outputs are classes, not numbers.</param>
/// <param name="Samples">One prediction for each sample.</param>
internal sealed record Predictions(
    IReadOnlyList<string> OutputNames,
    bool AreClasses,
    IReadOnlyList<SamplePrediction> Samples
)
{
    /// <summary>When a class is answered; null for the most probable class.</summary>
    public Decision? Decision { get; init; }

    /// <summary>The fault of a model whose sums overflow.</summary>
    public static string NotANumber(string model, string sample) =>
        DataFile.Sentence(
            model,
            $"outputs that are numbers for {sample}",
            "NaN: the weights or the inputs are too large for the precision"
        );

    /// <summary>A line for each sample, with the most probable classes.</summary>
    public string ToText(int top) =>
        string.Concat(
            Samples.Select(prediction =>
                VisibleText.Of(
                    $"{prediction.Sample}: {string.Join(", ", AreClasses ? Best(prediction, top) : prediction.Outputs.Select(Exact))}"
                ) + "\n"
            )
        );

    /// <summary>The answer, and the other classes by their probabilities.</summary>
    private IEnumerable<string> Best(SamplePrediction prediction, int top) =>
        prediction
            .Outputs.Select((probability, output) => (probability, output))
            .OrderByDescending(pair => pair.output == Answer(prediction))
            .ThenByDescending(pair => pair.probability)
            .Take(top)
            .Select(pair =>
                $"{OutputNames[pair.output]} ({pair.probability.ToString("F4", CultureInfo.InvariantCulture)})"
            );

    /// <summary>Names, answers and every output as comma-separated values.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder();
        string[] titles = AreClasses
            ? ["sample", "class", .. OutputNames]
            : ["sample", .. OutputNames];
        text.Append(CsvText.Row(titles));
        foreach (var prediction in Samples)
        {
            var numbers = prediction.Outputs.Select(Exact);
            string[] cells = AreClasses
                ? [prediction.Sample, ClassOf(prediction), .. numbers]
                : [prediction.Sample, .. numbers];
            text.Append(CsvText.Row(cells));
        }
        return text.ToString();
    }

    public string ToJson() =>
        JsonSerializer.Serialize(
            Samples.Select(prediction => new
            {
                prediction.Sample,
                Class = AreClasses ? ClassOf(prediction) : null,
                Outputs = OutputNames
                    .Zip(prediction.Outputs)
                    .ToDictionary(pair => pair.First, pair => pair.Second),
            }),
            JsonText.Options
        ) + "\n";

    private string ClassOf(SamplePrediction prediction) => OutputNames[Answer(prediction)];

    private int Answer(SamplePrediction prediction) =>
        Decisions.Answer(Decision, prediction.Outputs);

    private static string Exact(double number) =>
        number.ToString("R", CultureInfo.InvariantCulture);
}
