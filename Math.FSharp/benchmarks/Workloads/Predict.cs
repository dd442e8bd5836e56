using System.CommandLine;
using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Benchmarks;

/// <summary><c>predict</c>: the probabilities of every test image, all at once, by hundreds and one at a
/// time.</summary>
internal static class Predict
{
    private const int Iterations = 3000;
    private const int Batch = 100;
    private const int Passes = 20;

    /// <summary>Has the predictor answer for one image.</summary>
    private delegate void Answer(int image, Span<float> probabilities);

    public static Command Create()
    {
        var data = WorkloadOptions.Data();
        var threads = WorkloadOptions.Threads();
        var iterations = WorkloadOptions.Iterations(Iterations);
        var command = new Command(
            "predict",
            "Probabilities of the test images, of a trained network"
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

    public static void Run(string directory, int[] threads, int iterations = Iterations)
    {
        var data = Chapter.Load<float>(directory);
        MathNet.Numerics.Control.MaxDegreeOfParallelism = 1;
        var network = Chapter.Train(data.Train, iterations).Network;
        var test = data.Test;
        var columns = Dataset.Take(Chapter.AllPlaces(test), test).Inputs;
        var runs = Measure.WithThreads(threads, () => Time(network, test, columns));
        Report.Best(
            "predict",
            runs,
            runs.MaxBy(run => run.Number($"images_per_second_batch_{test.Count}"))!,
            new() { ["dtype"] = "float32" }
        );
    }

    private static Figures Time(Network<float> network, Dataset<float> test, Matrix<float> columns)
    {
        var parts = Parts(test, columns);
        var matrices = parts.Select((_, i) => PartOf(columns, i)).ToArray();
        double PerSecond(Action pass)
        {
            Measure.WarmUp(pass);
            return test.Count / Measure.BestOf(Passes, pass);
        }

        var figures = new Figures
        {
            ["test_accuracy"] = Network.Evaluate(network, test).Accuracy,
            [$"images_per_second_batch_{test.Count}"] = PerSecond(() =>
                Network.Probabilities(network, test)
            ),
            [$"images_per_second_batch_{Batch}"] = PerSecond(() =>
            {
                foreach (var part in parts)
                    Network.Probabilities(network, part);
            }),
            [$"images_per_second_batch_{Batch}_matrices"] = PerSecond(() =>
            {
                foreach (var matrix in matrices)
                    Network.Predict(network, matrix);
            }),
        };

        var predictor = new Predictor<float>(network);
        var numbers = columns.AsColumnMajorArray();
        var bytes = Bytes(columns);
        return figures
            .With(
                OneByOne(
                    "single_image",
                    test.Count,
                    (image, into) =>
                        predictor.Predict(
                            numbers.AsSpan(image * test.Features, test.Features),
                            into
                        )
                )
            )
            .With(
                OneByOne(
                    "single_image_bytes",
                    test.Count,
                    (image, into) =>
                        predictor.Predict(bytes.AsSpan(image * test.Features, test.Features), into)
                )
            );
    }

    /// <summary>A call takes little longer than reading the clock, so the mean of a loop without
    /// that stands beside the median.</summary>
    private static Figures OneByOne(string name, int images, Answer answer)
    {
        var probabilities = new float[Chapter.Classes];
        void All()
        {
            for (var image = 0; image < images; image++)
                answer(image, probabilities);
        }

        var next = 0;
        void Next() => answer(next = (next + 1) % images, probabilities);
        // The median first: ten thousand answers are done before the compiler has finished what they call.
        return new()
        {
            [$"{name}_median_us"] = 1e6 * Measure.MedianOf(images, Next),
            [$"{name}_mean_us"] = 1e6 * Measure.Seconds(All) / images,
        };
    }

    /// <summary>The test set in data sets of a hundred, as they come from requests.</summary>
    private static Dataset<float>[] Parts(Dataset<float> test, Matrix<float> columns)
    {
        var labels = ((Targets<float>.Labels)test.Targets).Item;
        return
        [
            .. labels
                .Chunk(Batch)
                .Select(
                    (some, i) =>
                    {
                        var pixels = Bytes(PartOf(columns, i));
                        var images = new IdxImages(
                            some.Length,
                            ImageSize.Grey(test.Features, 1),
                            pixels
                        );
                        return Dataset
                            .OfIdx<float>(test.Classes, images, some)
                            .TryGet(out var part, out var faults)
                            ? part
                            : throw new InvalidDataException(string.Join(' ', faults));
                    }
                ),
        ];
    }

    private static Matrix<float> PartOf(Matrix<float> columns, int i) =>
        columns.SubMatrix(
            0,
            columns.RowCount,
            i * Batch,
            Math.Min(Batch, columns.ColumnCount - (i * Batch))
        );

    public static byte[] Bytes(Matrix<float> columns) =>
        [.. columns.AsColumnMajorArray().Select(x => (byte)MathF.Round(x * 255))];
}
