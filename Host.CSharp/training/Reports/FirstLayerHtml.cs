using System.Text;
using static Pipeline.Training.HtmlParts;

namespace Pipeline.Training;

/// <summary>The weights of the first layer as a section of a page.</summary>
internal static class FirstLayerHtml
{
    public static void Append(StringBuilder page, FirstLayer layer)
    {
        var units = layer.Units.Take(FirstLayer.MostUnits).ToArray();
        var limit = units.SelectMany(unit => unit).Select(Math.Abs).DefaultIfEmpty(0).Max();
        if (limit is 0 or double.NaN)
            return;
        var areColours = layer.PictureSize is { } picture && PngWriter.AreColours(picture.Channels);
        var legend = areColours
            ? "Grey is 0. More of a colour: it raises the unit's sum; less of it: it lowers the sum."
            : "<span class=\"key\" style=\"background:rgb(178,24,43)\"></span>an input that raises the unit's sum<span class=\"key\" style=\"background:rgb(33,102,172)\"></span>one that lowers it";
        var more =
            layer.Units.Count > units.Length
                ? $" The first {units.Length} of {layer.Units.Count} units are drawn."
                : "";
        if (layer.PictureSize is { } size)
        {
            var tiles = units.Select(
                (unit, place) =>
                    Figure(
                        PngWriter.OfNumbers(size, unit, limit),
                        $"weights of unit {place + 1}",
                        $"{place + 1}"
                    )
            );
            Section(
                page,
                "Weights of the first layer",
                $"Every picture is a unit of the first layer: its weight for each pixel.{more}",
                $"<p>{legend}</p>{Tiles("units", size, tiles)}"
            );
        }
        else if (layer.Inputs.Count > 0 && layer.Inputs.Count <= FirstLayer.MostInputs)
        {
            var table = new StringBuilder("<table class=\"heat\"><thead><tr><th></th>");
            for (var unit = 0; unit < units.Length; unit++)
                table.Append($"<th>{unit + 1}</th>");
            table.Append("</tr></thead><tbody>\n");
            for (var input = 0; input < layer.Inputs.Count; input++)
            {
                table.Append($"<tr><th>{HtmlText.Of(layer.Inputs[input])}</th>");
                foreach (var unit in units)
                {
                    var share = unit[input] / limit;
                    table.Append(
                        Cell(
                            share < 0 ? (33, 102, 172) : (178, 24, 43),
                            Math.Abs(share),
                            ReportTable.Number(unit[input], "F2")
                        )
                    );
                }
                table.Append("</tr>\n");
            }
            table.Append("</tbody></table>");
            Section(
                page,
                "Weights of the first layer",
                $"The weight of every input (rows) for each unit of the first layer (columns).{more}",
                $"<p>{legend}</p>{table}"
            );
        }
    }
}
