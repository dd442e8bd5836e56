using System.Globalization;
using System.Numerics;
using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Fuzz;

/// <summary>Models and checkpoints.</summary>
internal static class ModelTargets
{
    /// <summary>The largest number of inputs, of outputs and of multiplications of a network that is used.</summary>
    private const long Small = 100_000;

    private static readonly Hyperparameters Settings = Runs.Hyperparameters(
            TrainingOptions.Default.With(
                optimizer: OptimizerSpecModule
                    .Create(OptimizerSpecModule.Named("Adam"))
                    .OrThrow(faults => Oracle.Refused("Adam", faults))
            )
        )
        .OrThrow(faults => Oracle.Refused("options", faults));

    private static readonly Architecture Dense = Models.OfNumbers.Network.Architecture;

    public static IEnumerable<Target> All { get; } =
    [
        new(
            "safetensors",
            () =>
                [
                    Safetensors.Write(Models.OfNumbers),
                    Safetensors.Write(Models.OfRows),
                    Safetensors.Write(
                        OfLayers("1x4x4", "conv2d 2 3 padding 1, batchnorm, relu, flatten, dense 2")
                    ),
                    File.ReadAllBytes(Fixtures.Path("model-1.safetensors")),
                ],
            input =>
                Uses(
                    Oracle.Bounded(
                        input.Length,
                        () => ModelFile.Of(DataFile.Of("x.safetensors", input))
                    )
                ),
            "\"dtype\":\"F32\"",
            "\"dtype\":\"BF16\"",
            "\"shape\":[",
            "\"data_offsets\":[",
            "__metadata__",
            "layers",
            "9223372036854775807",
            "0.weight",
            "0.bias",
            "W1",
            "b1"
        ),
        new(
            "metadata",
            () => Notes().Select(Encoding.UTF8.GetBytes),
            Metadata,
            "activations=",
            "layers=",
            "shape=",
            "head=",
            "preprocessing=",
            "classes=",
            "decision=",
            "conformal=",
            "statistics=",
            "\"kind\":\"table\"",
            "\"numbers\":[",
            "\"categories\":[",
            "\"values\":[",
            "1e308",
            "1e-308",
            "2147483647",
            "null",
            "\\ud800"
        ),
        new(
            "layers",
            () =>
                new[]
                {
                    "4\ndense 3, tanh, dense 2",
                    "1x6x6\nconv2d 2 3x3 stride 2 padding 1 dilation 1 groups 1, batchnorm, relu, maxpool2d 2, flatten, dense 2",
                    "4x1x8\nconv1d 4 3 groups 2, avgpool1d 2, dropout2d 0.1, globalavgpool, dense 2",
                    "2x4x4\nresidual [conv2d 2 3 padding 1, relu], layernorm, flatten, dropout 0.5, dense 2",
                    "5\nembedding 2 3:2, dense 2",
                }.Select(Encoding.UTF8.GetBytes),
            Layers,
            [
                "dense ",
                "conv2d ",
                "conv1d ",
                "maxpool2d ",
                "avgpool1d ",
                "residual [",
                "]",
                "embedding ",
                "stride ",
                "padding ",
                "dilation ",
                "groups ",
                "globalavgpool",
                "flatten",
                "batchnorm",
                "layernorm",
                "dropout 0.5",
                "relu",
                "2147483647",
                "65536",
                "1073741824x1073741824x16",
            ]
        ),
        new(
            "checkpoint",
            () =>
                [
                    Checkpoint.Write(Trainer.Start<float>(Settings, Dense)),
                    File.ReadAllBytes(Fixtures.Path("checkpoint-1.safetensors")),
                    File.ReadAllBytes(Fixtures.Path("checkpoint-2.safetensors")),
                ],
            OfCheckpoint,
            "\"iteration\":\"",
            "\"best_iteration\":\"",
            "NaN",
            "Infinity",
            "9223372036854775807",
            "-1"
        ),
        new(
            "manifest",
            () => [Manifest([1, 2, 3]).ToJson()],
            OfManifest,
            "\"version\":",
            "1e999",
            "null"
        ),
    ];

    private static Model<float> OfLayers(string shape, string layers) =>
        Model.OfNetwork(
            Network.Initialise<float>(
                Initialiser.HeNormal,
                1,
                Architectures
                    .Create(
                        Head.Softmax,
                        Model.ParseShape(shape).OrThrow(faults => Oracle.Refused(shape, faults)),
                        LayerKinds.Split(layers)
                    )
                    .OrThrow(faults => Oracle.Refused(layers, faults))
            )
        );

    /// <summary>What the program does with a model's file.</summary>
    public static void Uses(ModelFile file)
    {
        if (
            file.Content.Tensors.All(tensor =>
                tensor.Elements.IsSingles || tensor.Elements.IsDoubles
            )
        )
        {
            var again = Safetensors
                .Parse(Safetensors.Format(file.Content))
                .OrThrow(faults => Oracle.Refused("written tensors", faults));
            Oracle.Same(file.Content, again);
        }
        if (file.IsDouble)
            Uses(file.ModelOf<double>());
        else
            Uses(file.ModelOf<float>());
    }

