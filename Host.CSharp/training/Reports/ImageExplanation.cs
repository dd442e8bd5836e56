using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>What a network sees in an image, and what the pixels add to its answer.</summary>
/// <param name="Sample">The image's index among the test samples.</param>
/// <param name="Expected">Its class.</param>
/// <param name="Predicted">The class that the model answers.</param>
/// <param name="Image">The image.</param>
/// <param name="Attribution">What each number of the image adds to the probability of the answer; null for a network that
/// takes too long for it.</param>
/// <param name="Maps">The outputs of the first convolutions; empty for networks without any.</param>
internal sealed record ImageExplanation(
    int Sample,
    int Expected,
    int Predicted,
    ByteImage Image,
    Attribution? Attribution,
    IReadOnlyList<FeatureMaps> Maps
)
{
    /// <summary>The largest number of classes of which a correctly classified image is explained.</summary>
    private const int MostClasses = 3;

    /// <summary>The images among which these are looked for.</summary>
    private const int MostSearched = 1000;

    /// <summary>The most convolutions whose outputs are shown.</summary>
    private const int MostLayers = 2;

    /// <summary>The largest network, in multiplications for a sample, whose answers are attributed to pixels: this takes some
    /// seconds for all images.</summary>
    private const long MostMultiplications = 10_000_000;

    /// <summary>What each pixel adds: the sum over its channels; null without an attribution.</summary>
    public double[]? Saliency
    {
        get
        {
            if (Attribution is null)
                return null;
            var area = Image.Size.Area;
            var pixels = new double[area];
            foreach (var (place, part) in Attribution.Parts.Index())
                pixels[place % area] += part.Item2;
            return pixels;
        }
    }

    /// <summary>The explanations of the first correctly classified image of some classes, and of its most
    /// confident mistake.</summary>
    /// <param name="model">The model.</param>
    /// <param name="evaluation">Its figures.</param>
    /// <param name="test">The samples that they are of.</param>
    public static IReadOnlyList<ImageExplanation> Of<T>(
        Model<T> model,
        Evaluation evaluation,
        Dataset<T> test
    )
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (
            evaluation is not Evaluation.Classification { Item: var figures }
            || test.ImageSize.IsNone
            || test.Targets is not Targets<T>.Labels { Item: var labels }
        )
            return [];
        int[] searched = [.. Enumerable.Range(0, Math.Min(MostSearched, test.Count))];
        var outputs = Network.Probabilities(model.Network, Dataset.Select(searched, test));
        var explanations = searched
            .Where(sample => AnswerTo(sample) == labels[sample])
            .DistinctBy(sample => labels[sample])
            .Take(MostClasses)
            .Select(sample => Explain(sample, labels[sample]));
        return
        [
            .. explanations,
            .. figures
                .Mistakes.Take(1)
                .Select(mistake => Explain(mistake.Sample, mistake.Predicted)),
        ];

        int AnswerTo(int sample) =>
            Decisions.Answer(
                model.Decision.OrNull(),
                [.. outputs.Column(sample).Select(double.CreateTruncating)]
            );

        ImageExplanation Explain(int sample, int answer)
        {
            var inputs = Dataset.Take([sample], test).Inputs.Column(0);
            return new(
                sample,
                labels[sample],
                answer,
                ByteImage.Of(test, sample),
                Evaluations.Multiplications(model.Network) <= MostMultiplications
                    ? Evaluations.Attribution(answer, model.Network, inputs)
                    : null,
                Evaluations.FeatureMaps(MostLayers, model.Network, inputs)
            );
        }
    }
}
