using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The first steps of a run, on a few made-up images: what the compiler needs a tenth of a second
/// for is done by the time that the real ones are loaded.</summary>
internal static class JitWarmUp
{
    /// <summary>Numbers in a made-up image.</summary>
    public const int Inputs = Side * Side;

    /// <summary>Wider layers take longer and compile to nothing new.</summary>
    public const int Widest = 64;

    /// <summary>Larger mini-batches take the same code, and longer.</summary>
    private const int Largest = 1000;

    private const int Side = 8;
    private const int Count = 64;

    /// <param name="settings">The run's.</param>
    /// <param name="architecture">Layers like the run's, for <see cref="Inputs"/> inputs.</param>
    public static void Run<T>(Hyperparameters settings, Architecture architecture)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        // Mostly blank, as real ones are.
        var pixels = new byte[Count * Inputs];
        for (var i = 0; i < pixels.Length; i += 7)
            pixels[i] = (byte)(i | 1);
        var labels = Enumerable.Range(0, Count).Select(i => i % architecture.Outputs);
        var images = new IdxImages(Count, Side, Side, pixels);
        if (
            !Dataset.OfIdx<T>(architecture.Outputs, images, [.. labels]).TryGet(out var data, out _)
        )
            return;
        if (
            settings.BatchSize > Largest
            && Runs.Hyperparameters(settings.Recipe.With(batchSize: Largest))
                .TryGet(out var smaller, out _)
        )
            settings = smaller;
        var start = Trainer.Start<T>(settings, architecture);
        var end = Runs.Advance(settings, data, 2, (_, _) => true, start);
        Network.Evaluate(Trainer.Model(end), data);
    }
}
