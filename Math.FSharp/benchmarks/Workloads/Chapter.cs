using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary>The chapter's network, hyperparameters and data.</summary>
internal static class Chapter
{
    public const int Classes = 10;
    public const int Batch = 100;

    public static readonly Architecture Architecture = Architectures.Dense(
        Activation.Sigmoid,
        784,
        50,
        Classes
    );

    public static LoadedData<T> Load<T>(string directory)
        where T : struct, IBinaryFloatingPointIeee754<T> => IdxFolder.Load<T>(directory, Classes);

    /// <summary>The chapter's hyperparameters with another gradient or size of mini-batches.</summary>
    public static Hyperparameters With(GradientMethod gradient, int batch = Batch)
    {
        var book = Runs.Book;
        return Runs.Hyperparameters(
                book.Length,
                batch,
                book.LearningRate,
                book.WeightInitStd,
                book.Sampling,
                gradient,
                book.Optimizer,
                book.Seed
            )
            .TryGet(out var settings, out var faults)
            ? settings
            : throw new RefusedException(faults.Select(fault => fault.ToString()));
    }

    /// <summary>The state after so many steps.</summary>
    public static State<T> Train<T>(Dataset<T> train, int iterations)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var state = Trainer.Start<T>(Runs.Book, Architecture);
        for (var i = 0; i < iterations; i++)
            state = Trainer.Step(Runs.Book, train, state);
        return state;
    }

    public static int[] AllPlaces<T>(Dataset<T> data)
        where T : struct, IBinaryFloatingPointIeee754<T> => [.. Enumerable.Range(0, data.Count)];
}
