using System.CommandLine;
using MathNet.Numerics;
using Microsoft.ML.OnnxRuntime;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Training;

namespace Pipeline.Benchmarks;

/// <summary><c>answers</c>: LeNet-5's probabilities of the test images' bytes, at once and one at a time, by this program
/// or by ONNX Runtime from the exported file.</summary>
/// <remarks>One of them in a process: the other one's threads would wait for work beside it.</remarks>
internal static class Answers
{
    private const int Side = 28;
    private const int Times = 15;
    private const int TimesOfOne = 5000;

    public static Command Create()
    {
        var data = WorkloadOptions.Data();
        var threads = WorkloadOptions.Threads();
        var isOnnxRuntime = new Option<bool>("--onnx-runtime")
        {
            Description = "let ONNX Runtime answer",
        };
        var command = new Command("answers", "Probabilities of the test images by LeNet-5")
        {
            data,
            threads,
            isOnnxRuntime,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(data),
                parsed.GetRequiredValue(threads),
                parsed.GetValue(isOnnxRuntime)
            )
        );
        return command;
    }

    private static void Run(string directory, int[] threads, bool isOnnxRuntime)
    {
        var test = Chapter.Load<float>(directory).Test;
        var network = Network.Initialise<float>(
            Initialiser.HeNormal,
            EpochRun.RandomSeed,
            LeNet.Workload.Architecture
        );
        var runs = Measure.WithThreads(
            threads,
            () => isOnnxRuntime ? TimeOnnxRuntime(network, test) : Time(network, test)
        );
        Report.Best(
            "answers",
            runs,
            runs.MinBy(run => run.Number("at_once_median_ms"))!,
            new() { ["by"] = isOnnxRuntime ? "onnx-runtime" : "pipeline", ["dtype"] = "float32" }
        );
    }

    private static Figures Time(Network<float> network, Dataset<float> test)
    {
        var predictor = new Predictor<float>(network);
        var images = Predict.Bytes(Dataset.Take(Chapter.AllPlaces(test), test).Inputs);
        var into = new float[Chapter.Classes];
        var image = 0;
        return Figures(
            () => Network.Probabilities(network, test),
            () =>
            {
                image = (image + 1) % test.Count;
                predictor.Predict(images.AsSpan(image * test.Features, test.Features), into);
            }
        );
    }

    private static Figures TimeOnnxRuntime(Network<float> network, Dataset<float> test)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = Control.MaxDegreeOfParallelism,
            InterOpNumThreads = 1,
        };
        var plain = Model.OfNetwork(network);
        var model = new Model<float>(
            network,
            Preprocessing.NewPixels(ImageSize.Grey(Side, Side)),
            plain.Classes,
            plain.Decision,
            plain.Conformal,
            plain.Statistics,
            plain.Notes
        );
        using var session = new InferenceSession(OnnxFile.Write(model), options);
        using var run = new RunOptions();
        var images = Predict.Bytes(Dataset.Take(Chapter.AllPlaces(test), test).Inputs);
        using var all = Tensor(images, test.Count);
        using var one = Tensor(images[..test.Features], 1);
        void Ask(OrtValue value)
        {
            using var answers = session.Run(run, session.InputNames, [value], session.OutputNames);
        }
        return Figures(() => Ask(all), () => Ask(one));
    }

    private static OrtValue Tensor(byte[] images, int count) =>
        OrtValue.CreateTensorValueFromMemory(images, [count, Side, Side]);

    private static Figures Figures(Action atOnce, Action one) =>
        new()
        {
            ["at_once_median_ms"] = 1e3 * Measure.MedianOf(Times, atOnce),
            ["single_image_median_us"] = 1e6 * Measure.MedianOf(TimesOfOne, one),
        };
}
