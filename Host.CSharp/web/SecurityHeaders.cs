using Microsoft.AspNetCore.Http;

namespace Pipeline.Web;

/// <summary>The headers that confine what a page can do. They are set on every answer; an endpoint may replace
/// them.</summary>
internal static class SecurityHeaders
{
    /// <summary>The policy of the service's own pages: scripts, styles, pictures and requests of this origin alone,
    /// and no script that writes HTML.</summary>
    private const string OwnPages =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    /// <summary>The policy of documents from run folders, which others may have written: they have inline styles and
    /// pictures, and can do nothing.</summary>
    private const string Documents =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";

    public static Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = OwnPages;
        headers.XContentTypeOptions = "nosniff";
        // A browser that sends no referrer at all names no origin in a form's POST either.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        return next(context);
    }

    /// <summary>Confines a document from a run folder.</summary>
    public static void Sandbox(HttpResponse response) =>
        response.Headers.ContentSecurityPolicy = Documents;
}
