using MathNet.Numerics.LinearAlgebra;

namespace PipelineLaws;

/// <summary>An activation of your own: z / (1 + |z|).</summary>
public static class Softsign
{
    public static Matrix<double> Apply(Matrix<double> z) => z.Map(z => z / (1 + Math.Abs(z)));

    public static Matrix<double> Derivative(Matrix<double> z) =>
        z.Map(z => 1 / Math.Pow(1 + Math.Abs(z), 2));
}
