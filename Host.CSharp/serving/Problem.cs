using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>Errors as RFC 9457 problem details, with the <c>error</c> that the Open Inference Protocol asks
/// for.</summary>
internal static class Problem
{
    private const string ContentType = "application/problem+json";

    public static Task WriteAsync(
        HttpContext context,
        int status,
        params IEnumerable<string> reasons
    )
    {
        var sentences = reasons.Select(VisibleText.Of).ToArray();
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = ContentType;
        var detail = string.Join(' ', sentences);
        return response.WriteAsync(
            JsonSerializer.Serialize(
                new
                {
                    type = "about:blank",
                    title = ReasonPhrases.GetReasonPhrase(status),
                    status,
                    detail,
                    error = detail,
                    errors = sentences,
                },
                JsonText.Options
            ),
            // A request that took too long is aborted already.
            CancellationToken.None
        );
    }

    /// <summary>A fault in the words of all faults.</summary>
    public static Task WriteAsync(
        HttpContext context,
        int status,
        string subject,
        string expected,
        string found
    ) => WriteAsync(context, status, DataFile.Sentence(subject, expected, found));
}
