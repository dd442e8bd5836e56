using System.CommandLine;
using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning;
using Pipeline.Learning.Formats;

namespace Pipeline.Benchmarks;

/// <summary><c>dense</c>: the chapter's loop on images without a blank pixel, so that nothing is gained
/// by leaving out zeros.</summary>
internal static class Dense
{
    public static Command Create()
    {
        var data = WorkloadOptions.Data();
        var iterations = WorkloadOptions.Iterations(10_000);
        var command = new Command("dense", "The chapter's loop with no input zero, on one thread")
        {
            data,
            iterations,
        };
        command.SetAction(parsed =>
            Run(parsed.GetRequiredValue(data), parsed.GetValue(iterations))
        );
        return command;
    }

    private static void Run(string directory, int iterations)
    {
        var data = Chapter.Load<float>(directory);
        var (train, test) = (Lightened(data.Train), Lightened(data.Test));
        var runs = Measure.WithThreads(
            [1],
            () => Seed.Train(train, test, iterations, evaluate: false)
        );
        Report.Best(
            "dense",
            runs,
            runs[0],
            new() { ["dtype"] = "float32", ["inputs"] = "byte / 255 + 0.1" }
        );
    }

    private static Dataset<float> Lightened(Dataset<float> images)
    {
        var numbers = Dataset.Take(Chapter.AllPlaces(images), images).Inputs.ToColumnMajorArray();
        var pixels = Array.ConvertAll(numbers, x => (byte)Math.Min(Math.Round(255 * x) + 26, 255));
        return Chapter.Required(
            Dataset.OfIdx<float>(
                images.Classes,
                new IdxImages(images.Count, images.ImageSize.Value, pixels),
                ((Targets<float>.Labels)images.Targets).Item
            )
        );
    }
}
