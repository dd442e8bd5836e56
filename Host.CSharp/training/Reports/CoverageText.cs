using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The sets or intervals of a model in words.</summary>
internal static class CoverageText
{
    /// <summary>A coverage in percent.</summary>
    public static string Share(double coverage) => $"{ReportTable.Number(100 * coverage, "G4")} %";

    /// <summary>The coverage of a model that has one, and its margins.</summary>
    public static string Of<T>(Model<T> model)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var conformal = model.Conformal.Value;
        var share = Share(conformal.Coverage);
        return model.Network.Architecture.Head.IsIdentity
            ? $"{share} by intervals of ± {string.Join(", ", conformal.Margins.Select(margin => ReportTable.Number(margin, "G5")))}"
            : $"{share} by sets of the classes with a probability of {ReportTable.Number(Math.Max(0, 1 - conformal.Margins.Head), "G4")} or more";
    }
}
