#:project ../Math.FSharp.fsproj
#:project ../pictures/Pictures.fsproj
// The chapter's network trained from C#: dotnet run -c Release 4.5.2-training.cs
using System.IO.Compression;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using Pipeline.Pictures;

var here = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
var data = Path.GetFullPath(Path.Combine(here, "../../data"));
var (train, test) = (Mnist("train"), Mnist("t10k"));
var (batchSize, rate, seed) = (100, 0.1f, 1UL);
var each = Batch.IterationsPerEpoch(train.Count, batchSize);
List<(double Epoch, double Train, double Test)> accuracies = [];

var network = Network.Initialise<float>(
    Initialiser.NewFixed(0.01),
    seed,
    Architectures.Dense(Activation.Sigmoid, 784, 50, 10)
);
for (var i = 0; i <= 5 * each; i++)
{
    if (i % each == 0)
    {
        var (onTrain, onTest) = (Network.Evaluate(network, train), Network.Evaluate(network, test));
        accuracies.Add((i / each, onTrain.Accuracy, onTest.Accuracy));
        Console.WriteLine(
            $"epoch {i / each} | train acc: {onTrain.Accuracy:F4}, test acc: {onTest.Accuracy:F4}"
        );
    }
    var batch = Dataset.Take(Batch.Draw(seed, train.Count, batchSize, i), train);
    var (_, gradient) = Gradient.Backward(network, batch);
    network = network.With(Optimizer.Descend(rate, gradient, network.Parameters));
}

var chart = new Chart(
    "The chapter's network, trained from C#",
    Axis.Linear("epoch"),
    Axis.Linear("accuracy (share right)").Within(0, 1),
    [
        Mark.NewLine("training set", accuracies.Select(a => (a.Epoch, a.Train))),
        Mark.NewLine("test set", accuracies.Select(a => (a.Epoch, a.Test))),
    ]
);
var folder = Directory.CreateDirectory($"{data}/runs/scripts").FullName;
File.WriteAllText($"{folder}/4.5.2-training-cs.svg", Picture.ToSvg("training", 720, 450, [chart]));
Console.WriteLine($"picture: {folder}/4.5.2-training-cs.svg");

Dataset<float> Mnist(string name) =>
    Value(
        Dataset.OfIdx<float>(
            10,
            Value(Idx.ParseImages(Unzip($"{name}-images-idx3-ubyte"))),
            Value(Idx.ParseLabels(10, Unzip($"{name}-labels-idx1-ubyte")))
        )
    );

byte[] Unzip(string name)
{
    using var zipped = new GZipStream(
        File.OpenRead($"{data}/mnist/{name}.gz"),
        CompressionMode.Decompress
    );
    using var plain = new MemoryStream();
    zipped.CopyTo(plain);
    return plain.ToArray();
}

static T Value<T>(
    Microsoft.FSharp.Core.FSharpResult<T, Microsoft.FSharp.Collections.FSharpList<Fault>> result
) =>
    result.TryGet(out var value, out var faults)
        ? value
        : throw new InvalidDataException(string.Join(' ', faults));
