using System.CommandLine;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Benchmarks;

/// <summary><c>scaling</c>: what a step takes as mini-batches and networks grow, a line a point.</summary>
internal static class Scaling
{
    private const double LeastSeconds = 0.3;
    private const int Times = 3;

    /// <summary>A point of the table: the layers below the last one, and the size of the mini-batches.</summary>
    private sealed record Place(string Grows, string[] Layers, int BatchSize);

    /// <summary>Hidden layers of some widths.</summary>
    private static string[] Dense(params int[] widths) =>
        [.. widths.SelectMany(width => (string[])[$"dense {width}", "sigmoid"])];

    private static readonly Place[] Places =
    [
        .. new[] { 10, 100, 1000, 10_000 }.Select(size => new Place("batch", Dense(50), size)),
        .. new[] { 10, 50, 256, 1024, 4096 }.Select(width => new Place(
            "width",
            Dense(width),
            Chapter.Batch
        )),
        .. new[] { 1, 2, 4, 8 }.Select(depth => new Place(
            "depth",
            Dense([.. Enumerable.Repeat(100, depth)]),
            Chapter.Batch
        )),
        .. new[] { 4, 8, 16, 32 }.Select(channels => new Place(
            "channels",
            [$"conv2d {channels} 5", "relu", "maxpool2d 2"],
            Chapter.Batch
        )),
    ];

    public static Command Create()
    {
        var data = WorkloadOptions.Data();
        var threads = WorkloadOptions.Threads();
        var command = new Command(
            "scaling",
            "A step as mini-batches, width, depth and channels grow"
        )
        {
            data,
            threads,
        };
        command.SetAction(parsed =>
            Run(parsed.GetRequiredValue(data), parsed.GetRequiredValue(threads))
        );
        return command;
    }

    private static void Run(string directory, int[] threads)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var data = Chapter.Load<float>(directory);
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        Report.Point(
            "scaling",
            new() { ["samples"] = data.Train.Count + data.Test.Count, ["data_bytes"] = held }
        );
        foreach (var place in Places)
        {
            foreach (var figures in Measure.WithThreads(threads, () => Time(place, data.Train)))
                Report.Point("scaling", figures);
        }
        GC.KeepAlive(data);
    }

    private static Figures Time(Place place, Dataset<float> train)
    {
        var settings = Chapter.With(GradientMethod.Backpropagation, place.BatchSize);
        var architecture = Chapter.Required(
            Architectures.Create(
                Head.Softmax,
                train.Shape,
                [.. place.Layers, $"dense {train.Classes}"]
            )
        );
        var state = Trainer.Start<float>(settings, architecture);
        void Steps(int count) =>
            state = Runs.Advance(settings, train, count, (_, _) => true, state);

        var iterations = Measure.Iterations(LeastSeconds, Steps);
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var seconds = Measure.BestOf(Times, () => Steps(iterations)) / iterations;
        var bytes = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        return new()
        {
            ["grows"] = place.Grows,
            ["network"] = architecture.ToString(),
            ["batch"] = place.BatchSize,
            ["iterations"] = iterations,
            ["ms_per_iteration"] = 1e3 * seconds,
            ["images_per_second"] = place.BatchSize / seconds,
            ["bytes_per_iteration"] = bytes / (Times * iterations),
        };
    }
}
