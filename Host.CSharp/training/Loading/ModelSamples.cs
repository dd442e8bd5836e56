using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>Samples for a model: with the model's own preprocessing and classes.</summary>
internal static class ModelSamples
{
    /// <param name="path">The model's file.</param>
    /// <param name="model">The model.</param>
    /// <param name="parsed">The rows or images.</param>
    /// <exception cref="RefusedException">They do not fit the model.</exception>
    public static LoadedData<T> Of<T>(string path, Model<T> model, ParsedData parsed)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var architecture = model.Network.Architecture;
        var known = new KnownData(
            model.Preprocessing,
            [.. model.Classes],
            architecture.Head,
            architecture.Inputs
        );
        var data = parsed.Encode<T>(known);
        if (data.Preprocessing is Preprocessing.Pixels images && Taken(model) is { } taken)
        {
            var found = $"images of {images.size}";
            if (found != taken)
                throw RefusedException.Of(
                    path,
                    $"a model of {found}, as the test samples are",
                    $"one of {taken}"
                );
        }
        var (inputs, outputs) = (architecture.Inputs, architecture.Outputs);
        if (data.Test.Features != inputs || data.Test.Classes != outputs)
        {
            throw RefusedException.Of(
                path,
                $"{Counted.Of(data.Test.Features, "input")} and {Counted.Of(data.Test.Classes, "output")}, as the test samples have",
                $"{inputs} and {outputs}"
            );
        }
        if (outputs == 1 && data.Test.Targets.IsLabels)
            throw RefusedException.Of(
                path,
                "a model of two classes or more, or of numbers",
                "one class"
            );
        return data;
    }

    /// <summary>The model's kind of samples; null if it takes plain numbers.</summary>
    private static string? Taken<T>(Model<T> model)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        model.Preprocessing switch
        {
            Preprocessing.Pixels images => $"images of {images.size}",
            Preprocessing.Table => "rows of a table",
            _ => null,
        };
}
