using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Pipeline.Web;

/// <summary>Which runs the list shows, and in which order: the query of its address.</summary>
/// <param name="Text">Words that a run must have in its name, status, data or network.</param>
/// <param name="Sort">The column to sort by.</param>
/// <param name="IsDescending">Whether the greatest comes first.</param>
/// <param name="Page">The page, from 1.</param>
public sealed record RunsQuery(string Text, RunColumn Sort, bool IsDescending, int Page)
{
    /// <summary>Runs on a page.</summary>
    internal const int PageSize = 100;

    private const int LongestText = 200;

    /// <summary>The query of a request; what it does not say, or says wrongly, is as at first.</summary>
    internal static RunsQuery Of(IQueryCollection query)
    {
        var text = query["q"].ToString().Trim();
        var sort = query["sort"].ToString();
        var column = RunColumn.All.FirstOrDefault(column => column.Key == sort.TrimStart('-'));
        return new(
            text.Length <= LongestText ? text : text[..LongestText],
            column ?? RunColumn.Started,
            column is null || sort.StartsWith('-'),
            int.TryParse(query["page"], CultureInfo.InvariantCulture, out var page) ? page : 1
        );
    }

    /// <summary>The address of the list with this query.</summary>
    public string Address
    {
        get
        {
            var parts = new List<string>();
            if (Text.Length > 0)
                parts.Add($"q={Uri.EscapeDataString(Text)}");
            if (!(Sort == RunColumn.Started && IsDescending))
                parts.Add($"sort={SortText}");
            if (Page > 1)
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"page={Page}"));
            return RunPages.Root + (parts.Count > 0 ? "?" + string.Join('&', parts) : "");
        }
    }

    /// <summary>The column and the order in an address.</summary>
    public string SortText => (IsDescending ? "-" : "") + Sort.Key;

    /// <summary>The query sorted by a column; by the same column, the other way round.</summary>
    public RunsQuery By(RunColumn column) =>
        this with
        {
            Sort = column,
            IsDescending = column == Sort ? !IsDescending : column.IsDescendingFirst,
            Page = 1,
        };

    /// <summary>The runs that match, in order.</summary>
    internal IReadOnlyList<RunRow> Apply(IEnumerable<RunRow> runs, DateTime now)
    {
        var words = Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var found = runs.Where(run =>
            words.All(word =>
                new[] { run.Id, run.Status(now), run.Data, run.Network }.Any(text =>
                    text.Contains(word, StringComparison.OrdinalIgnoreCase)
                )
            )
        );
        return [.. Sort.Order(found, now, IsDescending)];
    }
}
