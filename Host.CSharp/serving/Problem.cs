using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
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
        if (
            AsksForPage(context.Request)
            && context.RequestServices.GetService<IProblemPage>() is { } page
        )
            return page.WriteAsync(context, status, sentences);
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

    /// <summary>Whether a browser shows the answer to its reader.</summary>
    private static bool AsksForPage(HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal);
}
