using System.Numerics;
using System.Runtime.CompilerServices;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary>The chapter's network, hyperparameters and data.</summary>
internal static class Chapter
{
    public const int Classes = 10;
    public const int Batch = 100;

    public static readonly Architecture Architecture = For(784);

    /// <summary>The chapter's layers for a number of inputs.</summary>
    public static Architecture For(int inputs) =>
        Architectures.Dense(Activation.Sigmoid, inputs, 50, Classes);

    // In a frame of its own, which ends: a caller's would hold on to what the files held.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static LoadedData<T> Load<T>(string directory)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        DataFiles.LoadFolder<T>(directory, Classes);

    /// <summary>The chapter's hyperparameters with another gradient or size of mini-batches.</summary>
    public static Hyperparameters With(GradientMethod gradient, int batch = Batch) =>
        Required(
            Runs.Hyperparameters(
                Hyperparameters.Default.Options.With(batchSize: batch, gradient: gradient)
            )
        );

    /// <summary>A value that no one can get wrong, or a slip of this program's.</summary>
    public static TValue Required<TValue>(FSharpResult<TValue, FSharpList<Fault>> result) =>
        result.TryGet(out var value, out var faults)
            ? value
            : throw new RefusedException(faults.Select(fault => fault.ToString()));

    /// <summary>The state after a number of steps.</summary>
    public static TrainingState<T> Train<T>(Dataset<T> train, int iterations)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var state = Trainer.Start<T>(Hyperparameters.Default, Architecture);
        for (var i = 0; i < iterations; i++)
            state = Trainer.Step(Hyperparameters.Default, train, state);
        return state;
    }

    public static int[] AllPlaces<T>(Dataset<T> data)
        where T : struct, IBinaryFloatingPointIeee754<T> => [.. Enumerable.Range(0, data.Count)];
}
