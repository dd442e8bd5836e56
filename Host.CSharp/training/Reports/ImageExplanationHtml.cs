using System.Globalization;
using System.Text;
using Pipeline.Learning;
using static Pipeline.Training.HtmlParts;

namespace Pipeline.Training;

/// <summary>What a network sees in some images, as a section of a page.</summary>
internal static class ImageExplanationHtml
{
    /// <summary>The most maps of a convolution that are drawn.</summary>
    private const int MostMaps = 16;

    /// <summary>The largest side of a map that is drawn.</summary>
    private const int LargestSide = 256;

    public static void Append(StringBuilder page, EvaluationReport report)
    {
        if (report.Images.Count == 0)
            return;
        var hasSaliency = report.Images.Any(image => image.Attribution is not null);
        var text =
            "The first correctly classified image of some classes, and the most confident mistake. "
            + (
                hasSaliency
                    ? "Saliency: what each pixel adds to the probability of the answer (red) or takes from it (blue), by integrated gradients from an image whose pixels are all 0; channels are added up, and all pixels sum up to the difference of the two probabilities. "
                    : "Saliency is left out, as the network is large. "
            )
            + (
                report.Images[0].Maps.Count > 0
                    ? "Feature maps: what each output channel of a convolution gives, above 0 (red) or below (blue)."
                    : ""
            );
        Section(
            page,
            "What the network sees",
            text.TrimEnd(),
            string.Join('\n', report.Images.Select(image => Row(report, image)))
        );
    }

    private static string Row(EvaluationReport report, ImageExplanation image)
    {
        var sample = $"test sample {image.Sample}";
        var answer = HtmlText.Of(report.ClassName(image.Predicted));
        var expected = HtmlText.Of(report.ClassName(image.Expected));
        List<string> figures =
        [
            Figure(
                PngWriter.OfBytes(image.Image),
                sample,
                image.Expected == image.Predicted
                    ? $"<b>{expected}</b>, classified correctly"
                    : $"<b>{expected}</b> taken for <b>{answer}</b>"
            ),
        ];
        if (image is { Saliency: { } saliency, Attribution: { } attribution })
        {
            var size = image.Image.Size;
            figures.Add(
                Figure(
                    PngWriter.OfNumbers(
                        ImageSize.Grey(size.Rows, size.Columns),
                        saliency,
                        Limit(saliency)
                    ),
                    $"what the pixels of {sample} add to the probability of {report.ClassName(image.Predicted)}",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"probability of <b>{answer}</b> {attribution.Prediction:F3}, without pixels {attribution.Baseline:F3}"
                    )
                )
            );
        }
        var maps = image
            .Maps.Where(maps => Math.Max(maps.Size.Rows, maps.Size.Columns) <= LargestSide)
            .Select(maps => MapsFigure(sample, maps));
        return $"<div class=\"seen\">\n{Tiles("", PngWriter.SizeOf(image.Image.Size), figures)}\n{string.Join('\n', maps)}\n</div>";
    }

    private static string MapsFigure(string sample, FeatureMaps maps)
    {
        var size = ImageSize.Grey(maps.Size.Rows, maps.Size.Columns);
        var count = Math.Min(MostMaps, maps.Size.Channels);
        var drawn = maps.Numbers.AsMemory(0, count * size.Area);
        var sheet = TileSheet.Of(
            size,
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(map => (ReadOnlyMemory<double>)drawn.Slice(map * size.Area, size.Area)),
            ],
            // Two rows, unless there are few.
            count <= 3
                ? count
                : (count + 1) / 2
        );
        var name = HtmlText.Of(maps.Name);
        var more = count < maps.Size.Channels ? $"the first {count} of " : "";
        return $"<div class=\"maps\" style=\"--shape:{sheet.Size.Columns}/{sheet.Size.Rows}\">{Figure(
            PngWriter.OfNumbers(sheet.Size, sheet.Numbers, Limit(drawn.Span)),
            $"{count} feature maps of {size.Rows} × {size.Columns} numbers of the convolution {maps.Name} for {sample}",
            $"<b>{name}</b>: {more}{Counted.Of(maps.Size.Channels, "map")} of {size.Rows} × {size.Columns}"
        )}</div>";
    }

    /// <summary>The greatest size of a number; 1 if all are 0.</summary>
    private static double Limit(ReadOnlySpan<double> numbers)
    {
        var limit = 0.0;
        foreach (var number in numbers)
            limit = Math.Max(limit, Math.Abs(number));
        return limit > 0 ? limit : 1;
    }
}
