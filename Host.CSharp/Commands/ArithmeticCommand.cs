using System.CommandLine;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary><c>arithmetic</c>: how many iterations an epoch has, and how many epochs a run.</summary>
internal static class ArithmeticCommand
{
    public static Command Create()
    {
        var samples = CountOption.Create("--samples", "samples in the training set", 10_000);
        var batch = CountOption.Create("--batch", "samples in a mini-batch", 100);
        var epochs = CountOption.Create("--epochs", "epochs to turn into iterations", 10);
        var iterations = CountOption.Create("--iterations", "iterations to turn into epochs", 1000);
        var command = new Command("arithmetic", "Convert between batches, iterations and epochs")
        {
            samples,
            batch,
            epochs,
            iterations,
        };
        command.SetAction(parsed =>
            Answer(
                parsed.GetValue(samples),
                parsed.GetValue(batch),
                parsed.GetValue(epochs),
                parsed.GetValue(iterations)
            )
        );
        return command;
    }

    private static void Answer(int samples, int batch, int epochs, int iterations)
    {
        var each = Batch.IterationsPerEpoch(samples, batch);
        var last = samples - ((each - 1) * batch);
        var (whole, left) = Batch.Epochs(samples, batch, iterations);
        Print.Line(
            $"{Counted.Of(samples, "sample")} in batches of {batch:N0}: {Counted.Of(each, "iteration")} an epoch"
        );
        if (last != batch)
            Print.Line($"the last batch of an epoch has {Counted.Of(last, "sample")}");
        Print.Line(
            $"{Counted.Of(epochs, "epoch")}: {Counted.Of(Batch.Iterations(samples, batch, epochs), "iteration")}"
        );
        var rest = left == 0 ? "" : $" and {Counted.Of(left, "iteration")}";
        Print.Line($"{Counted.Of(iterations, "iteration")}: {Counted.Of(whole, "epoch")}{rest}");
    }
}
