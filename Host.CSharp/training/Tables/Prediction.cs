using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>What a model predicts for one row: a class with probabilities, or a number.</summary>
public sealed class Prediction
{
    private readonly IReadOnlyList<string> classes;
    private readonly double[] outputs;
    private readonly Decision? decision;
    private readonly Conformal? conformal;

    internal Prediction(
        IReadOnlyList<string> classes,
        double[] outputs,
        Decision? decision,
        Conformal? conformal
    ) =>
        (this.classes, this.outputs, this.decision, this.conformal) = (
            classes,
            outputs,
            decision,
            conformal
        );

    /// <summary>The probability of each class, or the number.</summary>
    internal double[] Outputs => outputs;

    /// <summary>The answer: the most probable class, or the one that <c>Training:Decision</c> gives.</summary>
    /// <exception cref="InvalidOperationException">The model predicts a number.</exception>
    public string Class => Classes[Best];

    /// <summary>The probability of <see cref="Class"/>, from 0 to 1.</summary>
    /// <exception cref="InvalidOperationException">The model predicts a number.</exception>
    public double Probability => Classes.Count > 0 ? outputs[Best] : 0;

    /// <summary>The probability of every class.</summary>
    /// <exception cref="InvalidOperationException">The model predicts a number.</exception>
    public IReadOnlyDictionary<string, double> Probabilities =>
        Classes.Zip(outputs).ToDictionary(pair => pair.First, pair => pair.Second);

    /// <summary>The classes that the row may be of: they contain its class for the share of new rows that
    /// <c>Training:Coverage</c> gave.</summary>
    /// <exception cref="InvalidOperationException">The model predicts a number, or was trained without a
    /// coverage.</exception>
    public IReadOnlyList<string> ClassSet =>
        [.. ConformalPredictions.Classes(Margins, decision, outputs).Select(k => Classes[k])];

    /// <summary>The bounds of the number: they contain it for the share of new rows that <c>Training:Coverage</c>
    /// gave.</summary>
    /// <exception cref="InvalidOperationException">The model predicts classes, or was trained without a
    /// coverage.</exception>
    public (double Lower, double Upper) Interval =>
        ConformalPredictions.Interval(Margins, 0, Value);

    /// <summary>The predicted number.</summary>
    /// <exception cref="InvalidOperationException">The model predicts classes.</exception>
    public double Value =>
        classes.Count == 0
            ? outputs[0]
            : throw new InvalidOperationException(
                $"The model predicts the classes {string.Join(", ", classes)}, not a number: use {nameof(Class)}."
            );

    /// <summary>The class with its probability, or the number.</summary>
    public override string ToString() =>
        classes.Count == 0
            ? FormattableString.Invariant($"{outputs[0]:R}")
            : FormattableString.Invariant($"{Class} ({Probability:F4})");

    private IReadOnlyList<string> Classes =>
        classes.Count > 0
            ? classes
            : throw new InvalidOperationException(
                $"The model predicts a number, not classes: use {nameof(Value)}."
            );

    private Conformal Margins =>
        conformal
        ?? throw new InvalidOperationException(
            "The model has no sets or intervals: train it with Training:Coverage."
        );

    private int Best => Decisions.Answer(decision, outputs);
}
