using System.CommandLine;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Benchmarks;

/// <summary><c>small</c>: networks whose steps and answers take less time than most frameworks' calls.</summary>
internal static class Small
{
    private const double LeastSeconds = 0.3;
    private const int Times = 5;
    private const int Samples = 10_000;
    private const int Calls = 1000;
    private const double Rate = 1e-3;

    /// <summary>Numbers to predict, of normal numbers.</summary>
    /// <param name="Name">What its figures are called.</param>
    /// <param name="Inputs">The number of inputs.</param>
    /// <param name="Layers">The layers, from the inputs' side.</param>
    private sealed record Place(string Name, int Inputs, string[] Layers)
    {
        public Architecture Architecture =>
            Chapter.Required(Architectures.Create(Head.Identity, Shape.NewVector(Inputs), Layers));
    }

    private static readonly string[] MatrixExponential =
    [
        "dense 32",
        "tanh",
        "dense 16",
        "tanh",
        "dense 4",
    ];

    private static readonly (Place Place, int BatchSize)[] Trained =
    [
        (new("full_batch_4_32_16_4", 4, MatrixExponential), Samples),
        (
            new(
                "28_300x5_1",
                28,
                [
                    .. Enumerable.Repeat((string[])["dense 300", "tanh"], 5).SelectMany(x => x),
                    "dense 1",
                ]
            ),
            100
        ),
    ];

    private static readonly Place[] Answering =
    [
        new("call_4_32_16_4", 4, MatrixExponential),
        new("call_64_64", 64, ["dense 64"]),
    ];

    public static Command Create()
    {
        var threads = WorkloadOptions.Threads();
        var command = new Command(
            "small",
            "Small networks: steps of Adam, and answers for one sample"
        )
        {
            threads,
        };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(threads)));
        return command;
    }

    private static void Run(int[] threads)
    {
        var runs = Measure.WithThreads(threads, Time);
        Report.Best(
            "small",
            runs,
            runs.MaxBy(run => run.Number("28_300x5_1_samples_per_second"))!,
            new() { ["dtype"] = "float32" }
        );
    }

    private static Figures Time()
    {
        var figures = new Figures();
        foreach (var (place, batchSize) in Trained)
        {
            var seconds = StepSeconds(place, batchSize);
            figures[$"{place.Name}_ms"] = 1e3 * seconds;
            figures[$"{place.Name}_samples_per_second"] = batchSize / seconds;
        }
        foreach (var place in Answering)
            figures[$"{place.Name}_ns"] = 1e9 * CallSeconds(place);
        return figures;
    }

    private static double StepSeconds(Place place, int batchSize)
    {
        var architecture = place.Architecture;
        var train = Dataset.OfColumns(
            architecture.Outputs,
            Normals.Matrix<float>(place.Inputs, Samples, 1),
            Targets<float>.NewColumns(Normals.Matrix<float>(architecture.Outputs, Samples, 2))
        );
        var settings = EpochRun.Settings(1, batchSize, Rate);
        var state = Trainer.Start<float>(settings, architecture);
        void Steps(int count) =>
            state = Runs.Advance(settings, train, count, (_, _) => true, state);

        var iterations = Measure.Iterations(LeastSeconds, Steps);
        return Measure.BestOf(Times, () => Steps(iterations)) / iterations;
    }

    private static double CallSeconds(Place place)
    {
        var architecture = place.Architecture;
        var predictor = new Predictor<float>(
            Network.Initialise<float>(Initialiser.XavierUniform, EpochRun.RandomSeed, architecture)
        );
        var sample = Normals.Matrix<float>(place.Inputs, 1, 1).ToColumnMajorArray();
        var answer = new float[architecture.Outputs];
        void All()
        {
            for (var i = 0; i < Calls; i++)
                predictor.Predict(sample, answer);
        }

        Measure.WarmUp(All);
        return Measure.BestOf(Calls, All) / Calls;
    }
}