    private static void Uses<T>(Model<T> model)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (
            IsSmall(model.Network.Architecture)
            && Evaluations.Multiplications(model.Network) <= Small
        )
            Oracle.Usable(model);
    }

    private static bool IsSmall(Architecture architecture) =>
        architecture.Inputs <= Small && architecture.Outputs <= Small;

    private static IEnumerable<string> Notes()
    {
        foreach (
            var file in (TensorFile[])
                [Model.ToTensors(Models.OfRows), Model.ToTensors(Models.OfImages)]
        )
            yield return string.Join(
                '\n',
                file.Metadata.Select(note => $"{note.Item1}={note.Item2}")
            );
        yield return "decision={\"class\":\"yes\",\"threshold\":0.3}";
        yield return "conformal={\"coverage\":0.9,\"margins\":[0.6]}";
        yield return "layers=[\"dense 3\",\"tanh\",\"dense 2\"]\nshape=4";
        yield return "head=Identity\nclasses=[\"a\",\"b\"]";
    }

    /// <summary>A sound model with other metadata: a line for each.</summary>
    private static void Metadata(byte[] input)
    {
        var given = Encoding
            .UTF8.GetString(input)
            .Split('\n')
            .Select(line => line.Split('=', 2))
            .Where(parts => parts.Length == 2)
            .DistinctBy(parts => parts[0])
            .ToDictionary(parts => parts[0], parts => parts[1]);
        foreach (var sound in (TensorFile[])[Model.ToTensors(Models.OfRows)])
        {
            var metadata = sound
                .Metadata.Where(note => !given.ContainsKey(note.Item1))
                .Concat(given.Select(note => Tuple.Create(note.Key, note.Value)));
            var file = new TensorFile(
                Microsoft.FSharp.Collections.ListModule.OfSeq(metadata),
                sound.Tensors
            );
            Uses(
                Oracle.Bounded(
                    input.Length,
                    () => new ModelFile("x.safetensors", file).ModelOf<double>()
                )
            );
        }
    }

    /// <summary>A shape and layers by their names: the layers' own names make the same network, and its file is read.</summary>
    private static void Layers(byte[] input)
    {
        var lines = Encoding.UTF8.GetString(input).Split('\n', 2);
        var names = LayerKinds.Split(lines[^1]);
        Architectures.TakesImages(names);
        var shape = Model.ParseShape(lines[0]).OrThrow(RefusedException.At("shape"));
        Oracle.Require(shape.Size > 0, $"a shape of {shape.Size} numbers");
        foreach (var head in (Head[])[Head.Softmax, Head.Identity])
        {
            var architecture = Oracle.Bounded(
                input.Length,
                () =>
                    Architectures.Create(head, shape, names).OrThrow(RefusedException.At("layers"))
            );
            Architectures.InputsOf(names);
            string[] own = [.. architecture.Layers.Select(layer => layer.Name)];
            var again = Architectures
                .Create(head, shape, own)
                .OrThrow(faults => Oracle.Refused(string.Join(", ", own), faults));
            Oracle.Require(
                $"{again}" == $"{architecture}"
                    && own.SequenceEqual(again.Layers.Select(layer => layer.Name)),
                $"{architecture} is {again} by its layers' names"
            );
            var split = LayerKinds.Split(string.Join(", ", own));
            Oracle.Require(split.SequenceEqual(own), "names that are joined are split otherwise");
            var numbers = architecture.ParameterCount;
            Oracle.Require(numbers >= 0, $"{numbers} parameters");
            if (!IsSmall(architecture) || numbers > Small)
                continue;
            var network = Network.Initialise<float>(Initialiser.HeNormal, 1, architecture);
            Oracle.Require(
                Evaluations.Multiplications(network) >= 0,
                "a negative number of multiplications"
            );
            Uses(Model.OfNetwork(network));
        }
    }

    private static CheckpointManifest Manifest(byte[] checkpoint) =>
        CheckpointManifest.Create(
            7,
            TimeSpan.FromSeconds(1),
            checkpoint,
            "s",
            new Dictionary<string, string> { ["file"] = "hash" }
        );

    /// <summary>A checkpoint with a manifest of its own bytes: the store has it, and the state is written and read the
    /// same.</summary>
    private static void OfCheckpoint(byte[] input)
    {
        Oracle.Require(Manifest(input).FaultOf(input, "x") is null, "a manifest of other bytes");
        var state = Oracle.Bounded(
            input.Length,
            () => Checkpoint.Read<float>(Settings, Dense, input).OrThrow(RefusedException.At("x"))
        );
        var bytes = Checkpoint.Write(state);
        Oracle.Require(bytes.Length <= Checkpoint.Size(state), "more bytes than a state has");
        var again = Checkpoint
            .Read<float>(Settings, Dense, bytes)
            .OrThrow(faults => Oracle.Refused("a written checkpoint", faults));
        Oracle.Require(
            Checkpoint.Write(again).AsSpan().SequenceEqual(bytes),
            "a checkpoint that is read and written is another one"
        );
        // The network of a run that diverged has numbers that are not finite.
        var network = Trainer.CurrentNetwork(state);
        if (Parameters.ToVector(network.Parameters).All(float.IsFinite))
            Oracle.Usable(Model.OfNetwork(network));
    }

    /// <summary>A manifest: written and read it is the same.</summary>
    private static void OfManifest(byte[] input)
    {
        var manifest = Oracle.Bounded(input.Length, () => Read(input));
        var bytes = manifest.ToJson();
        Oracle.Require(
            Read(bytes).ToJson().AsSpan().SequenceEqual(bytes),
            "a manifest that is written and read is another one"
        );
        manifest.FaultOf(input, "x");
        Oracle.Require(
            manifest.IsOf(manifest.SettingsSha256, manifest.DataSha256),
            "a manifest is not of its own run"
        );
    }

    private static CheckpointManifest Read(byte[] json) =>
        CheckpointManifest.Parse(json, "x", out var fault) ?? throw new RefusedException([fault]);
}
