using BenchmarkDotNet.Attributes;
using MathNet.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Benchmarks;

/// <summary>Adam's update of 784-1024-1024-10.</summary>
public class AdamBenchmarks
{
    private readonly Optimizer<float> adam = Optimizer.Adam<float>(0.9, 0.999, 1e-8);
    private Parameters<float> parameters = null!;
    private OptimizerState<float> state = null!;

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        Control.MaxDegreeOfParallelism = Threads;
        parameters = Wide.Start().Parameters;
        state = adam.Start(parameters);
    }

    // Any numbers of their shape do for a gradient: the parameters themselves.
    [Benchmark]
    public ValueTuple<Parameters<float>, OptimizerState<float>> Update() =>
        adam.Step((float)Wide.Workload.Rate, parameters, state, parameters);
}
