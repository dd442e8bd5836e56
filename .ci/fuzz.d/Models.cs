using System.Numerics;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Fuzz;

/// <summary>Small models of each kind of samples.</summary>
internal static class Models
{
    public static Model<float> OfNumbers { get; } = Of<float>(Preprocessing.Numbers, 2, []);

    public static Model<float> OfImages { get; } =
        Of<float>(Preprocessing.NewPixels(ImageSize.Grey(2, 3)), 6, ["a", "b", "c"]);

    public static Model<double> OfRows { get; } =
        Of<double>(
            PreprocessingModule
                .ofJson(
                    """
                    {"kind":"table","numbers":[{"name":"age","fill":null,"centre":40,"scale":10},{"name":"calls","fill":1,"centre":2,"scale":1.5}],"categories":[{"name":"plan","fill":"","values":["basic","plus"]}]}
                    """
                )
                .OrThrow(faults => Oracle.Refused("preprocessing", faults)),
            4,
            ["no", "yes"]
        );

    private static Model<T> Of<T>(Preprocessing preprocessing, int inputs, string[] classes)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var outputs = Math.Max(2, classes.Length);
        var architecture = Architectures
            .Create(Head.Softmax, Shape.NewVector(inputs), ["dense 3", "tanh", $"dense {outputs}"])
            .OrThrow(faults => Oracle.Refused("an architecture", faults));
        return new(
            Network.Initialise<T>(Initialiser.XavierNormal, 1, architecture),
            preprocessing,
            ListModule.OfArray(classes),
            FSharpValueOption<Decision>.None,
            FSharpValueOption<Conformal>.None,
            FSharpValueOption<TrainingStatistics>.None,
            FSharpList<Tuple<string, string>>.Empty
        );
    }
}
