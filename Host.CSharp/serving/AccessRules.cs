using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Pipeline.Serving;

/// <summary>Who may call the service. The name by which it is called is checked on every request, so that a page of
/// another site cannot reach it through a name of its own; a page of another origin cannot make it predict; and beyond
/// this machine every request needs the token.</summary>
internal sealed class AccessRules
{
    private readonly HashSet<string> hosts;
    private readonly byte[]? token;

    /// <param name="hosts">Names by which clients may call the service, besides localhost and the addresses of
    /// loopback.</param>
    /// <param name="token">The token that every request needs; null for none.</param>
    public AccessRules(IEnumerable<string> hosts, string? token)
    {
        this.hosts = new(hosts.Append("localhost"), StringComparer.OrdinalIgnoreCase);
        this.token = token is null ? null : HashOf(token);
    }

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
        if (!HasToken(context.Request))
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

    private bool HasToken(HttpRequest request)
    {
        if (token is null || request.Path.StartsWithSegments("/v2/health"))
            return true;
        const string Scheme = "Bearer ";
        var said = request.Headers.Authorization.ToString();
        return said.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(HashOf(said[Scheme.Length..].Trim()), token);
    }

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
