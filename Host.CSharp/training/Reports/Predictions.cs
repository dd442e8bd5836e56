using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The prediction for a sample.</summary>
/// <param name="Sample">The sample's name.</param>
/// <param name="Outputs">The probability of every class, or the numbers predicted.</param>
internal sealed record SamplePrediction(string Sample, double[] Outputs)
{
    /// <summary>The cells of columns that are kept, with their names.</summary>
    public IReadOnlyList<(string Name, string Text)> Kept { get; init; } = [];

    /// <summary>What each column adds to the answer; null if that is not asked for.</summary>
    public Attribution? Explanation { get; init; }
}

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

    /// <summary>The margins of sets of classes or of intervals; null for none.</summary>
    public Conformal? Conformal { get; init; }

    /// <summary>What was assumed about the samples, or may be wrong with them, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The fault of a model whose sums overflow.</summary>
    public static string NotANumber(string model, string sample) =>
        DataFile.Sentence(
            model,
            $"outputs that are numbers for {sample}",
            "NaN or infinity: the weights or the inputs are too large for the precision"
        );

    /// <summary>Refuses outputs that are not finite: an answer has no way to say them.</summary>
    /// <param name="outputs">The outputs of one sample or more.</param>
    /// <param name="sample">Its name, in words.</param>
    /// <exception cref="RefusedException">An output is NaN or infinite.</exception>
    public static void RequireFinite(ReadOnlySpan<double> outputs, string sample)
    {
        foreach (var output in outputs)
        {
            if (!double.IsFinite(output))
                throw new RefusedException([NotANumber("the model", sample)]);
        }
    }

    /// <summary>A line for each sample, with the most probable classes.</summary>
    public string ToText(int top) =>
        string.Concat(
            Samples.Select(prediction =>
                VisibleText.Of(
                    $"{prediction.Sample}{KeptText(prediction)}: {string.Join(", ", AreClasses ? Best(prediction, top) : prediction.Outputs.Select(NumberOf))}{SetText(prediction)}"
                )
                + "\n"
                + (prediction.Explanation is { } explanation ? Lines(prediction, explanation) : "")
            )
        );

    private static string KeptText(SamplePrediction prediction) =>
        prediction.Kept.Count == 0
            ? ""
            : $" ({string.Join(", ", prediction.Kept.Select(one => $"{one.Name} {one.Text}"))})";

    private string SetText(SamplePrediction prediction) =>
        AreClasses && Conformal is not null
            ? $"; {CoverageText.Share(Conformal.Coverage)} set: {string.Join(", ", SetOf(prediction)!)}"
            : "";

    private string NumberOf(double number, int output)
    {
        if (Conformal is null)
            return Exact(number);
        var (lower, upper) = ConformalPredictions.Interval(Conformal, output, number);
        return $"{Exact(number)} ({CoverageText.Share(Conformal.Coverage)} interval: {Exact(lower)} to {Exact(upper)})";
    }

    /// <summary>The classes that a sample may be of; null without margins, or for numbers.</summary>
    public IEnumerable<string>? SetOf(SamplePrediction prediction) =>
        AreClasses && Conformal is not null
            ? ConformalPredictions
                .Classes(Conformal, Decision, prediction.Outputs)
                .Select(k => OutputNames[k])
            : null;

    /// <summary>The bounds of every number; null without margins, or for classes.</summary>
    public (double Lower, double Upper)[]? IntervalsOf(SamplePrediction prediction) =>
        !AreClasses && Conformal is not null
            ?
            [
                .. prediction.Outputs.Select(
                    (number, output) => ConformalPredictions.Interval(Conformal, output, number)
                ),
            ]
            : null;

    /// <summary>The titles of the columns of sets and intervals.</summary>
    private IEnumerable<string> RegionTitles =>
        Conformal is null ? []
        : AreClasses ? ["set"]
        : OutputNames.Count == 1 ? ["lower", "upper"]
        : OutputNames.SelectMany(name => new[] { $"lower {name}", $"upper {name}" });

    private IEnumerable<string> RegionCells(SamplePrediction prediction) =>
        SetOf(prediction) is { } set ? [string.Join('|', set)]
        : IntervalsOf(prediction) is { } intervals
            ? intervals.SelectMany(bounds => new[] { Exact(bounds.Lower), Exact(bounds.Upper) })
        : [];

    /// <summary>The baseline, and what each column adds, the greatest parts first.</summary>
    private string Lines(SamplePrediction prediction, Attribution explanation)
    {
        var format = AreClasses ? "F4" : "G6";
        string Signed(double number) =>
            (number < 0 ? "−" : "+")
            + Math.Abs(number).ToString(format, CultureInfo.InvariantCulture);
        var width = explanation.Parts.Max(part => VisibleText.Of(part.Item1).Length);
        return string.Concat(
            explanation
                .Parts.OrderByDescending(part => Math.Abs(part.Item2))
                .Select(part =>
                    $"  {VisibleText.Of(part.Item1).PadRight(width)}  {Signed(part.Item2)}\n"
                )
                .Prepend(
                    $"  {(AreClasses ? ClassOf(prediction) : "prediction")} of a row with every input 0: {explanation.Baseline.ToString(format, CultureInfo.InvariantCulture)}\n"
                )
        );
    }

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
        string[] explained = Samples is [{ Explanation: { } first }, ..]
            ? ["baseline", .. first.Parts.Select(part => $"added by {part.Item1}")]
            : [];
        const string Sample = "sample";
        string[] answers =
        [
            .. AreClasses ? ["class"] : Array.Empty<string>(),
            .. OutputNames,
            .. RegionTitles,
            .. explained,
        ];
        var kept = Samples is [var sample, ..]
            ? sample.Kept.Select(one =>
                one.Name == Sample || answers.Contains(one.Name) ? $"kept {one.Name}" : one.Name
            )
            : [];
        text.Append(CsvText.Row([Sample, .. kept, .. answers]));
        foreach (var prediction in Samples)
        {
            var numbers = prediction.Outputs.Select(Exact).Concat(RegionCells(prediction));
            if (prediction.Explanation is { } explanation)
            {
                numbers =
                [
                    .. numbers,
                    Exact(explanation.Baseline),
                    .. explanation.Parts.Select(part => Exact(part.Item2)),
                ];
            }
            string[] own = [prediction.Sample, .. prediction.Kept.Select(one => one.Text)];
            string[] cells = AreClasses
                ? [.. own, ClassOf(prediction), .. numbers]
                : [.. own, .. numbers];
            text.Append(CsvText.Row(cells));
        }
        return text.ToString();
    }

    public string ToJson()
    {
        var bytes = new ArrayBufferWriter<byte>();
        WriteJson(bytes);
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>Writes a list of all predictions as JSON, and a line feed.</summary>
    public void WriteJson(IBufferWriter<byte> destination)
    {
        using (
            var json = new Utf8JsonWriter(
                destination,
                new() { Indented = true, SkipValidation = true }
            )
        )
        {
            json.WriteStartArray();
            foreach (var prediction in Samples)
                Write(json, prediction);
            json.WriteEndArray();
        }
        destination.Write("\n"u8);
    }

    private void Write(Utf8JsonWriter json, SamplePrediction prediction)
    {
        json.WriteStartObject();
        json.WriteString("sample", prediction.Sample);
        if (prediction.Kept.Count > 0)
        {
            json.WriteStartObject("kept");
            foreach (var (name, text) in prediction.Kept)
                json.WriteString(name, text);
            json.WriteEndObject();
        }
        if (AreClasses)
            json.WriteString("class", ClassOf(prediction));
        else
            json.WriteNull("class");
        json.WriteStartObject("outputs");
        for (var output = 0; output < prediction.Outputs.Length; output++)
            Write(json, OutputNames[output], prediction.Outputs[output]);
        json.WriteEndObject();
        if (Conformal is not null)
        {
            Write(json, "coverage", Conformal.Coverage);
            WriteRegion(json, prediction);
        }
        if (prediction.Explanation is { } explanation)
        {
            json.WriteStartObject("explanation");
            Write(json, "prediction", explanation.Prediction);
            Write(json, "baseline", explanation.Baseline);
            json.WriteStartObject("columns");
            foreach (var (name, part) in explanation.Parts)
                Write(json, name, part);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private void WriteRegion(Utf8JsonWriter json, SamplePrediction prediction)
    {
        if (SetOf(prediction) is { } set)
        {
            json.WriteStartArray("set");
            foreach (var name in set)
                json.WriteStringValue(name);
            json.WriteEndArray();
        }
        if (IntervalsOf(prediction) is { } intervals)
        {
            json.WriteStartObject("intervals");
            foreach (var (name, (lower, upper)) in OutputNames.Zip(intervals))
            {
                json.WriteStartObject(name);
                Write(json, "lower", lower);
                Write(json, "upper", upper);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
    }

    /// <summary>A number; JSON has none that is not finite, so that null stands for it.</summary>
    private static void Write(Utf8JsonWriter json, string name, double number)
    {
        if (double.IsFinite(number))
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }

    /// <summary>The class that is answered.</summary>
    public string ClassOf(SamplePrediction prediction) => OutputNames[Answer(prediction)];

    /// <summary>The output that is answered.</summary>
    public int Answer(SamplePrediction prediction) =>
        Decisions.Answer(Decision, prediction.Outputs);

    private static string Exact(double number) =>
        number.ToString("R", CultureInfo.InvariantCulture);
}
