using System.Numerics;
using BenchmarkDotNet.Attributes;
using MathNet.Numerics;
using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning;

namespace Pipeline.Benchmarks;

/// <summary>A layer's affine map and its two adjoints.</summary>
[GenericTypeArguments(typeof(float))]
[GenericTypeArguments(typeof(double))]
public class AffineBenchmarks<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private Matrix<T> weights = null!;
    private MathNet.Numerics.LinearAlgebra.Vector<T> biases = null!;
    private Matrix<T> inputs = null!;
    private Matrix<T> upstream = null!;

    /// <summary>Outputs, inputs and samples: the chapter's first layer, and a large product.</summary>
    [Params("50x784x100", "1024x1024x1024")]
    public string Shape { get; set; } = "";

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var sizes = Shape.Split('x').Select(int.Parse).ToArray();
        Control.MaxDegreeOfParallelism = Threads;
        weights = Normals.Matrix<T>(sizes[0], sizes[1], 0);
        biases = MathNet.Numerics.LinearAlgebra.Vector<T>.Build.Dense(sizes[0]);
        inputs = Normals.Matrix<T>(sizes[1], sizes[2], 1);
        upstream = Normals.Matrix<T>(sizes[0], sizes[2], 2);
    }

    [Benchmark]
    public Matrix<T> Affine() => Kernels.Affine(weights, biases, inputs);

    [Benchmark]
    public Matrix<T> WeightGradient() => Kernels.WeightGradient(upstream, inputs);

    [Benchmark]
    public Matrix<T> InputGradient() => Kernels.InputGradient(weights, upstream);
}
