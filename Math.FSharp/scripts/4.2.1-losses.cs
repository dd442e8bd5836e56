#:project ../Math.FSharp.fsproj
#:project ../pictures/Pictures.fsproj
// Squared error and cross entropy of one digit: dotnet run -c Release 4.2.1-losses.cs
using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning;
using Pipeline.Pictures;

// The digit is a 2.
var target = Vector<double>.Build.Dense([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);

// Two networks' probabilities: the one says 2, the other 7.
var saysTwo = Vector<double>.Build.Dense([0.1, 0.05, 0.6, 0, 0.05, 0.1, 0, 0.1, 0, 0]);
var saysSeven = Vector<double>.Build.Dense([0.1, 0.05, 0.1, 0, 0.05, 0.1, 0, 0.6, 0, 0]);

(string Name, Func<Vector<double>, double> Of)[] losses =
[
    ("squared error", y => Loss.SumSquaredError(target, y)),
    ("cross entropy", y => Loss.CrossEntropyError(target, y)),
];
foreach (var (name, loss) in losses)
    Console.WriteLine(
        $"{name}: {loss(saysTwo)} where the network says 2, {loss(saysSeven)} where it says 7"
    );

// What a network says that gives 2 the probability p, and the other digits the rest in equal parts.
static Vector<double> Prediction(double p) =>
    Vector<double>.Build.Dense(10, digit => digit == 2 ? p : (1 - p) / 9);

var chart = new Chart(
    "Two losses of one digit",
    Axis.Linear("probability given to the right digit").Within(0, 1),
    Axis.Linear("loss (cross entropy in nats)").Within(0, 5),
    [
        .. losses.Select(loss =>
            Mark.NewLine(
                loss.Name,
                Enumerable.Range(1, 500).Select(i => (i / 500.0, loss.Of(Prediction(i / 500.0))))
            )
        ),
    ]
);
var here = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
var folder = Directory.CreateDirectory(Path.Combine(here, "../../data/runs/scripts")).FullName;
File.WriteAllText($"{folder}/4.2.1-losses-cs.svg", Picture.ToSvg("losses", 720, 450, [chart]));
Console.WriteLine($"picture: {folder}/4.2.1-losses-cs.svg");
