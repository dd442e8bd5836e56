using Pipeline.Learning;
using Pipeline.Serving;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>A served model as its page shows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Sha256">The SHA-256 of its file.</param>
/// <param name="Signature">What it takes and gives.</param>
/// <param name="Fault">Why a changed file cannot be used; null if the model in use is the file's.</param>
public sealed record ModelView(string Name, string Sha256, ModelSignature Signature, string? Fault)
{
    /// <summary>How the answer follows from the outputs, as sentences.</summary>
    public IReadOnlyList<string> Rules { get; init; } = [];

    /// <summary>The columns of a row; empty if the model takes no rows of a table.</summary>
    public IReadOnlyList<RowField> Fields { get; init; } = [];

    /// <summary>How its samples compare with those of its training.</summary>
    public required DriftView Drift { get; init; }

    /// <summary>What separates the decimals of numbers in the model's rows.</summary>
    public char DecimalSeparator { get; init; } = '.';

    internal static ModelView Of(ServedModel served, LoadedModel model, ServingOptions options)
    {
        var encoding = model.Rows?.Encoding;
        return new(served.Name, model.Sha256, model.Signature, served.Fault)
        {
            Drift = DriftView.Of(DriftState.Of(served, options)),
            Rules = [.. RulesOf(model.PredictionsOf([]))],
            Fields = encoding is null ? [] : RowField.Of(encoding),
            DecimalSeparator = encoding?.Format.DecimalSeparator ?? '.',
        };
    }

    private static IEnumerable<string> RulesOf(Predictions predictions)
    {
        if (predictions.Decision is { } decision)
        {
            var name = predictions.OutputNames[decision.Class];
            yield return FormattableString.Invariant(
                $"Class {name} is answered if its probability is at least {decision.Threshold:F4}; otherwise the most probable of the other classes is."
            );
        }
        if (predictions.Conformal is { } conformal)
        {
            var share = CoverageText.Share(conformal.Coverage);
            yield return predictions.AreClasses
                ? $"The {share} set contains the class of {share} of new samples."
                : $"The {share} interval contains the number of {share} of new samples.";
        }
    }
}

/// <summary>A column of a row, as a form asks for it.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Typical">What a missing value is replaced by; if it is refused, the number whose input is 0, or the first
/// category.</param>
/// <param name="IsRequired">Whether the model refuses a missing value.</param>
/// <param name="Categories">The categories that it may have; empty for a column of numbers.</param>
public sealed record RowField(
    string Column,
    string Typical,
    bool IsRequired,
    IReadOnlyList<string> Categories
)
{
    internal static RowField[] Of(TableEncoding encoding) =>
        [
            .. encoding.Numbers.Select(column => new RowField(
                column.Name,
                TypicalOf(column),
                double.IsNaN(column.Fill),
                []
            )),
            .. encoding.Categories.Select(column => new RowField(
                column.Name,
                column.Fill.Length > 0 ? column.Fill : column.Values.Head,
                column.Fill.Length == 0,
                [.. column.Values]
            )),
        ];

    /// <summary>The typical number, rounded to a hundredth of the scale.</summary>
    private static string TypicalOf(NumberColumn column)
    {
        var typical = double.IsNaN(column.Fill) ? column.Centre : column.Fill;
        var decimals = 2 - Math.Floor(Math.Log10(Math.Abs(column.Scale)));
        return Math.Round(typical, (int)Math.Clamp(decimals, 0, 15))
            .ToString("R", System.Globalization.CultureInfo.InvariantCulture);
    }
}
