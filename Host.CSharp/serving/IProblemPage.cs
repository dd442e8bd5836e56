using Microsoft.AspNetCore.Http;

namespace Pipeline.Serving;

/// <summary>Writes problems as pages for browsers, where the service has pages.</summary>
internal interface IProblemPage
{
    /// <summary>Answers with a page.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The status of the answer.</param>
    /// <param name="sentences">What is wrong.</param>
    Task WriteAsync(HttpContext context, int status, IReadOnlyList<string> sentences);
}
