using System.Net;

namespace Pipeline.Training;

/// <summary>Text inside of HTML's elements and quoted attributes.</summary>
internal static class HtmlText
{
    public static string Of(string text) => WebUtility.HtmlEncode(VisibleText.Of(text));
}
