using FsCheck;
using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning.Laws;

namespace Pipeline.CSharp;

/// <summary>Functions of one's own, proved from C#.</summary>
public static class OwnCode
{
    /// <summary>Softsign: z / (1 + |z|).</summary>
    public static Matrix<double> Softsign(Matrix<double> z) => z.Map(z => z / (1 + Math.Abs(z)));

    /// <summary>Its derivative: 1 / (1 + |z|)².</summary>
    public static Matrix<double> SoftsignSlope(Matrix<double> z) =>
        z.Map(z => 1 / Math.Pow(1 + Math.Abs(z), 2));

    /// <summary>ln cosh of the error, the mean over the batch, and its gradient.</summary>
    public static (double, Matrix<double>) LogCosh(Matrix<double> targets, Matrix<double> outputs)
    {
        var errors = outputs - targets;
        double n = outputs.ColumnCount;
        return (
            errors
                .Enumerate()
                .Sum(e => Math.Abs(e) + Math.Log((1 + Math.Exp(-2 * Math.Abs(e))) / 2)) / n,
            errors.PointwiseTanh() / n
        );
    }

    /// <summary>A scaling of every input, with a factor each: its way forward and back.</summary>
    public static IReadOnlyList<Law> ScalingLaws =>
        LayerLaw.All(
            features => [(features, 1)],
            (factors, x) => x.MapIndexed((i, _, value) => factors[0][i, 0] * value),
            (factors, x, upstream) =>
                (
                    [x.PointwiseMultiply(upstream).RowSums().ToColumnMatrix()],
                    upstream.MapIndexed((i, _, value) => factors[0][i, 0] * value)
                )
        );

    /// <summary>Every law of them, with so many values each.</summary>
    public static void Prove(int cases) =>
        Law.Check(
            [
                .. ActivationLaw.All(Softsign, SoftsignSlope),
                .. LossLaw.All(TargetKind.Numbers, LogCosh),
                LossLaw.IsNonNegative(TargetKind.Numbers, LogCosh),
                .. ScalingLaws,
                .. OptimizerLaw.All(Training.Momentum(0.9)),
                OptimizerLaw.ZeroGradientMovesNothing(Training.Momentum(0.9)),
            ],
            Config.Quick.WithMaxTest(cases)
        );

    /// <summary>A slip: the square is missing.</summary>
    public static void ProveSlip() =>
        Law.Check(ActivationLaw.All(Softsign, z => z.Map(z => 1 / (1 + Math.Abs(z)))));
}
