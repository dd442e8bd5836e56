using Pipeline.Serving;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>What models take and give, in words.</summary>
internal static class ModelText
{
    private const int MostNames = 10;

    public static string Takes(ModelSignature signature) =>
        signature.ImageSize is { } size ? $"images of {size}"
        : signature.Columns.Count > 0 ? Counted.Of(signature.Columns.Count, "column")
        : Counted.Of(signature.Inputs, "number");

    public static string Gives(ModelSignature signature) =>
        signature.Classes.Count switch
        {
            0 => Counted.Of(signature.Outputs, "number"),
            <= MostNames => $"one of {string.Join(", ", signature.Classes)}",
            var count => $"one of {count} classes",
        };
}
