using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.CSharp;

/// <summary>A run from C#: settings, data, steps, and what comes of them.</summary>
public static class Training
{
    /// <summary>Six images of two pixels: bright on the left, or on the right.</summary>
    public static Dataset<double> Images()
    {
        var pixels = new byte[] { 255, 0, 10, 240, 200, 30, 0, 250, 220, 5, 20, 190 };
        var images = new IdxImages(6, ImageSize.Grey(1, 2), pixels);
        return Dataset
            .OfIdx<double>(2, images, [0, 1, 0, 1, 0, 1])
            .TryGet(out var data, out var faults)
            ? data
            : throw new InvalidDataException(string.Join(' ', faults));
    }

    /// <summary>Which columns of a Parquet file cannot be read where nothing unpacks its pages.</summary>
    public static IReadOnlyList<string> PackedColumns(byte[] file) =>
        Tables.OfParquet(10_000, (codec, packed, page) => false, file).TryGet(out _, out var faults)
            ? []
            : [.. faults.Select(fault => fault.Subject)];

    /// <summary>The hyperparameters, or a sentence for each thing that is wrong with them.</summary>
    public static IReadOnlyList<string> Settings(
        string optimizer,
        double learningRate,
        out Hyperparameters settings
    )
    {
        settings = Hyperparameters.Default;
        var problems = new List<string>();
        if (!Parse.Optimizer(optimizer).TryGet(out var plan, out var faults))
            problems.AddRange(faults.Select(fault => fault.ToString()));
        if (
            !Runs.CheckPrecision("LearningRate", Precision.Single, learningRate)
                .TryGet(out _, out faults)
        )
            problems.AddRange(faults.Select(fault => Faults.Within("settings", fault).ToString()));
        if (problems.Count > 0)
            return problems;
        var options = Hyperparameters.Default.Options.With(
            length: RunLength.NewIterations(60),
            batchSize: 4,
            learningRate: learningRate,
            optimizer: plan,
            initialiser: Initialiser.XavierNormal,
            seed: 7
        );
        if (!Runs.Hyperparameters(options).TryGet(out settings, out faults))
            problems.AddRange(faults.Select(fault => fault.ToString()));
        return problems;
    }

    /// <summary>Trains, and tells the loss of every step.</summary>
    public static (Network<double> Network, IReadOnlyList<double> Losses) Run(
        Hyperparameters settings,
        Dataset<double> data,
        params int[] hidden
    )
    {
        if (
            !Architectures
                .Create(
                    Head.Softmax,
                    data.Features,
                    hidden,
                    false,
                    Activation.Tanh,
                    0,
                    data.Classes
                )
                .TryGet(out var architecture, out var faults)
        )
            throw new ArgumentException(string.Join(' ', faults), nameof(hidden));
        var losses = new List<double>();
        var state = Runs.Advance(
            settings,
            data,
            Runs.Iterations(settings, data.Count),
            (_, loss) =>
            {
                losses.Add(loss);
                return true;
            },
            Trainer.Start<double>(settings, architecture)
        );
        return (state.Network, losses);
    }

    /// <summary>The same steps one by one, with an optimizer in hand.</summary>
    public static Network<double> Steps(
        Optimizer<double> optimizer,
        double rate,
        int steps,
        Network<double> network,
        MiniBatch<double> batch
    )
    {
        var state = optimizer.Start(network.Parameters);
        for (var i = 0; i < steps; i++)
        {
            var (_, gradient) = Gradient.Backward(network, batch);
            (var parameters, state) = optimizer.Step(rate, gradient, state, network.Parameters);
            network = network.With(parameters);
        }
        return network;
    }

