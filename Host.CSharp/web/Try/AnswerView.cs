using System.Globalization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>A model's answer for one sample, as the page shows it. The script answer.js writes the same from what
/// <c>predict</c> answers.</summary>
/// <param name="Said">The answer in short; empty without one.</param>
/// <param name="AreClasses">Whether the outputs are probabilities of classes, not numbers.</param>
/// <param name="Outputs">The model's outputs.</param>
public sealed record AnswerView(string Said, bool AreClasses, IReadOnlyList<OutputView> Outputs)
{
    /// <summary>The most classes, and the most columns of an explanation, that are shown: the most probable, and those
    /// that add or take most.</summary>
    public const int MostShown = 20;

    /// <summary>The wanted share of sets or intervals, as a text; null if the model gives none.</summary>
    public string? Coverage { get; init; }

    /// <summary>The set of classes; empty without an answer.</summary>
    public string Set { get; init; } = "";

    /// <summary>What the parts add up to, as a sentence; empty without an explanation.</summary>
    public string Explained { get; init; } = "";

    /// <summary>What each column adds.</summary>
    public IReadOnlyList<PartView> Parts { get; init; } = [];

    /// <summary>The answer, or the outputs without numbers where there is no sample.</summary>
    /// <param name="predictions">Predictions for one sample or none.</param>
    /// <param name="columns">The columns of a row that an explanation names.</param>
    internal static AnswerView Of(Predictions predictions, IEnumerable<string> columns)
    {
        var names = predictions.OutputNames;
        var coverage = predictions.Conformal is { } conformal
            ? CoverageText.Share(conformal.Coverage)
            : null;
        if (predictions.Samples is not [var sample, ..])
        {
            return new(
                "",
                predictions.AreClasses,
                [.. names.Select(name => new OutputView(name, "–", 0, "–", false))]
            )
            {
                Coverage = coverage,
                Parts = [.. columns.Select(column => new PartView(column, "–", 0))],
            };
        }
        var intervals = predictions.IntervalsOf(sample);
        var answer = predictions.Answer(sample);
        OutputView[] outputs =
        [
            .. sample.Outputs.Select(
                (number, k) =>
                    new OutputView(
                        names[k],
                        Text(number, predictions.AreClasses ? "F4" : "R"),
                        number,
                        intervals is null
                            ? ""
                            : $"{Text(intervals[k].Lower, "G6")} to {Text(intervals[k].Upper, "G6")}",
                        predictions.AreClasses && k == answer
                    )
            ),
        ];
        return new AnswerView(
            predictions.AreClasses ? $"{names[answer]} ({outputs[answer].Number})"
                : outputs.Length == 1 ? Text(outputs[0].Share, "G6")
                : Counted.Of(outputs.Length, "number"),
            predictions.AreClasses,
            outputs.Length > MostShown && predictions.AreClasses
                ? [.. outputs.OrderByDescending(output => output.Share)]
                : outputs
        )
        {
            Coverage = coverage,
            Set = predictions.SetOf(sample)?.ToArray() is { } set
                ? set.Length == 0
                    ? "none"
                    : string.Join(", ", set)
                : "",
            Explained = sample.Explanation is { } explanation
                ? ExplainedOf(explanation, predictions.AreClasses ? names[answer] : null)
                : "",
            Parts = sample.Explanation is { } explained
                ? PartsOf(explained, predictions.AreClasses)
                : [.. columns.Select(column => new PartView(column, "–", 0))],
        };
    }

    private static string ExplainedOf(Attribution explanation, string? answer) =>
        answer is null
            ? $"What each column adds to the prediction, which is {Text(explanation.Baseline, "G6")} for a row with every input 0:"
            : $"What each column adds to the probability of {answer}, which is {Text(explanation.Baseline, "F4")} for a row with every input 0:";

    private static PartView[] PartsOf(Attribution explanation, bool areClasses)
    {
        var parts = explanation.Parts.OrderByDescending(part => Math.Abs(part.Item2)).ToArray();
        var most = areClasses ? 1 : Math.Max(double.Epsilon, Math.Abs(parts[0].Item2));
        return
        [
            .. parts.Select(part => new PartView(
                part.Item1,
                (part.Item2 < 0 ? "−" : "+") + Text(Math.Abs(part.Item2), areClasses ? "F4" : "G6"),
                part.Item2 / most
            )),
        ];
    }

    private static string Text(double number, string format) =>
        number.ToString(format, CultureInfo.InvariantCulture);
}

/// <summary>An output of an answer.</summary>
/// <param name="Name">The class, or the number's name.</param>
/// <param name="Number">The probability or the number as a text.</param>
/// <param name="Share">The probability or the number.</param>
/// <param name="Interval">The interval of a number as a text.</param>
/// <param name="IsAnswer">Whether it is the class that is answered.</param>
public sealed record OutputView(
    string Name,
    string Number,
    double Share,
    string Interval,
    bool IsAnswer
);

/// <summary>What a column adds to an answer.</summary>
/// <param name="Column">The column.</param>
/// <param name="Number">What it adds, as a text.</param>
/// <param name="Share">The same from −1 to 1: as a probability, or as a share of the greatest part of a number.</param>
public sealed record PartView(string Column, string Number, double Share);
