using System.Text;

namespace Pipeline.Training;

/// <summary>The separator of cells.</summary>
/// <param name="Separator">The text between two cells, in UTF-8.</param>
/// <param name="IsBlanks">Whether any run of spaces and tabs separates cells instead.</param>
internal sealed record CsvDialect(byte[] Separator, bool IsBlanks = false)
{
    private const string Blanks = "whitespace";

    /// <summary>The separators with names.</summary>
    private static readonly (string Name, char Separator)[] Named =
    [
        ("comma", ','),
        ("semicolon", ';'),
        ("tab", '\t'),
        ("bar", '|'),
        ("space", ' '),
        ("\\t", '\t'),
    ];

    /// <summary>The separators that are tried if no setting names one.</summary>
    public static readonly CsvDialect[] Usual = [Of(","), Of(";"), Of("\t"), Of("|")];

    public static CsvDialect Of(string separator) => new(Encoding.UTF8.GetBytes(separator));

    /// <summary>The separator of a setting: a name, or the separator itself.</summary>
    /// <returns>Null if it cannot separate cells: quotes and line ends.</returns>
    public static CsvDialect? Parse(string setting)
    {
        if (setting.Equals(Blanks, StringComparison.OrdinalIgnoreCase))
            return new([(byte)' '], IsBlanks: true);
        foreach (var (name, separator) in Named)
        {
            if (setting.Equals(name, StringComparison.OrdinalIgnoreCase))
                return Of($"{separator}");
        }
        return setting.Length == 0 || setting.AsSpan().ContainsAny("\"\r\n\0") ? null : Of(setting);
    }

    /// <summary>The name of the separator in messages.</summary>
    public override string ToString()
    {
        if (IsBlanks)
            return Blanks;
        var text = Encoding.UTF8.GetString(Separator);
        foreach (var (name, separator) in Named)
        {
            if (text == $"{separator}")
                return name;
        }
        return $"'{text}'";
    }
}