    /// <summary>The losses of steps with an optimizer's line search, if it has one.</summary>
    public static IReadOnlyList<double> Search(
        Optimizer<double> optimizer,
        double rate,
        int steps,
        Network<double> network,
        MiniBatch<double> batch
    )
    {
        var losses = new List<double>();
        var parameters = network.Parameters;
        var state = optimizer.Start(parameters);
        for (var i = 0; i < steps; i++)
        {
            (var loss, parameters, state) = optimizer.Step(
                rate,
                at => Gradient.Backward(network.With(at), batch),
                state,
                parameters
            );
            losses.Add(loss);
        }
        return losses;
    }

    /// <summary>The optimizer of that name, as settings have it.</summary>
    public static Optimizer<double> OptimizerOf(string name) =>
        Parse.Optimizer(name).TryGet(out var spec, out var faults)
            ? Optimizers.Create<double>(spec)
            : throw new ArgumentException(string.Join(' ', faults), nameof(name));

    /// <summary>Images mirrored, or left as they are.</summary>
    public static Matrix<double> Mirrored(Matrix<double> images, int rows, int columns) =>
        Augmentations.Apply(
            new(shift: 0, rotation: 0, scale: 0, elastic: 0, smoothness: 4, noise: 0, mirror: 1),
            seed: 1,
            iteration: 0,
            ImageSize.Grey(rows, columns),
            images
        );

    /// <summary>A column of a table, and the inputs of its rows: one column a row.</summary>
    public static (Column Column, Matrix<double> Inputs) Encoded<Row>(
        IEnumerable<Row> rows,
        TableOptions options,
        string column
    )
    {
        static T Required<T>(
            Microsoft.FSharp.Core.FSharpResult<
                T,
                Microsoft.FSharp.Collections.FSharpList<Fault>
            > result
        ) => result.OrThrow(faults => new InvalidDataException(string.Join(' ', faults)));

        var table = Required(Tables.OfRows(rows));
        var encoding = Required(Tables.Fit(options, table));
        return (
            Required(Tables.Find(column, table)),
            Required(Tables.Encode<double>(encoding, table))
        );
    }

    /// <summary>Momentum, written here.</summary>
    public static Optimizer<double> Momentum(double share) =>
        Optimizers.Create<double>(
            ["velocity"],
            (rate, gradient, parameters, memories) =>
            {
                var velocity = memories[0].Zip(gradient, (v, g) => share * v + g);
                return (parameters.Zip(velocity, (p, v) => p - rate * v), [velocity]);
            }
        );

    /// <summary>The length of a gradient that has been cut to ±<paramref name="limit"/>.</summary>
    public static double CutLength(Parameters<double> gradient, double limit) =>
        gradient.Map(g => Math.Clamp(g, -limit, limit)).Norm();

    /// <summary>How many samples the first iterations see, and whether a longer run begins like this
    /// one.</summary>
    public static (int[] Sizes, bool Goes) Plan(Hyperparameters settings, int samples) =>
        (
            [.. Enumerable.Range(0, 3).Select(i => Runs.BatchSize(settings, samples, i))],
            !Runs.DependsOnLength(settings)
        );

    /// <summary>Every choice that has a name.</summary>
    public static string Choices(string activation, string head, string sampling, string precision)
    {
        var problems = new List<Fault>();
        T? Read<T>(
            Microsoft.FSharp.Core.FSharpResult<
                T,
                Microsoft.FSharp.Collections.FSharpList<Fault>
            > parsed
        )
        {
            if (parsed.TryGet(out var value, out var faults))
                return value;
            problems.AddRange(faults);
            return default;
        }

        object?[] found =
        [
            Read(Parse.Activation(activation)),
            Read(Parse.Head(head)),
            Read(Parse.Sampling(sampling)),
            Read(Parse.Precision(precision)),
            Read(Parse.Gradient("numerical")),
            Read(Parse.Initialiser("fixed", 0.01)),
            Read(Parse.Schedule(new("Cosine", null, null, 0.1, null, null))),
            Read(Parse.Optimizer("Adam"))?.Name,
            Read(Runs.Length(null, 3)),
        ];
        return problems.Count == 0 ? string.Join(", ", found) : string.Join(' ', problems);
    }
}
