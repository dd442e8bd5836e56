using System.Diagnostics;

namespace Pipeline.Training;

/// <summary>The spans of a run's trace: load, epoch, evaluate, checkpoint. They cost nothing without a
/// listener.</summary>
internal static class Spans
{
    public const string Name = "Pipeline.Training";

    private static readonly ActivitySource Source = new(Name);

    public static Activity? Load() => Source.StartActivity("load");

    public static Activity? Epoch(long epoch) =>
        Source.StartActivity("epoch")?.SetTag("pipeline.epoch", epoch);

    public static Activity? Evaluate(long iteration) =>
        Source.StartActivity("evaluate")?.SetTag("pipeline.iteration", iteration);

    public static Activity? Checkpoint(long iteration) =>
        Source.StartActivity("checkpoint")?.SetTag("pipeline.iteration", iteration);
}
