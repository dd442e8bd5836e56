using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Pipeline.Serving;

namespace Pipeline.Web;

/// <summary>Forms that browsers send.</summary>
internal static class Forms
{
    public const string UrlEncoded = "application/x-www-form-urlencoded";
    public const string Multipart = "multipart/form-data";

    /// <summary>Reads a form.</summary>
    /// <param name="context">The request.</param>
    /// <param name="limits">How much it may hold.</param>
    /// <param name="types">The media types that it may have.</param>
    /// <returns>The form; null if it was refused and the answer says why.</returns>
    public static async Task<IFormCollection?> ReadAsync(
        HttpContext context,
        FormOptions limits,
        params string[] types
    )
    {
        var type = RequestBody.MediaType(context.Request);
        if (!types.Contains(type))
        {
            await Problem.WriteAsync(
                context,
                StatusCodes.Status415UnsupportedMediaType,
                "Content-Type",
                string.Join(" or ", types),
                type.Length == 0 ? "none" : $"'{type}'"
            );
            return null;
        }
        try
        {
            return await context.Request.ReadFormAsync(limits, context.RequestAborted);
        }
        catch (Exception bad)
            when (bad is InvalidDataException or IOException and not BadHttpRequestException)
        {
            await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, bad.Message);
            return null;
        }
    }
}
