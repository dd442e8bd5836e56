using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Runs a few steps on made-up images while the real data are loaded, so that the JIT compiler has
/// done its work (a tenth of a second) before training starts.</summary>
internal static class JitWarmUp
{
    /// <summary>The number of pixels of a made-up image.</summary>
    public const int Inputs = Side * Side;

    /// <summary>The widest layer of the warm-up: wider ones take longer and run the same code.</summary>
    public const int Widest = 64;

    /// <summary>The largest mini-batch of the warm-up: larger ones take longer and run the same
    /// code.</summary>
    private const int Largest = 1000;

    /// <summary>The compiler optimises a method after 30 calls.</summary>
    private const int Steps = 32;

    /// <summary>The largest network, in parameters, for which that many steps take no time to speak of.</summary>
    private const int Small = 50_000;

    private const int Side = 8;
    private const int Count = 64;

    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="architecture">An architecture like the run's, for <see cref="Inputs"/> inputs.</param>
    public static void Run<T>(Hyperparameters settings, Architecture architecture)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        // Mostly zeros, as in real images.
        var pixels = new byte[Count * Inputs];
        for (var i = 0; i < pixels.Length; i += 7)
            pixels[i] = (byte)(i | 1);
        var labels = Enumerable.Range(0, Count).Select(i => i % architecture.Outputs);
        var images = new IdxImages(Count, ImageSize.Grey(Side, Side), pixels);
        if (
            !Dataset.OfIdx<T>(architecture.Outputs, images, [.. labels]).TryGet(out var data, out _)
        )
            return;
        if (
            settings.BatchSize > Largest
            && Runs.Hyperparameters(settings.Options.With(batchSize: Largest))
                .TryGet(out var smaller, out _)
        )
            settings = smaller;
        var start = Trainer.Start<T>(settings, architecture);
        var steps = architecture.ParameterCount <= Small ? Steps : 1;
        var end = Runs.Advance(settings, data, steps, (_, _) => true, start);
        Network.Evaluate(Trainer.CurrentNetwork(end), data);
    }
}
