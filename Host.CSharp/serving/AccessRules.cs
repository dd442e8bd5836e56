using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Pipeline.Serving;

/// <summary>Who may call the service. The name by which it is called is checked on every request, so that a page of
/// another site cannot reach it through a name of its own; a page of another origin cannot make it predict; and beyond
/// this machine every request needs the token: programs send it, browsers give it once and keep a cookie.</summary>
internal sealed class AccessRules
{
    /// <summary>Where a browser gives the token.</summary>
    public const string SignInPath = "/sign-in";

    /// <summary>The paths that need no token: the health, the page that asks for the token, and its styles.</summary>
    private static readonly PathString[] Open = ["/v2/health", SignInPath, "/assets"];

    private readonly HashSet<string> hosts;
    private readonly byte[]? token;
    private readonly string cookieName = "";
    private readonly string cookie = "";

    /// <param name="hosts">Names by which clients may call the service, besides localhost and the addresses of
    /// loopback.</param>
    /// <param name="token">The token that every request needs; null for none.</param>
    public AccessRules(IEnumerable<string> hosts, string? token)
    {
        this.hosts = new(hosts.Append("localhost"), StringComparer.OrdinalIgnoreCase);
        if (token is null)
            return;
        this.token = HashOf(token);
        // It follows from the token, so that it outlives a restart of the service and ends with the token; and services
        // with other tokens on other ports, whose cookies a browser does not tell apart, have cookies of other names.
        var derived = HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), "pages"u8);
        cookieName = $"pipeline-{Convert.ToHexStringLower(derived.AsSpan(0, 4))}";
        cookie = Convert.ToHexStringLower(derived.AsSpan(4));
    }

    /// <summary>Whether a request may see what the token protects.</summary>
    public bool IsOpenTo(HttpRequest request) =>
        token is null || HasToken(request) || IsSignedIn(request);

    /// <summary>Whether a request comes from a browser that gave the token.</summary>
    public bool IsSignedIn(HttpRequest request) =>
        token is not null
        && request.Cookies.TryGetValue(cookieName, out var said)
        && AreEqual(said, HashOf(cookie));

    /// <summary>Gives the browser a cookie for the right token.</summary>
    /// <returns>Whether the token is right.</returns>
    public bool SignIn(HttpContext context, string said)
    {
        if (token is null || !AreEqual(said, token))
            return false;
        context.Response.Cookies.Append(cookieName, cookie, CookieOptions(context.Request));
        return true;
    }

    /// <summary>Takes the cookie back.</summary>
    public void SignOut(HttpContext context)
    {
        if (token is not null)
            context.Response.Cookies.Delete(cookieName, CookieOptions(context.Request));
    }

    private static CookieOptions CookieOptions(HttpRequest request) =>
        new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            // A proxy that ends TLS says so.
            Secure = request.IsHttps || request.Headers["X-Forwarded-Proto"] == "https",
        };

    public Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        var response = context.Response;
        response.Headers.XContentTypeOptions = "nosniff";
        if (!IsAllowed(context.Request.Host.Host))
        {
            return Problem.WriteAsync(
                context,
                StatusCodes.Status421MisdirectedRequest,
                "Host",
                "localhost or a name of Serve:Hosts",
                $"'{context.Request.Host}'"
            );
        }
        if (!IsOfOwnOrigin(context.Request))
        {
            return Problem.WriteAsync(
                context,
                StatusCodes.Status403Forbidden,
                "the request",
                "one of a program, or of a page of this service",
                "one of a page of another origin"
            );
        }
        if (!IsOpenTo(context.Request) && !NeedsNoToken(context.Request.Path))
        {
            response.Headers.WWWAuthenticate = "Bearer";
            return Problem.WriteAsync(
                context,
                StatusCodes.Status401Unauthorized,
                "Authorization",
                "Bearer and the token of Serve:TokenFile",
                context.Request.Headers.Authorization.Count == 0 ? "none" : "another"
            );
        }
        return next(context);
    }

    private bool IsAllowed(string host) =>
        hosts.Contains(host)
        || IPAddress.TryParse(host.Trim('[', ']'), out var address)
            && IPAddress.IsLoopback(address);

    /// <summary>Whether a request that could change or cost something is not sent by another site's page.</summary>
    private static bool IsOfOwnOrigin(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return true;
        var site = request.Headers["Sec-Fetch-Site"];
        if (site.Count > 0)
            return site == "same-origin" || site == "none";
        var origin = request.Headers.Origin;
        return origin.Count == 0 || origin == $"{request.Scheme}://{request.Host}";
    }

    private static bool NeedsNoToken(PathString path) =>
        Open.Any(open => path.StartsWithSegments(open));

    private bool HasToken(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        var said = request.Headers.Authorization.ToString();
        return said.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && AreEqual(said[Scheme.Length..].Trim(), token!);
    }

    private static bool AreEqual(string said, byte[] hash) =>
        CryptographicOperations.FixedTimeEquals(HashOf(said), hash);

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
