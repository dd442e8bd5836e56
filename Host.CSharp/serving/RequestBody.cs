using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Pipeline.Serving;

/// <summary>The bytes and the kind of a request's body.</summary>
internal static class RequestBody
{
    /// <summary>The whole body, in an array of <see cref="ArrayPool{T}.Shared"/>. Who keeps nothing of it may give it back
    /// with <see cref="Return"/>.</summary>
    /// <exception cref="BadHttpRequestException">It is too long or does not arrive.</exception>
    public static async ValueTask<ArraySegment<byte>> RentAsync(HttpContext context)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (read.IsCompleted)
            {
                var length = (int)read.Buffer.Length;
                var bytes = ArrayPool<byte>.Shared.Rent(length);
                read.Buffer.CopyTo(bytes);
                reader.AdvanceTo(read.Buffer.End);
                return new(bytes, 0, length);
            }
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public static void Return(ArraySegment<byte> body) =>
        ArrayPool<byte>.Shared.Return(body.Array!);

    /// <summary>The media type of the body without its parameters, in lower case; empty without one.</summary>
    public static string MediaType(HttpRequest request)
    {
        var type = request.ContentType ?? "";
        var end = type.IndexOf(';');
        return (end < 0 ? type : type[..end]).Trim().ToLowerInvariant();
    }

    /// <summary>Refuses a body of another type or encoding with 415.</summary>
    /// <param name="context">The request, and its answer if it is refused.</param>
    /// <param name="types">The media types that are taken.</param>
    /// <returns>The media type; null if the request was refused.</returns>
    public static async ValueTask<string?> RequireTypeAsync(
        HttpContext context,
        IReadOnlyCollection<string> types
    )
    {
        var request = context.Request;
        var type = MediaType(request);
        var encoding = request.Headers.ContentEncoding.ToString();
        // A compressed body may have the length of images.
        if (encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.AcceptEncoding = "identity";
            await RefuseAsync("Content-Encoding", "a body that is not compressed", $"'{encoding}'");
        }
        else if (CharsetFault(request) is { } charset)
            await RefuseAsync("Content-Type", "text in UTF-8", $"'{charset}'");
        else if (!types.Contains(type))
        {
            await RefuseAsync(
                "Content-Type",
                types.Count == 1 ? types.First() : $"one of {string.Join(", ", types)}",
                type.Length == 0 ? "none" : $"'{type}'"
            );
        }
        else
            return type;
        return null;

        Task RefuseAsync(string subject, string expected, string found) =>
            Problem.WriteAsync(
                context,
                StatusCodes.Status415UnsupportedMediaType,
                subject,
                expected,
                found
            );
    }

    /// <summary>The charset of a body that is said to be in another one than UTF-8; null otherwise.</summary>
    private static string? CharsetFault(HttpRequest request) =>
        request.ContentType is { } type
        && type.Contains(';', StringComparison.Ordinal)
        && MediaTypeHeaderValue.TryParse(type, out var parsed)
        && parsed.Charset.HasValue
        && HeaderUtilities.RemoveQuotes(parsed.Charset).ToString() is var charset
        && charset.ToLowerInvariant() is not ("utf-8" or "utf8" or "us-ascii")
            ? charset
            : null;
}
