using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Benchmarks;

/// <summary><c>wide</c>: 784-1024-1024-10, ReLU, Adam at 0.001, mini-batches of 256.</summary>
internal static class Wide
{
    public static readonly EpochRun Workload = new(
        "wide",
        "784-1024-1024-10, ReLU, Adam, batch 256",
        Architectures.Dense(Activation.Relu, 784, 1024, 1024, Chapter.Classes),
        BatchSize: 256,
        Rate: 1e-3,
        Epochs: 2
    );

    /// <summary>The network at its start: weights normal, of deviation √(2 / inputs).</summary>
    public static Network<float> Start() =>
        Network.Initialise<float>(Initialiser.HeNormal, EpochRun.RandomSeed, Workload.Architecture);
}
