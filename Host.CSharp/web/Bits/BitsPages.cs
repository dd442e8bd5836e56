using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.SameBits;
using Pipeline.Serving;

namespace Pipeline.Web;

/// <summary>What the page of the fixed set shows.</summary>
/// <param name="HasBundle">Whether the browser can train.</param>
/// <param name="Cases">The number of cases.</param>
public sealed record BitsView(bool HasBundle, int Cases);

/// <summary>The page on which the browser trains the fixed set and compares its bits with those of the
/// service.</summary>
internal static class BitsPages
{
    public const string Root = "/same-bits";

    /// <summary>The address of the bundle's files.</summary>
    public const string Bundle = $"{Root}/bundle";

    /// <summary>The address of what the service finds: a line for each case.</summary>
    public const string Lines = $"{Root}/lines";

    /// <summary>The service trains once, when it is first asked.</summary>
    private static readonly Lazy<Task<string>> Found = new(() =>
        Task.Run(() =>
            string.Concat(FixedSet.Cases.Select(training => FixedSet.Line(training) + "\n"))
        )
    );

    public static void Map(IEndpointRouteBuilder routes)
    {
        var bundle = routes.ServiceProvider.GetRequiredService<BitsBundle>();
        routes.MapPage(
            Root,
            context =>
                Page.WriteAsync<BitsPage>(
                    context,
                    new BitsView(bundle.Exists, FixedSet.Cases.Length),
                    policy: SecurityHeaders.WebAssemblyPage
                )
        );
        routes.MapPage(
            Lines,
            async context =>
            {
                context.Response.ContentType = "text/plain; charset=utf-8";
                await context.Response.WriteAsync(await Found.Value, context.RequestAborted);
            }
        );
        routes.MapPage(
            $"{Bundle}/{{name}}",
            context => WriteFileAsync(context, bundle, (string)context.Request.RouteValues["name"]!)
        );
    }

    private static Task WriteFileAsync(HttpContext context, BitsBundle bundle, string name)
    {
        if (bundle.Find(name) is not { } path)
            return Problem.WriteAsync(
                context,
                StatusCodes.Status404NotFound,
                "the file",
                "one of the bundle",
                $"'{name}'"
            );
        context.Response.Headers.CacheControl = "no-cache";
        var type = Path.GetExtension(name) switch
        {
            ".js" => "text/javascript; charset=utf-8",
            ".wasm" => "application/wasm",
            _ => "application/octet-stream",
        };
        return TypedResults
            .PhysicalFile(path, type, lastModified: File.GetLastWriteTimeUtc(path))
            .ExecuteAsync(context);
    }
}
