using Pipeline.Training;

namespace Pipeline.CSharp;

/// <summary>A row of the iris data; a species of null is not known.</summary>
public sealed record Flower(
    double SepalLength,
    float SepalWidth,
    decimal PetalLength,
    double? PetalWidth,
    string? Species
);

/// <summary>A row with a number to predict.</summary>
public sealed record House(double Area, string? District, double Price);

/// <summary>Models of rows as an application in C# trains and uses them.</summary>
public static class RowModels
{
    private static readonly PipelineSettings Small = PipelineSettings.OfPreset("small-table");

    /// <summary>The settings of a small network for some epochs.</summary>
    public static PipelineSettings Settings(DataSettings data, int epochs) =>
        Small with
        {
            Data = data,
            Training = Small.Training with { Epochs = epochs },
        };

    /// <summary>The settings for a number to predict.</summary>
    public static PipelineSettings NumberSettings(int epochs) =>
        Settings(new() { Label = nameof(House.Price), Scaling = "Standard" }, epochs) with
        {
            Model = Small.Model with { Head = "Identity" },
        };

    /// <summary>The default settings for a number to predict.</summary>
    public static PipelineSettings DefaultNumberSettings(long iterations, string? scaling = null) =>
        new()
        {
            Data = new() { Label = nameof(House.Price), TargetScaling = scaling },
            Model = new() { Head = "Identity" },
            Training = new() { Iterations = iterations },
        };

    /// <summary>The settings for rows of unequal classes.</summary>
    public static PipelineSettings Weighted(string[]? weights) =>
        Settings(new() { Label = nameof(Flower.Species), ClassWeights = weights }, 30);

    /// <summary>The same settings in double precision.</summary>
    public static PipelineSettings InDouble(PipelineSettings settings) =>
        settings with
        {
            Training = settings.Training with { Precision = "Double" },
        };

    /// <summary>Trains until a number of epochs has been reported, then cancels.</summary>
    public static async Task<TrainedTable> TrainUntilAsync(
        IEnumerable<Flower> flowers,
        PipelineSettings settings,
        long epochs
    )
    {
        using var stop = new CancellationTokenSource();
        var progress = new Reports(reached =>
        {
            if (reached.Scores is not null && reached.Epoch >= epochs)
                stop.Cancel();
        });
        return await TableTrainer.TrainAsync(flowers, settings, progress, stop.Token);
    }

    /// <summary>Passes every report on at once; <see cref="Progress{T}"/> would do it later.</summary>
    public sealed class Reports(Action<TrainingProgress> act) : IProgress<TrainingProgress>
    {
        /// <inheritdoc/>
        public void Report(TrainingProgress value) => act(value);
    }

    /// <summary>Predictions for an anonymous type, with other spellings of the columns and one more.</summary>
    public static Prediction PredictAnonymous(TableModel model, Flower flower) =>
        model.Predict(
            new
            {
                id = Guid.Empty,
                sepal_length = flower.SepalLength,
                sepal_width = flower.SepalWidth,
                petal_length = flower.PetalLength,
                petal_width = flower.PetalWidth,
            }
        );

    /// <summary>Predictions for a dictionary.</summary>
    public static Prediction PredictDictionary(TableModel model, Flower flower) =>
        model.Predict(
            new Dictionary<string, object?>
            {
                ["SepalLength"] = flower.SepalLength,
                ["SepalWidth"] = flower.SepalWidth,
                ["PetalLength"] = flower.PetalLength,
                ["PetalWidth"] = flower.PetalWidth,
            }
        );

    /// <summary>What is wrong with rows that do not fit the model: no column, a text for a number, a null.</summary>
    public static IReadOnlyList<string> Refusals(TableModel model)
    {
        List<string> messages = [];
        object[] rows =
        [
            new
            {
                SepalLength = 5.1,
                SepalWidth = 3.5,
                PetalLength = 1.4,
            },
            new
            {
                SepalLength = "long",
                SepalWidth = 3.5,
                PetalLength = 1.4,
                PetalWidth = 0.2,
            },
            new
            {
                SepalLength = (double?)null,
                SepalWidth = 3.5,
                PetalLength = 1.4,
                PetalWidth = 0.2,
            },
            new List<int> { 1 },
        ];
        foreach (var row in rows)
        {
            try
            {
                model.Predict(row);
                messages.Add("nothing");
            }
            catch (RefusedException refused)
            {
                messages.Add(refused.Message);
            }
        }
        return messages;
    }
}
