using System.CommandLine;
using System.Numerics;
using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning;

namespace Pipeline.Benchmarks;

/// <summary><c>gemm</c>: products of matrices, and how near they come to what the registers can do.</summary>
internal static class Gemm
{
    private const int Times = 30;

    private static readonly (int M, int K, int N)[] Shapes = [(1024, 1024, 1024), (100, 784, 50)];

    /// <summary>The products of small layers: their outputs, inputs and samples.</summary>
    private static readonly (int Outputs, int Inputs, int Samples)[] Layers =
    [
        (10, 50, 100),
        (16, 32, 100),
        (16, 48, 100),
        (16, 150, 64),
        (32, 4, 100),
        (48, 784, 100),
        (64, 64, 64),
        (100, 784, 48),
        (120, 256, 100),
        (128, 128, 128),
    ];

    private static readonly (int Outputs, int Inputs, int Samples)[] WeightGradients =
    [
        (50, 784, 100),
        (784, 50, 100),
    ];

    public static Command Create()
    {
        var threads = WorkloadOptions.Threads();
        var command = new Command("gemm", "Products of matrices, and the peak of multiply-adds")
        {
            threads,
        };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(threads)));
        return command;
    }

    public static void Run(int[] threads)
    {
        var runs = Measure.WithThreads(
            threads,
            () =>
            {
                var figures = new Figures();
                foreach (var (m, k, n) in Shapes)
                {
                    figures[$"gflops_{m}x{k}x{n}_float32"] = Gflops<float>(m, k, n);
                    figures[$"gflops_{m}x{k}x{n}_float64"] = Gflops<double>(m, k, n);
                }
                foreach (var (outputs, inputs, samples) in Layers)
                    figures[$"gflops_dense_{outputs}_of_{inputs}_batch_{samples}_float32"] =
                        Gflops<float>(samples, inputs, outputs);
                foreach (var (outputs, inputs, samples) in WeightGradients)
                    figures[$"gflops_weight_gradient_{outputs}x{inputs}_batch_{samples}_float32"] =
                        WeightGradientGflops(outputs, inputs, samples);
                figures["fma_peak_gflops_float32"] = FmaPeak.Gflops(
                    MathNet.Numerics.Control.MaxDegreeOfParallelism
                );
                return WithShare(figures);
            }
        );
        var best = new Figures();
        foreach (var name in runs[0].Keys.Where(name => name.Contains("gflops")))
            best[name] = runs.Max(run => run.Number(name));
        Report.Best("gemm", runs, WithShare(best));
    }

    private static Figures WithShare(Figures figures)
    {
        figures["share_of_peak"] =
            figures.Number("gflops_1024x1024x1024_float32")
            / figures.Number("fma_peak_gflops_float32");
        return figures;
    }

    private static double Gflops<T>(int m, int k, int n)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        // By columns as Math.NET stores them, (n, k) times (k, m) has the bytes that (m, k) times (k, n)
        // has by rows.
        var (a, b) = (Normals.Matrix<T>(n, k, 0), Normals.Matrix<T>(k, m, 1));
        var zeros = MathNet.Numerics.LinearAlgebra.Vector<T>.Build.Dense(n);
        return Gflops(2.0 * m * k * n, () => Kernels.Affine(a, zeros, b));
    }

    private static double WeightGradientGflops(int outputs, int inputs, int samples)
    {
        var upstream = Normals.Matrix<float>(outputs, samples, 0);
        var x = Normals.Matrix<float>(inputs, samples, 1);
        return Gflops(2.0 * outputs * inputs * samples, () => Kernels.WeightGradient(upstream, x));
    }

    private static double Gflops<T>(double flop, Func<Matrix<T>> product)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        // About a gigaflop a timing.
        var calls = Math.Max(1, (int)(1e9 / flop));
        void Once()
        {
            for (var i = 0; i < calls; i++)
                ArrayReuse<T>.Return(product().AsColumnMajorArray());
        }
        return ArrayReuse<T>.Scope(
            Microsoft.FSharp.Core.FuncConvert.FromFunc(() =>
            {
                Once();
                return flop * calls / Measure.BestOf(Times, Once) / 1e9;
            })
        );
    }
}
