using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>What a model predicts for one row: a class with probabilities, or a number.</summary>
public sealed class Prediction
{
    private readonly IReadOnlyList<string> classes;
    private readonly double[] outputs;
    private readonly Decision? decision;

    internal Prediction(IReadOnlyList<string> classes, double[] outputs, Decision? decision) =>
        (this.classes, this.outputs, this.decision) = (classes, outputs, decision);

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

    private int Best => Decisions.Answer(decision, outputs);
}
