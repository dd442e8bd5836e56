using Microsoft.AspNetCore.Http;

namespace Pipeline.Web;

/// <summary>The headers that confine what a page can do. They are set on every answer except predictions for programs; an
/// endpoint may replace them.</summary>
internal static class SecurityHeaders
{
    /// <summary>The policy of the service's own pages: scripts, styles, pictures and requests of this origin alone,
    /// and no script that writes HTML.</summary>
    public const string OwnPages =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    /// <summary>The same for a page that compiles WebAssembly.</summary>
    public static readonly string WebAssemblyPage = OwnPages.Replace(
        "script-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        StringComparison.Ordinal
    );

    /// <summary>The policy of documents from run folders, which others may have written: they have inline styles and
    /// pictures, and can do nothing.</summary>
    private const string Documents =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";

    /// <summary>Where programs ask for predictions.</summary>
    private static readonly PathString[] ForPrograms = ["/models", "/v2"];

    public static Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        // No page of another origin can send them, and they are JSON, in which a browser runs nothing; the headers would
        // take as long as the prediction.
        if (
            !HttpMethods.IsPost(context.Request.Method)
            || !Array.Exists(ForPrograms, path => context.Request.Path.StartsWithSegments(path))
        )
            Confine(context.Response);
        return next(context);
    }

    /// <summary>Confines a page.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="policy">Its content security policy.</param>
    public static void Confine(HttpResponse response, string policy = OwnPages)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = policy;
        headers.XContentTypeOptions = "nosniff";
        // A browser that sends no referrer at all names no origin in a form's POST either.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    /// <summary>Confines a document from a run folder.</summary>
    public static void Sandbox(HttpResponse response) =>
        response.Headers.ContentSecurityPolicy = Documents;
}
