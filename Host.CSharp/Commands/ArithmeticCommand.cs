using System.CommandLine;
using System.Globalization;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary><c>arithmetic</c>: how batches, iterations and epochs count each other.</summary>
internal static class ArithmeticCommand
{
    public static Command Create()
    {
        var samples = CountOption.Create("--samples", "samples in the training set", 10_000);
        var batch = CountOption.Create("--batch", "samples in a mini-batch", 100);
        var epochs = CountOption.Create("--epochs", "epochs to turn into iterations", 10);
        var iterations = CountOption.Create("--iterations", "iterations to turn into epochs", 1000);
        var command = new Command(
            "arithmetic",
            "Batch, iteration, epoch: the chapter's questions for any numbers"
        )
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
            $"{samples:N0} samples in batches of {batch:N0}: {Count(each, "iteration")} an epoch"
        );
        if (last != batch)
            Print.Line($"the last batch of an epoch has {Count(last, "sample")}");
        Print.Line(
            $"{Count(epochs, "epoch")}: {Count(Batch.Iterations(samples, batch, epochs), "iteration")}"
        );
        var rest = left == 0 ? "" : $" and {Count(left, "iteration")}";
        Print.Line($"{Count(iterations, "iteration")}: {Count(whole, "epoch")}{rest}");
    }

    private static string Count(long count, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}{(count == 1 ? "" : "s")}");
}
