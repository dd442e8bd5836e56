using System.Globalization;
using System.Text.Json;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using static System.FormattableString;

namespace Pipeline.Training;

/// <summary>A sample as a picture: bytes of grey, row after row.</summary>
internal sealed record GreyImage(int Rows, int Columns, byte[] Pixels);

/// <summary>What a unit of the first layer weighs its inputs with.</summary>
/// <param name="Inputs">The inputs' names; none of images.</param>
/// <param name="ImageSize">Rows and columns, where inputs are pixels.</param>
/// <param name="Units">The weights of each unit.</param>
internal sealed record FirstLayer(
    IReadOnlyList<string> Inputs,
    (int Rows, int Columns)? ImageSize,
    IReadOnlyList<double[]> Units
);

/// <summary>Everything that a report on a model's evaluation tells.</summary>
/// <param name="Model">The network's sizes.</param>
/// <param name="Source">Where the model is from.</param>
/// <param name="Data">Where the test samples are from.</param>
/// <param name="ClassNames">The outputs' names.</param>
/// <param name="Evaluation">The figures.</param>
/// <param name="Leakage">A sentence where test samples have leaked.</param>
/// <param name="Pictures">The mistakes as pictures, where samples are images.</param>
/// <param name="Weights">The first layer.</param>
internal sealed record EvaluationReport(
    string Model,
    string Source,
    string Data,
    IReadOnlyList<string> ClassNames,
    Evaluation Evaluation,
    string? Leakage,
    IReadOnlyList<GreyImage> Pictures,
    FirstLayer Weights
)
{
    /// <summary>More classes than these make a matrix that nobody reads.</summary>
    public const int MostInMatrix = 20;

    private const int MostConfusions = 15;

    /// <summary>A sentence where the test samples are not those of the model's run.</summary>
    public string? OtherData { get; init; }

    public string ClassName(int output) =>
        output < ClassNames.Count
            ? ClassNames[output]
            : output.ToString(CultureInfo.InvariantCulture);

    /// <summary>What a person should know first.</summary>
    public IReadOnlyList<string> Sentences =>
        Evaluation switch
        {
            Evaluation.Classes classes => [.. SentencesOf(classes.Item), .. Warnings],
            Evaluation.Numbers numbers =>
            [
                Invariant(
                    $"Predictions of {Counted.Of(numbers.Item.Samples, "test sample")} are off by {numbers.Item.RootMeanSquaredError:G4} (root mean squared error) and explain {numbers.Item.Determination * 100:F1} % of the variance."
                ),
                .. Warnings,
            ],
            _ => [],
        };

    private IEnumerable<string> Warnings => new[] { OtherData, Leakage }.OfType<string>();

    private IEnumerable<string> SentencesOf(ClassEvaluation figures)
    {
        var right = (int)Math.Round(figures.Accuracy * figures.Samples);
        yield return Invariant(
            $"The network classifies {right:N0} of {Counted.Of(figures.Samples, "test sample")} correctly ({figures.Accuracy * 100:F2} %)."
        );
        if (
            figures.Classes.Where(k => k is { Support: > 0, Recall: < 1 }).MinBy(k => k.Recall) is
            { } missed
        )
        {
            yield return Invariant(
                $"The class missed most often is {ClassName(missed.Class)}: {missed.Recall * 100:F1} % of its samples are found."
            );
        }
        if (Confusions(figures).FirstOrDefault() is { Count: > 0 } most)
        {
            yield return Invariant(
                $"The most frequent confusion: {ClassName(most.Expected)} taken for {ClassName(most.Said)}, {most.Count:N0} of {Counted.Of(figures.Classes[most.Expected].Support, "time")}."
            );
        }
        if (!double.IsNaN(figures.CalibrationError))
        {
            yield return Invariant(
                $"How sure the network is and how often it is right are {figures.CalibrationError * 100:F1} percentage points apart on average."
            );
        }
    }

    /// <summary>Pairs of classes, the most frequently confused first.</summary>
    private static IEnumerable<(int Expected, int Said, int Count)> Confusions(
        ClassEvaluation figures
    ) =>
        from expected in Enumerable.Range(0, figures.Classes.Length)
        from said in Enumerable.Range(0, figures.Classes.Length)
        let count = figures.Confusion[expected, said]
        where said != expected && count > 0
        orderby count descending
        select (expected, said, count);

    /// <summary>The figures in one line each.</summary>
    public ReportTable Figures =>
        new(
            "Figures",
            ["figure", "value"],
            Evaluation switch
            {
                Evaluation.Classes { Item: var classes } =>
                [
                    ["samples", ReportTable.Count(classes.Samples)],
                    ["accuracy", ReportTable.Number(classes.Accuracy)],
                    ["macro precision", ReportTable.Number(classes.MacroPrecision)],
                    ["macro recall", ReportTable.Number(classes.MacroRecall)],
                    ["macro F1", ReportTable.Number(classes.MacroF1)],
                    ["loss (negative log-likelihood)", ReportTable.Number(classes.Loss)],
                    ["expected calibration error", ReportTable.Number(classes.CalibrationError)],
                    .. classes.TopK.Select(
                        (share, place) =>
                            (IReadOnlyList<string>)
                                [$"top-{place + 1} accuracy", ReportTable.Number(share)]
                    ),
                ],
                Evaluation.Numbers { Item: var numbers } =>
                [
                    ["samples", ReportTable.Count(numbers.Samples)],
                    [
                        "root mean squared error",
                        ReportTable.Number(numbers.RootMeanSquaredError, "G6"),
                    ],
                    ["R²", ReportTable.Number(numbers.Determination)],
                    ["loss (half the squared error)", ReportTable.Number(numbers.Loss, "G6")],
                ],
                _ => [],
            }
        );

    public ReportTable TopTable(ClassEvaluation figures) =>
        new(
            "Top-k accuracy",
            ["its class is among the", "share"],
            [
                .. figures.TopK.Select(
                    (share, place) =>
                        (IReadOnlyList<string>)
                            [
                                place == 0 ? "first answer" : $"first {place + 1} answers",
                                ReportTable.Number(share),
                            ]
                ),
            ]
        );

    public ReportTable ClassTable(ClassEvaluation figures) =>
        new(
            "Classes",
            ["class", "samples", "predicted", "precision", "recall", "F1"],
            [
                .. figures.Classes.Select(k =>
                    (IReadOnlyList<string>)
                        [
                            ClassName(k.Class),
                            ReportTable.Count(k.Support),
                            ReportTable.Count(k.Predicted),
                            ReportTable.Number(k.Precision),
                            ReportTable.Number(k.Recall),
                            ReportTable.Number(k.F1),
                        ]
                ),
            ]
        );

    /// <summary>The confusion matrix; of very many classes, the most frequent confusions.</summary>
    public ReportTable ConfusionTable(ClassEvaluation figures)
    {
        var classes = Enumerable.Range(0, figures.Classes.Length);
        return figures.Classes.Length <= MostInMatrix
            ? new(
                "Confusion: the class in rows, the answer in columns",
                ["class", .. classes.Select(ClassName)],
                [
                    .. classes.Select(expected =>
                        (IReadOnlyList<string>)
                            [
                                ClassName(expected),
                                .. classes.Select(said =>
                                    ReportTable.Count(figures.Confusion[expected, said])
                                ),
                            ]
                    ),
                ]
            )
            : new(
                "Most frequent confusions",
                ["class", "taken for", "times"],
                [
                    .. Confusions(figures)
                        .Take(MostConfusions)
                        .Select(pair =>
                            (IReadOnlyList<string>)
                                [
                                    ClassName(pair.Expected),
                                    ClassName(pair.Said),
                                    ReportTable.Count(pair.Count),
                                ]
                        ),
                ]
            );
    }

    public ReportTable ReliabilityTable(ClassEvaluation figures) =>
        new(
            "Reliability",
            ["confidence", "samples", "mean confidence", "accuracy"],
            [
                .. figures
                    .Reliability.Where(bin => bin.Count > 0)
                    .Select(bin =>
                        (IReadOnlyList<string>)
                            [
                                Invariant($"{bin.Lower:F2} to {bin.Upper:F2}"),
                                ReportTable.Count(bin.Count),
                                ReportTable.Number(bin.Confidence),
                                ReportTable.Number(bin.Accuracy),
                            ]
                    ),
            ]
        );

    public ReportTable MistakeTable(ClassEvaluation figures) =>
        new(
            "Most confident mistakes",
            ["test sample", "class", "taken for", "confidence", "confidence in its class"],
            [
                .. figures.Mistakes.Select(mistake =>
                    (IReadOnlyList<string>)
                        [
                            ReportTable.Count(mistake.Sample),
                            ClassName(mistake.Expected),
                            ClassName(mistake.Predicted),
                            ReportTable.Number(mistake.Confidence),
                            ReportTable.Number(mistake.OfExpected),
                        ]
                ),
            ]
        );

    private IEnumerable<ReportTable> Tables
    {
        get
        {
            yield return Figures;
            if (Evaluation is not Evaluation.Classes { Item: var figures })
                yield break;
            yield return ClassTable(figures);
            yield return ConfusionTable(figures);
            if (!figures.Reliability.IsEmpty)
                yield return ReliabilityTable(figures);
            if (!figures.Mistakes.IsEmpty)
                yield return MistakeTable(figures);
        }
    }

    public string Title => $"Evaluation of {Model}";

    public string ToText() =>
        string.Join(
            '\n',
            [
                VisibleText.Of(Title),
                VisibleText.Of($"model: {Source}"),
                VisibleText.Of($"data: {Data}"),
                "",
                .. Sentences.Select(VisibleText.Of),
                "",
                .. Tables.Select(table => table.ToText()),
            ]
        );

    public string ToMarkdown() =>
        string.Join(
            '\n',
            [
                $"# {MarkdownText.Of(Title)}\n\nModel {MarkdownText.Code(Source)}, test samples of {MarkdownText.Code(Data)}.\n",
                .. Sentences.Select(sentence => $"- {MarkdownText.Of(sentence)}"),
                "",
                .. Tables.Select(table => table.ToMarkdown()),
            ]
        );

    public byte[] ToJson()
    {
        object figures = Evaluation switch
        {
            Evaluation.Classes { Item: var classes } => new
            {
                classes.Samples,
                classes.Accuracy,
                classes.MacroPrecision,
                classes.MacroRecall,
                classes.MacroF1,
                classes.Loss,
                classes.CalibrationError,
                classes.TopK,
                Confusion = Enumerable
                    .Range(0, classes.Classes.Length)
                    .Select(i =>
                        Enumerable
                            .Range(0, classes.Classes.Length)
                            .Select(j => classes.Confusion[i, j])
                    ),
                Classes = classes.Classes.Select(k => new
                {
                    Name = ClassName(k.Class),
                    k.Support,
                    k.Predicted,
                    k.Precision,
                    k.Recall,
                    k.F1,
                }),
                Reliability = classes.Reliability.Select(bin => new
                {
                    bin.Lower,
                    bin.Upper,
                    bin.Count,
                    bin.Confidence,
                    bin.Accuracy,
                }),
                Mistakes = classes.Mistakes.Select(mistake => new
                {
                    mistake.Sample,
                    Expected = ClassName(mistake.Expected),
                    Predicted = ClassName(mistake.Predicted),
                    mistake.Confidence,
                    mistake.OfExpected,
                }),
            },
            Evaluation.Numbers { Item: var numbers } => new
            {
                numbers.Samples,
                numbers.RootMeanSquaredError,
                numbers.Determination,
                numbers.Loss,
            },
            _ => new { },
        };
        var report = new
        {
            Model,
            Source,
            Data,
            OtherData,
            Leakage,
            Figures = figures,
        };
        return JsonText.Of(report);
    }
}
