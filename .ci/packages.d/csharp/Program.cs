using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;

var small = PipelineSettings.OfPreset("small-table");
var trained = await TableTrainer.TrainAsync(
    small with
    {
        Data = new() { Train = "flowers.csv", Label = "Species" },
    }
);
trained.Model.Save("flowers.safetensors");
var flower = new
{
    SepalLength = 5.0,
    SepalWidth = 3.4,
    PetalLength = 1.5,
    PetalWidth = 0.2,
};
var prediction = TableModel.Load("flowers.safetensors").Predict(flower);
Console.WriteLine($"test accuracy {trained.Scores.Test.Accuracy}, {prediction}");

var at = Matrix<double>.Build.DenseOfArray(
    new[,]
    {
        { 0.5, -1.5 },
        { 2.0, 0.1 },
    }
);
var right = Gradients.Check(
    z => Activations.Apply(Activation.Tanh, z).Enumerate().Sum(),
    Activations.Derivative(Activation.Tanh, at),
    at
);
var wrong = Gradients.Check(z => z.Enumerate().Sum(), 2 * at, at);
return
    prediction.Class == "setosa"
    && trained.Scores.Test.Accuracy >= 0.8
    && right.Passed
    && !wrong.Passed
    ? 0
    : 1;
