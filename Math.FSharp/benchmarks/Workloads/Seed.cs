using System.CommandLine;
using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary><c>seed</c>: the chapter's run, with an evaluation on both sets every epoch.</summary>
internal static class Seed
{
    private const int Iterations = 10_000;

    public static Command Create()
    {
        var data = WorkloadOptions.Data();
        var threads = WorkloadOptions.Threads();
        var iterations = WorkloadOptions.Iterations(Iterations);
        var precision = WorkloadOptions.PrecisionOption();
        var command = new Command("seed", "The chapter's run: 784-50-10, batch 100, rate 0.1")
        {
            data,
            threads,
            iterations,
            precision,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(data),
                parsed.GetRequiredValue(threads),
                parsed.GetValue(iterations),
                parsed.GetRequiredValue(precision)
            )
        );
        return command;
    }

    public static void Run(string directory, int[] threads) =>
        Run(directory, threads, Iterations, Precision.Single);

    private static void Run(string directory, int[] threads, int iterations, Precision precision)
    {
        if (precision.IsSingle)
            Run<float>("float32", directory, threads, iterations);
        else
            Run<double>("float64", directory, threads, iterations);
    }

    private static void Run<T>(string dtype, string directory, int[] threads, int iterations)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var data = Chapter.Load<T>(directory);
        var runs = Measure.WithThreads(
            threads,
            () => Train(data.Train, data.Test, iterations, evaluate: true)
        );
        Report.Best(
            "seed",
            runs,
            runs.MinBy(run => run.Number("train_seconds"))!,
            new() { ["dtype"] = dtype }
        );
    }

    /// <summary>The chapter's loop; the loss is that of the training pass.</summary>
    public static Figures Train<T>(Dataset<T> train, Dataset<T> test, int iterations, bool evaluate)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var settings = Hyperparameters.Default;
        // As the service does while it loads.
        JitWarmUp.Run<T>(settings, Chapter.For(JitWarmUp.Inputs));
        var perEpoch = Batch.IterationsPerEpoch(train.Count, settings.BatchSize);
        var state = Trainer.Start<T>(settings, Chapter.Architecture);
        var losses = new double[iterations];
        List<double> trainAccuracy = [];
        List<double> testAccuracy = [];
        var laps = new Laps();
        while (state.Iteration < iterations)
        {
            // To the first step of the next epoch, where the book's program looks at its accuracies.
            var toLook = perEpoch - ((state.Iteration + perEpoch - 1) % perEpoch);
            state = Runs.Advance(
                settings,
                train,
                Math.Min(toLook, iterations - state.Iteration),
                (iteration, loss) =>
                {
                    losses[iteration - 1] = loss;
                    return true;
                },
                state
            );
            if (state.Iteration % perEpoch == 1)
            {
                laps.Interrupt(() =>
                {
                    if (!evaluate)
                        return;
                    trainAccuracy.Add(Network.Evaluate(state.Network, train).Accuracy);
                    testAccuracy.Add(Network.Evaluate(state.Network, test).Accuracy);
                });
            }
        }
        var figures = new Figures { ["loss"] = "forward" }.With(laps.Finish(iterations, perEpoch));
        figures["first_loss"] = losses[0];
        figures["last_loss"] = losses[^1];
        if (evaluate)
        {
            figures["train_accuracy"] = trainAccuracy;
            figures["test_accuracy"] = testAccuracy;
        }
        figures["final_test_accuracy"] = Network.Evaluate(state.Network, test).Accuracy;
        return figures;
    }
}
