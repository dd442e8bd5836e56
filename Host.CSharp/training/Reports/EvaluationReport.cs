using System.Globalization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using static System.FormattableString;

namespace Pipeline.Training;

/// <summary>The content of a report on a model's evaluation.</summary>
/// <param name="Model">The network's sizes.</param>
/// <param name="Source">The model's file.</param>
/// <param name="Data">The test samples' file or folder.</param>
/// <param name="ClassNames">The outputs' names.</param>
/// <param name="Evaluation">The figures.</param>
/// <param name="Leakage">A warning if test samples occur among the training samples.</param>
/// <param name="Pictures">Pictures of the mistakes, if samples are images.</param>
/// <param name="Weights">The first layer.</param>
internal sealed record EvaluationReport(
    string Model,
    string Source,
    string Data,
    IReadOnlyList<string> ClassNames,
    Evaluation Evaluation,
    string? Leakage,
    IReadOnlyList<ByteImage> Pictures,
    FirstLayer Weights
)
{
    /// <summary>The network's output function and loss.</summary>
    public required Head Head { get; init; }

    /// <summary>A warning if the test samples are not those of the model's run.</summary>
    public string? OtherData { get; init; }

    /// <summary>When a class is answered; null for the most probable class.</summary>
    public Decision? Decision { get; init; }

    /// <summary>The importance of the columns, the most important first; empty for other data.</summary>
    public IReadOnlyList<Importance> Importance { get; init; } = [];

    /// <summary>What columns add to answers; empty for other data.</summary>
    public ColumnExplanations Explanations { get; init; } = ColumnExplanations.None;

    /// <summary>What the network sees in some images; empty for other data.</summary>
    public IReadOnlyList<ImageExplanation> Images { get; init; } = [];

    public EvaluationTables Tables => new(this);

    public string ClassName(int output) =>
        output < ClassNames.Count
            ? ClassNames[output]
            : output.ToString(CultureInfo.InvariantCulture);

    /// <summary>The most important findings.</summary>
    public IReadOnlyList<string> Sentences =>
        Evaluation switch
        {
            Evaluation.Classification classes =>
            [
                .. SentencesOf(classes.Item),
                .. CoverageSentences,
                .. ImportanceSentences,
                .. Warnings,
            ],
            Evaluation.Regression numbers =>
            [
                Invariant(
                    $"Predictions of {Counted.Of(numbers.Item.Samples, "test sample")} are off by {numbers.Item.RootMeanSquaredError:G4} (root mean squared error) and explain {numbers.Item.RSquared * 100:F1} % of the variance; always answering their mean would be off by {numbers.Item.BaselineError:G4}."
                ),
                .. CoverageSentences,
                .. ImportanceSentences,
                .. Warnings,
            ],
            _ => [],
        };

    private IEnumerable<string> ImportanceSentences =>
        Importance is [{ Loss: > 0 } first, ..]
            ?
            [
                Invariant(
                    $"The most important column is {first.Name}: if its values are shuffled, the loss rises by {first.Loss:G3}{(double.IsNaN(first.Accuracy) ? "" : Invariant($" and the accuracy falls by {first.Accuracy * 100:F1} percentage points"))}."
                ),
            ]
            : [];

    private IEnumerable<string> CoverageSentences =>
        Evaluations.Coverage(Evaluation) is not { } coverage ? []
        : Evaluation.IsClassification
            ?
            [
                Invariant(
                    $"The sets of classes contain the class of {coverage.Measured * 100:F1} % of the test samples ({CoverageText.Share(coverage.Wanted)} are wanted), with {coverage.MeanSize:F2} classes on average."
                ),
            ]
        :
        [
            Invariant(
                $"The intervals contain the numbers of {coverage.Measured * 100:F1} % of the test samples ({CoverageText.Share(coverage.Wanted)} are wanted) and are {coverage.MeanSize:G4} wide."
            ),
        ];

    private IEnumerable<string> Warnings => new[] { OtherData, Leakage }.OfType<string>();

    private IEnumerable<string> SentencesOf(ClassificationEvaluation figures)
    {
        var right = (int)Math.Round(figures.Accuracy * figures.Samples);
        yield return Invariant(
            $"The network classifies {right:N0} of {Counted.Of(figures.Samples, "test sample")} correctly ({figures.Accuracy * 100:F2} %); always answering {ClassName(figures.MostFrequent.Class)}, the most frequent class, would be correct for {figures.BaselineAccuracy * 100:F2} %."
        );
        if (Decision is { } decision)
        {
            yield return Invariant(
                $"Class {ClassName(decision.Class)} is answered if its probability is at least {decision.Threshold:F4}; otherwise the most probable of the other classes is."
            );
        }
        if (
            figures.Classes.Where(k => k is { Support: > 0, Recall: < 1 }).MinBy(k => k.Recall) is
            { } missed
        )
        {
            yield return Invariant(
                $"The class missed most often is {ClassName(missed.Class)}: {missed.Recall * 100:F1} % of its samples are found."
            );
        }
        if (EvaluationTables.Confusions(figures).FirstOrDefault() is { Count: > 0 } most)
        {
            yield return Invariant(
                $"The most frequent confusion: {ClassName(most.Expected)} taken for {ClassName(most.Predicted)}, {most.Count:N0} of {Counted.Of(figures.Classes[most.Expected].Support, "time")}."
            );
        }
        if (!double.IsNaN(figures.CalibrationError))
        {
            yield return Invariant(
                $"Confidence and accuracy differ by {figures.CalibrationError * 100:F1} percentage points on average."
            );
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
                .. Tables.All.Select(table => table.ToText()),
            ]
        );

    public string ToMarkdown() =>
        string.Join(
            '\n',
            [
                $"# {MarkdownText.Of(Title)}\n\nModel {MarkdownText.Code(Source)}, test samples of {MarkdownText.Code(Data)}.\n",
                .. Sentences.Select(sentence => $"- {MarkdownText.Of(sentence)}"),
                "",
                .. Tables.All.Select(table => table.ToMarkdown()),
            ]
        );
}
