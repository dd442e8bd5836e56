using MathNet.Numerics.LinearAlgebra;

namespace PipelineLaws;

/// <summary>A layer of your own: y = s ∘ x, with a factor s for each feature.</summary>
public static class Scale
{
    /// <summary>The shapes of the parameters, (rows, columns).</summary>
    public static IEnumerable<(int, int)> Shapes(int features) => [(features, 1)];

    /// <summary>The outputs of a batch, a sample a column.</summary>
    public static Matrix<double> Forward(
        IReadOnlyList<Matrix<double>> parameters,
        Matrix<double> x
    ) => x.MapIndexed((i, _, x) => parameters[0][i, 0] * x);

    /// <summary>The gradients in the parameters and in the inputs, from the gradient in the outputs.</summary>
    public static (Matrix<double>[], Matrix<double>) Backward(
        IReadOnlyList<Matrix<double>> parameters,
        Matrix<double> x,
        Matrix<double> upstream
    ) =>
        (
            [x.PointwiseMultiply(upstream).RowSums().ToColumnMatrix()],
            upstream.MapIndexed((i, _, g) => parameters[0][i, 0] * g)
        );
}
