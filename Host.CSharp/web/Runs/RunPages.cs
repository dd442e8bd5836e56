using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Serving;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>The list of runs, and the page of each with what it needs.</summary>
internal static class RunPages
{
    public const string Root = "/runs";

    /// <summary>The address of a run's page, or of something of it.</summary>
    public static string Of(string id, string part = "") =>
        $"{Root}/{Uri.EscapeDataString(id)}{(part.Length > 0 ? "/" : "")}{part}";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(Root, WriteListAsync);
        MapRun(
            routes,
            $"{Root}/{{id}}",
            RunFolders.Expected,
            (context, id) =>
                Get<RunFolders>(context).Find(id) is { } path ? new(path, id, Of(id)) : null
        );
    }

    /// <summary>Maps the page of a run and what it needs.</summary>
    /// <param name="routes">The routes.</param>
    /// <param name="pattern">The route of the page, with the parameter <c>id</c>.</param>
    /// <param name="expected">What an id is, for the answer to another one.</param>
    /// <param name="find">The run of an id; null if there is no such run.</param>
    public static void MapRun(
        IEndpointRouteBuilder routes,
        string pattern,
        string expected,
        Func<HttpContext, string, ShownRun?> find
    )
    {
        Map("", WriteRunAsync);
        Map("/progress", (context, run) => WriteProgressAsync(context, run.Path));
        Map("/curves.svg", (context, run) => WriteCurvesAsync(context, run.Path));
        Map("/points", (context, run) => WritePointsAsync(context, run.Path));
        Map("/first-layer.png", (context, run) => WriteFirstLayerAsync(context, run.Path));
        Map("/evaluation.html", (context, run) => WriteEvaluationAsync(context, run.Path));

        void Map(string part, Func<HttpContext, ShownRun, Task> write) =>
            routes.MapPage(
                pattern + part,
                context =>
                {
                    var id = (string)context.Request.RouteValues["id"]!;
                    return find(context, id) is { } run
                        ? write(context, run)
                        : WriteNoRunAsync(context, id, expected);
                }
            );
    }

    /// <summary>Answers a request for a run that is not there.</summary>
    public static Task WriteNoRunAsync(
        HttpContext context,
        string id,
        string expected = RunFolders.Expected
    ) => Problem.WriteAsync(context, StatusCodes.Status404NotFound, "the run", expected, $"'{id}'");

    /// <summary>Answers with a picture that is a document of its own.</summary>
    public static Task WriteSvgAsync(HttpContext context, string svg)
    {
        SecurityHeaders.Sandbox(context.Response);
        context.Response.ContentType = "image/svg+xml";
        return context.Response.WriteAsync(svg, CancellationToken.None);
    }

    public static Task WriteJsonAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.Body.WriteAsync(json, CancellationToken.None).AsTask();
    }

    private static Task WriteListAsync(HttpContext context)
    {
        var now = Now(context);
        var folders = Get<RunFolders>(context);
        var query = RunsQuery.Of(context.Request.Query);
        var all = folders.List();
        return Page.WriteAsync<RunsPage>(
            context,
            RunsView.Of(
                folders.Directory,
                all.Count,
                query,
                query.Apply(all, now),
                Get<SweepFolders>(context).List(),
                now
            )
        );
    }

    private static Task WriteRunAsync(HttpContext context, ShownRun run)
    {
        var logged = Get<LoggedRuns>(context).Of(run.Path);
        return Page.WriteAsync<RunPage>(
            context,
            RunView.Of(run, logged.Look(), logged.FirstLayer(), Now(context))
        );
    }

    /// <summary>What is new since a place in the logs.</summary>
    private static Task WriteProgressAsync(HttpContext context, string path)
    {
        var since = RunCursor.Parse(context.Request.Query["since"].ToString());
        var run = Get<LoggedRuns>(context).Of(path).Look(since);
        return WriteJsonAsync(
            context,
            JsonText.LineOf(
                new
                {
                    Cursor = run.Cursor.ToString(),
                    Reset = run.IsReset,
                    Status = RunTexts.Status(run, Now(context)),
                    Ended = run.HasEnded,
                    News = RunTexts.News(run, Now(context)),
                    Figures = RunTexts.Figures(run),
                    Rows = RunTexts.Epochs(run.Epochs),
                }
            )
        );
    }

    private static Task WriteCurvesAsync(HttpContext context, string path) =>
        WriteSvgAsync(context, Get<LoggedRuns>(context).Of(path).Draw().Svg);

    private static Task WritePointsAsync(HttpContext context, string path) =>
        WriteJsonAsync(context, Get<LoggedRuns>(context).Of(path).Draw().Points);

    private static Task WriteFirstLayerAsync(HttpContext context, string path)
    {
        if (Get<LoggedRuns>(context).Of(path).FirstLayer().Png is not { } png)
        {
            return Problem.WriteAsync(
                context,
                StatusCodes.Status404NotFound,
                "the run",
                "a model of images",
                "none"
            );
        }
        context.Response.ContentType = "image/png";
        return context.Response.Body.WriteAsync(png, CancellationToken.None).AsTask();
    }

    /// <summary>The report of <c>evaluate</c>, which stands in the run's folder.</summary>
    private static async Task WriteEvaluationAsync(HttpContext context, string path)
    {
        var file = Path.Combine(path, RunView.Evaluation);
        if (!File.Exists(file))
        {
            await Problem.WriteAsync(
                context,
                StatusCodes.Status404NotFound,
                "the run",
                $"{RunView.Evaluation}, which evaluate writes",
                "no such file"
            );
            return;
        }
        SecurityHeaders.Sandbox(context.Response);
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.SendFileAsync(file, context.RequestAborted);
    }

    private static DateTime Now(HttpContext context) =>
        Get<TimeProvider>(context).GetUtcNow().UtcDateTime;

    private static TService Get<TService>(HttpContext context)
        where TService : notnull => context.RequestServices.GetRequiredService<TService>();
}
