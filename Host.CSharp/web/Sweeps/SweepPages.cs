using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Serving;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>The page of each sweep with what it needs.</summary>
internal static class SweepPages
{
    public const string Root = "/sweeps";

    /// <summary>The address of a sweep's page, or of something of it.</summary>
    public static string Of(string id, string part = "") =>
        $"{Root}/{Uri.EscapeDataString(id)}{(part.Length > 0 ? "/" : "")}{part}";

    /// <summary>The address of the page of a trial's run.</summary>
    public static string OfRun(string id, string trial, string part) =>
        Of(id, "trials/" + trial) + (part.Length > 0 ? "/" + Uri.EscapeDataString(part) : "");

    private static string NameOf(string id, string trial, string part) =>
        $"{id}, trial {trial}{(part.Length > 0 ? ", " : "")}{part}";

    public static void Map(IEndpointRouteBuilder routes)
    {
        MapSweep("", (context, path) => Page.WriteAsync<SweepPage>(context, SweepView.Of(path)));
        MapSweep(
            "/progress",
            (context, path) => RunPages.WriteJsonAsync(context, JsonText.LineOf(SweepView.Of(path)))
        );
        MapSweep("/sweep.svg", WritePictureAsync);
        MapTrial("{id}");
        MapTrial("{trial}/{id}");

        void MapTrial(string pattern) =>
            RunPages.MapRun(
                routes,
                $"{Root}/{{sweep}}/trials/{pattern}",
                "a run of a trial of the sweep",
                (context, id) =>
                {
                    var values = context.Request.RouteValues;
                    var sweep = (string)values["sweep"]!;
                    var (trial, part) = values["trial"] is string number ? (number, id) : (id, "");
                    var sweeps = context.RequestServices.GetRequiredService<SweepFolders>();
                    return sweeps.FindRun(sweep, trial, part) is { } path
                        ? new(path, NameOf(sweep, trial, part), OfRun(sweep, trial, part))
                        : null;
                }
            );

        void MapSweep(string part, Func<HttpContext, string, Task> write) =>
            routes.MapPage(
                $"{Root}/{{id}}{part}",
                context =>
                {
                    var id = (string)context.Request.RouteValues["id"]!;
                    var sweeps = context.RequestServices.GetRequiredService<SweepFolders>();
                    return sweeps.Find(id) is { } path
                        ? write(context, path)
                        : Problem.WriteAsync(
                            context,
                            StatusCodes.Status404NotFound,
                            "the sweep",
                            "the name of a sweep's folder in Run:Directory",
                            $"'{id}'"
                        );
                }
            );
    }

    private static Task WritePictureAsync(HttpContext context, string path)
    {
        var file = Path.Combine(path, SweepFolder.PictureName);
        return File.Exists(file)
            ? RunPages.WriteSvgAsync(context, File.ReadAllText(file))
            : Problem.WriteAsync(
                context,
                StatusCodes.Status404NotFound,
                "the sweep",
                SweepFolder.PictureName,
                "no such file"
            );
    }
}
