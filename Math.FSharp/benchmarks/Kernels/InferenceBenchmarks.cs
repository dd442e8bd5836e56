using BenchmarkDotNet.Attributes;
using MathNet.Numerics;
using Pipeline.Learning;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary>The chapter's network on the 10,000 test images, and on one of them.</summary>
public class InferenceBenchmarks
{
    private readonly float[] probabilities = new float[Chapter.Classes];
    private Dataset<float> test = null!;
    private Network<float> network = null!;
    private Predictor<float> predictor = null!;
    private float[] image = null!;

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        Control.MaxDegreeOfParallelism = Threads;
        var data = Chapter.Load<float>(DefaultPaths.PathOf("data/mnist"));
        test = data.Test;
        network = Chapter.Train(data.Train, 100).Network;
        predictor = new(network);
        image = Dataset.Take([0], test).Inputs.ToColumnMajorArray();
    }

    [Benchmark]
    public Score Evaluate() => Network.Evaluate(network, test);

    [Benchmark]
    public void PredictOne() => predictor.Predict(image, probabilities);
}
