using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.CSharp;

/// <summary>The chapter's mathematics from C#: functions as lambdas.</summary>
public static class Mathematics
{
    /// <summary>The gradient of x₀² + x₁² at a point, by definition.</summary>
    public static Vector<double> Slope(params double[] at) =>
        Gradients.Numerical(1e-4, x => x * x, Vector<double>.Build.Dense(at));

    /// <summary>Where gradient descent on it arrives.</summary>
    public static Vector<double> Descend(double rate, int steps, params double[] from) =>
        Optimizers.Descent(rate, steps, x => 2 * x, Vector<double>.Build.Dense(from))[^1];

    /// <summary>The mean over a batch of the largest error of each sample: a loss of one's own.</summary>
    public static double LargestError(Targets<double> targets, Matrix<double> predictions) =>
        Losses.OfBatch(
            (target, prediction) => (prediction - target).AbsoluteMaximum(),
            targets,
            predictions
        );

    /// <summary>Softmax, after an activation.</summary>
    public static Matrix<double> Probabilities(Activation activation, Matrix<double> sums) =>
        Activations.Softmax(Activations.Apply(activation, sums));

    /// <summary>The verdict on an activation's derivative.</summary>
    public static GradientCheck Judge(Activation activation, Matrix<double> at) =>
        Gradients.Check(
            z => Activations.Apply(activation, z).Enumerate().Sum(),
            Activations.Derivative(activation, at),
            at
        );

    /// <summary>The verdict on the gradient of Σ(W·x + b) in W and b.</summary>
    public static GradientCheck JudgeSum(
        Matrix<double> weights,
        Matrix<double> biases,
        Matrix<double> x
    )
    {
        var ones = Matrix<double>.Build.Dense(weights.RowCount, x.ColumnCount, 1);
        return Gradients.Check(
            at => (at[0] * x + at[1]).Enumerate().Sum(),
            [("W", ones * x.Transpose()), ("b", ones)],
            [weights, biases]
        );
    }

    /// <summary>The predictions of a head.</summary>
    public static Matrix<double> Predictions(Head head, Matrix<double> logits) =>
        Heads.Apply(head, logits);

    /// <summary>The learning rate of each iteration of a run.</summary>
    public static double[] Rates(
        ScheduleKind kind,
        int iterations,
        double learningRate,
        long warmUp
    )
    {
        var rate = Schedules.Create(kind, iterations, learningRate, warmUp);
        return [.. Enumerable.Range(0, iterations).Select(iteration => rate(iteration))];
    }

    /// <summary>The verdict on a network's gradient, as training takes it and as given.</summary>
    public static (GradientCheck Own, GradientCheck Given) Judge(
        Network<double> network,
        MiniBatch<double> batch,
        Parameters<double> gradient
    ) =>
        (
            Gradients.Check(network, batch),
            Gradients.Check(moved => Network.Loss(moved, batch), gradient, network)
        );

    /// <summary>The gradient of a network's accuracy: zeros nearly everywhere, which is why there is a
    /// loss.</summary>
    public static Parameters<double> SlopeOfAccuracy(
        Network<double> network,
        MiniBatch<double> batch
    ) => Gradients.NumericalOf(1e-4, moved => Network.Accuracy(moved, batch), network);

    /// <summary>A network of the given sizes, as a model that knows its classes' names.</summary>
    public static Model<double> Named(ulong seed, int[] sizes, params string[] classes) =>
        Models.Create(
            Network.Initialise<double>(
                Initialiser.HeNormal,
                seed,
                Architectures.Dense(Activation.Relu, sizes)
            ),
            Preprocessing.Numbers,
            classes,
            new Dictionary<string, string> { ["seed"] = $"{seed}" }
        );

    /// <summary>A refusal in the core's words.</summary>
    public static string Refusal(string file, string found) =>
        Faults.Within(file, Faults.Create("Rows", "2 or more", found)).ToString();

    /// <summary>A refusal in words of one's own.</summary>
    public static string Missing(string column, string origin) =>
        Faults
            .WithRemark(origin, Faults.WithSubject(column, Faults.Message("", "does not exist")))
            .ToString();

    /// <summary>The choices that have a number of that name.</summary>
    public static string Having(string number) =>
        string.Join(
            ", ",
            from choice in Choices.Optimizers.Concat(Choices.Schedules)
            where choice.Numbers.Any(own => own.Name == number)
            select choice.Name
        );
}
