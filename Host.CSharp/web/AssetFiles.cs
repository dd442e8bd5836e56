using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Serving;

namespace Pipeline.Web;

/// <summary>Styles, scripts and the icon: resources of the assembly. Browsers keep them and ask whether they have
/// changed.</summary>
internal static class AssetFiles
{
    /// <summary>Where they are. They are open to all, as the page that asks for the token needs them.</summary>
    private const string Root = "/assets";

    private const string Prefix = "Pipeline.Web.assets.";

    private sealed record Asset(byte[] Content, string Type, string Tag);

    private static readonly FrozenDictionary<string, Asset> All = typeof(AssetFiles)
        .Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        .ToFrozenDictionary(name => name[Prefix.Length..], Read);

    /// <summary>The address of an asset.</summary>
    public static string Of(string name) =>
        All.ContainsKey(name)
            ? $"{Root}/{name}"
            : throw new ArgumentException($"expected a file of assets, found {name}", nameof(name));

    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var (name, asset) in All)
            routes.MapRead($"{Root}/{name}", context => WriteAsync(context, asset));
    }

    private static Task WriteAsync(HttpContext context, Asset asset)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.ETag = asset.Tag;
        response.Headers.CacheControl = "no-cache";
        if (request.Headers.IfNoneMatch == asset.Tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        response.ContentType = asset.Type;
        response.ContentLength = asset.Content.Length;
        return response.Body.WriteAsync(asset.Content, context.RequestAborted).AsTask();
    }

    private static Asset Read(string resource)
    {
        using var stream = typeof(AssetFiles).Assembly.GetManifestResourceStream(resource)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        var type = Path.GetExtension(resource) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            var other => throw new InvalidOperationException($"no type is known of {other}"),
        };
        return new(content, type, $"\"{Convert.ToHexStringLower(SHA256.HashData(content))}\"");
    }
}
