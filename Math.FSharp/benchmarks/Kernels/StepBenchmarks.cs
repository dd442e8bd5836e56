using BenchmarkDotNet.Attributes;
using MathNet.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary>A step of the chapter's network: on images as bytes, whose zeros are left out, and on the
/// same images as numbers.</summary>
public class StepBenchmarks
{
    private Dataset<float> train = null!;
    private TrainingState<float> state = null!;

    [GlobalSetup(Target = nameof(StepOnBytes))]
    public void LoadBytes()
    {
        Control.MaxDegreeOfParallelism = 1;
        train = Chapter.Load<float>(DefaultPaths.PathOf("data/mnist")).Train;
        state = Chapter.Train(train, 100);
    }

    [GlobalSetup(Target = nameof(StepOnNumbers))]
    public void LoadNumbers()
    {
        LoadBytes();
        var inputs = Dataset.Take(Chapter.AllPlaces(train), train).Inputs;
        train = Dataset.OfColumns(train.Classes, inputs, train.Targets);
    }

    [Benchmark(Baseline = true)]
    public TrainingState<float> StepOnBytes() =>
        Trainer.Step(Hyperparameters.Default, train, state);

    [Benchmark]
    public TrainingState<float> StepOnNumbers() =>
        Trainer.Step(Hyperparameters.Default, train, state);
}
