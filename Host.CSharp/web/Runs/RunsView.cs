namespace Pipeline.Web;

/// <summary>A page of the list of runs.</summary>
/// <param name="Directory">The folder of the runs.</param>
/// <param name="All">How many runs there are.</param>
/// <param name="Matching">How many match.</param>
/// <param name="Query">The query, with a page that exists.</param>
/// <param name="Pages">How many pages match.</param>
/// <param name="Columns">The columns of which some run has a value.</param>
/// <param name="Rows">The runs of the page.</param>
/// <param name="Sweeps">The sweeps of the folder.</param>
/// <param name="Now">The time, in UTC.</param>
public sealed record RunsView(
    string Directory,
    int All,
    int Matching,
    RunsQuery Query,
    int Pages,
    IReadOnlyList<RunColumn> Columns,
    IReadOnlyList<RunRow> Rows,
    IReadOnlyList<SweepRow> Sweeps,
    DateTime Now
)
{
    /// <summary>The page that a query asks for.</summary>
    internal static RunsView Of(
        string directory,
        int all,
        RunsQuery query,
        IReadOnlyList<RunRow> matching,
        IReadOnlyList<SweepRow> sweeps,
        DateTime now
    )
    {
        var pages = Math.Max(1, (matching.Count + RunsQuery.PageSize - 1) / RunsQuery.PageSize);
        query = query with { Page = Math.Clamp(query.Page, 1, pages) };
        return new(
            directory,
            all,
            matching.Count,
            query,
            pages,
            [
                .. RunColumn.All.Where(column =>
                    column == query.Sort || matching.Any(run => column.Value(run, now) is not null)
                ),
            ],
            [.. matching.Skip((query.Page - 1) * RunsQuery.PageSize).Take(RunsQuery.PageSize)],
            sweeps,
            now
        );
    }
}
