using BenchmarkDotNet.Attributes;
using MathNet.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary>The gradient of the chapter's loss by its definition, for a mini-batch of 100.</summary>
public class NumericalGradientBenchmarks
{
    private Network<double> network = null!;
    private MiniBatch<double> batch = null!;

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        Control.MaxDegreeOfParallelism = Threads;
        var train = Chapter.Load<double>(DefaultPaths.PathOf("data/mnist")).Train;
        network = Chapter.Train(train, 100).Network;
        batch = Dataset.Take(
            Batch.Draw(Hyperparameters.Default.Seed, train.Count, Chapter.Batch, 0),
            train
        );
    }

    [Benchmark]
    public (double Loss, Parameters<double> Gradient) NumericalGradient() =>
        Gradient.NumericalOfLoss(Gradient.DefaultStep, network, batch);
}
