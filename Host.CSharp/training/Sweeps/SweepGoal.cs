using System.Globalization;
using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The figure that a sweep is to improve: the loss or another figure of the validation samples.</summary>
/// <param name="Name">Its name in a plan.</param>
/// <param name="Metric">The figure; null for the loss.</param>
internal sealed record SweepGoal(string Name, Metric? Metric)
{
    private const string Validation = "Validation";
    private const string Test = "Test";

    /// <summary>The name of the loss among a trial's figures.</summary>
    private const string Loss = "loss";

    /// <summary>The goal of a plan without one.</summary>
    public static SweepGoal Default { get; } = new($"{Validation}Loss", null);

    private static readonly string[] MetricNames =
    [
        "Accuracy",
        "BalancedAccuracy",
        "MacroF1",
        "AreaUnderRoc",
        "LogLoss",
        "RootMeanSquaredError",
        "MeanAbsoluteError",
        "RSquared",
    ];

    /// <summary>The goal of that name, in any case of letters; null and a fault for another name.</summary>
    /// <param name="name">The name: ValidationLoss, ValidationAccuracy, …</param>
    /// <param name="faults">Gets the fault.</param>
    public static SweepGoal? Parse(string name, ICollection<string> faults)
    {
        if (name.StartsWith(Test, StringComparison.OrdinalIgnoreCase))
        {
            faults.Add(
                $"goal: a figure of the validation samples is expected, found {name}. Settings that are chosen by the test samples are learned from these, which then do not measure how good the model is."
            );
            return null;
        }
        string[] figures = ["Loss", .. MetricNames];
        var place = Array.FindIndex(
            figures,
            figure => name.Equals(Validation + figure, StringComparison.OrdinalIgnoreCase)
        );
        if (place < 0)
        {
            faults.Add(
                PlanReader.Sentence(
                    "goal",
                    $"one of {string.Join(", ", figures.Select(figure => Validation + figure))}",
                    $"'{name}'"
                )
            );
            return null;
        }
        Metric? metric = null;
        if (place > 0)
            Pipeline.Learning.Interop.Parse.Metric(figures[place]).TryGet(out metric, out _);
        return new(Validation + figures[place], metric);
    }

    /// <summary>Whether a higher figure is better.</summary>
    public bool IsHigherBetter => Metric is { } metric && Evaluations.Deficit(metric, 1) < 1;

    /// <summary>The figures of a model on samples that it has not learned from.</summary>
    public static IReadOnlyList<(string Name, double Value)> FiguresOf<T>(
        Model<T> model,
        Dataset<T> samples
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var evaluation = Evaluations.Create(EvaluationOptions.Default, model, samples);
        return
        [
            (Loss, Network.Evaluate(model.Network, samples).Loss),
            .. MetricNames
                .Select(name =>
                {
                    Pipeline.Learning.Interop.Parse.Metric(name).TryGet(out var metric, out _);
                    return (Name: name, Metric: metric!);
                })
                .Where(each =>
                    Evaluations.IsOfNumbers(each.Metric)
                    == model.Network.Architecture.Head.IsIdentity
                )
                .Select(each => (ColumnOf(each.Name), Evaluations.Value(each.Metric, evaluation))),
        ];
    }

    /// <summary>Why the goal has no value on some samples, whatever the model is; null where it has one.</summary>
    /// <param name="architecture">The network of a trial.</param>
    /// <param name="samples">The samples that it is to be measured on.</param>
    public string? FaultOf<T>(Architecture architecture, Dataset<T> samples)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (Metric is null)
            return null;
        // What such a network answers has no effect on whether there is a value.
        Architectures
            .Create(
                architecture.Head,
                Shape.NewVector(samples.Features),
                [string.Create(CultureInfo.InvariantCulture, $"dense {architecture.Outputs}")]
            )
            .TryGet(out var plain, out _);
        var network = Network.Initialise<T>(Initialiser.NewFixed(0.01), 1, plain!);
        return double.IsNaN(ValueOf(FiguresOf(Model.OfNetwork(network), samples)))
            ? $"{Name} has no value on {Counted.Of(samples.Count, "validation sample")}: it needs samples of more than one class, or targets that differ."
            : null;
    }

    /// <summary>The goal's figure among others.</summary>
    public double ValueOf(IEnumerable<(string Name, double Value)> figures)
    {
        var column = Metric is null ? Loss : ColumnOf(Name[Validation.Length..]);
        return figures
            .Where(figure => figure.Name == column)
            .Select(figure => figure.Value)
            .DefaultIfEmpty(double.NaN)
            .First();
    }

    /// <summary>How far a figure is from the best possible.</summary>
    public double DeficitOf(double value) =>
        Metric is { } metric ? Evaluations.Deficit(metric, value) : value;

    private static string ColumnOf(string name) =>
        System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
