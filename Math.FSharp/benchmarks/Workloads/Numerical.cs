using System.CommandLine;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Benchmarks;

/// <summary><c>numerical</c>: the chapter's own program, a gradient by its definition every step.</summary>
internal static class Numerical
{
    public static Command Create()
    {
        var data = WorkloadOptions.Data();
        var threads = WorkloadOptions.Threads();
        var iterations = WorkloadOptions.Iterations(200);
        var command = new Command(
            "numerical",
            "The chapter's run with numerical gradients, in double"
        )
        {
            data,
            threads,
            iterations,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(data),
                parsed.GetRequiredValue(threads),
                parsed.GetValue(iterations)
            )
        );
        return command;
    }

    private static void Run(string directory, int[] threads, int iterations)
    {
        var train = Chapter.Load<double>(directory).Train;
        var runs = Measure.WithThreads(threads, () => Train(train, iterations));
        Report.Best(
            "numerical",
            runs,
            runs.MinBy(run => run.Number("train_seconds"))!,
            new() { ["dtype"] = "float64", ["gradient"] = "numerical" }
        );
    }

    private static Figures Train(Dataset<double> train, int iterations)
    {
        var settings = Chapter.With(GradientMethod.Numerical);
        var start = Trainer.Start<double>(settings, Chapter.Architecture);
        var first = start;
        Measure.WarmUp(() => first = Trainer.Step(settings, train, start));
        var state = start;
        var seconds = Measure.Seconds(() =>
            state = Runs.Advance(settings, train, iterations, (_, _) => true, start)
        );
        return new()
        {
            ["iterations"] = iterations,
            ["train_seconds"] = seconds,
            ["ms_per_iteration"] = 1e3 * seconds / iterations,
            ["seconds_for_10000"] = 1e4 * seconds / iterations,
            ["first_loss"] = first.Loss,
            ["last_loss"] = state.Loss,
        };
    }
}
