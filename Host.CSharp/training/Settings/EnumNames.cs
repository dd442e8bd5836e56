namespace Pipeline.Training;

/// <summary>Values of enumerations by their names, in any case of letters.</summary>
internal static class EnumNames
{
    /// <summary>Whether a text is a name of the enumeration. A number, which .NET would accept too, is
    /// not.</summary>
    public static bool IsName(Type type, string text) =>
        text.All(char.IsLetter) && Enum.TryParse(type, text, ignoreCase: true, out _);

    /// <summary>The value of that name.</summary>
    /// <param name="text">The name.</param>
    /// <param name="value">The value; the default where the text is not a name.</param>
    /// <returns>Whether the text is a name.</returns>
    public static bool TryParse<TEnum>(string text, out TEnum value)
        where TEnum : struct, Enum
    {
        value = default;
        return IsName(typeof(TEnum), text) && Enum.TryParse(text, ignoreCase: true, out value);
    }
}
