using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Pipeline.Serving;

namespace Pipeline.Web;

/// <summary>What a page says that cannot be shown.</summary>
/// <param name="Title">The status in words.</param>
/// <param name="Sentences">What is wrong.</param>
public sealed record ProblemView(string Title, IReadOnlyList<string> Sentences);

/// <summary>Problems as pages, for browsers; where the token is missing, a form asks for it.</summary>
internal sealed class ProblemPages : IProblemPage
{
    public Task WriteAsync(HttpContext context, int status, IReadOnlyList<string> sentences)
    {
        if (status == StatusCodes.Status401Unauthorized)
        {
            var request = context.Request;
            var back = HttpMethods.IsGet(request.Method)
                ? request.PathBase + request.Path + request.QueryString
                : "/";
            return SignInPages.WriteAsync(context, back, []);
        }
        return Page.WriteAsync<ProblemPage>(
            context,
            new ProblemView(ReasonPhrases.GetReasonPhrase(status), sentences),
            status
        );
    }
}
