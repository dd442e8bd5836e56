using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Benchmarks;

/// <summary><c>lenet</c>: LeNet-5, ReLU, Adam at 0.0003, mini-batches of 100.</summary>
internal static class LeNet
{
    public static readonly EpochRun Workload = new(
        "lenet",
        "LeNet-5, ReLU, Adam, batch 100",
        Chapter.Required(
            Architectures.Create(
                Head.Softmax,
                Shape.NewImage(1, 28, 28),
                [
                    "conv2d 6 5",
                    "relu",
                    "maxpool2d 2",
                    "conv2d 16 5",
                    "relu",
                    "maxpool2d 2",
                    "flatten",
                    "dense 120",
                    "relu",
                    "dense 84",
                    "relu",
                    $"dense {Chapter.Classes}",
                ]
            )
        ),
        BatchSize: 100,
        Rate: 3e-4,
        Epochs: 3
    );
}
