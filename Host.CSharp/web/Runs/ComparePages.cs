using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Pictures;
using Pipeline.Serving;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>Rows of a table that compares runs.</summary>
public sealed record ComparedRows(string Title, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>Runs side by side.</summary>
/// <param name="Runs">Their names.</param>
/// <param name="Query">The query that names them.</param>
/// <param name="Tables">Their figures, and settings that differ.</param>
public sealed record CompareView(
    IReadOnlyList<string> Runs,
    string Query,
    IReadOnlyList<ComparedRows> Tables
);

/// <summary>The page that compares runs.</summary>
internal static class ComparePages
{
    public const string Root = "/compare";
    public const int Height = 500;

    private const int Fewest = 2;
    private const int Most = 8;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(Root, context => Answer(context, WritePageAsync));
        routes.MapPage(
            $"{Root}/losses.svg",
            context => Answer(context, (_, runs) => RunPages.WriteSvgAsync(context, Draw(runs).Svg))
        );
        routes.MapPage(
            $"{Root}/points",
            context =>
                Answer(context, (_, runs) => RunPages.WriteJsonAsync(context, Draw(runs).Points))
        );
    }

    /// <summary>Reads the runs that the query names, and answers.</summary>
    private static Task Answer(
        HttpContext context,
        Func<HttpContext, IReadOnlyList<RunRecord>, Task> write
    )
    {
        string[] ids = [.. context.Request.Query["runs"].OfType<string>().Distinct()];
        if (ids.Length is < Fewest or > Most)
        {
            return Problem.WriteAsync(
                context,
                StatusCodes.Status400BadRequest,
                "the runs",
                $"{Fewest} to {Most} of the list, marked there",
                $"{ids.Length}"
            );
        }
        var folders = context.RequestServices.GetRequiredService<RunFolders>();
        var runs = new List<RunRecord>();
        foreach (var id in ids)
        {
            if (folders.Find(id) is not { } path)
                return RunPages.WriteNoRunAsync(context, id);
            runs.Add(RunRecord.Read(path, mayBeUnfinished: true));
        }
        return write(context, runs);
    }

    private static Task WritePageAsync(HttpContext context, IReadOnlyList<RunRecord> runs)
    {
        ReportTable[] tables = [RunComparison.Figures(runs), RunComparison.Settings(runs)];
        return Page.WriteAsync<ComparePage>(
            context,
            new CompareView(
                [.. runs.Select(run => Path.GetFileName(run.Path))],
                context.Request.QueryString.Value ?? "",
                [
                    .. tables
                        .Where(table => table.Rows.Count > 0)
                        .Select(table => new ComparedRows(table.Title, table.Rows)),
                ]
            )
        );
    }

    private static (string Svg, byte[] Points) Draw(IReadOnlyList<RunRecord> runs)
    {
        var chart = RunComparison.Losses(runs);
        var (svg, areas) = Picture.Draw("compare", Curves.Width, Height, [chart]);
        return (svg, ChartPoints.Of([chart], [.. areas], Curves.Width));
    }
}
