using System.Numerics;
using BenchmarkDotNet.Attributes;
using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Benchmarks;

/// <summary>What stands between the chapter's products, for a mini-batch of 100.</summary>
[GenericTypeArguments(typeof(float))]
[GenericTypeArguments(typeof(double))]
public class ElementwiseBenchmarks<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private readonly Matrix<T> hidden = Normals.Matrix<T>(50, Chapter.Batch, 0);
    private readonly Matrix<T> logits = Normals.Matrix<T>(Chapter.Classes, Chapter.Batch, 1);
    private readonly Targets<T> targets = Targets<T>.NewLabels([
        .. Enumerable.Range(0, Chapter.Batch).Select(i => i % Chapter.Classes),
    ]);

    [Benchmark]
    public Matrix<T> Sigmoid() => Activations.Apply(Activation.Sigmoid, hidden);

    [Benchmark]
    public ValueTuple<T, Matrix<T>> CrossEntropyWithGradient() =>
        Loss.CrossEntropyWithGradient(targets, logits);
}
