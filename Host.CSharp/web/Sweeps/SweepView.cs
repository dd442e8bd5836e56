using System.Globalization;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>A sweep in the list of runs.</summary>
/// <param name="Id">The name of its folder.</param>
/// <param name="State">running, paused, stopped or completed.</param>
/// <param name="Summary">How far it is, in a sentence.</param>
public sealed record SweepRow(string Id, string State, string Summary);

/// <summary>A link of a page.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Address">Where it leads.</param>
public sealed record Link(string Text, string Address);

/// <summary>A trial in the table of a sweep.</summary>
/// <param name="Cells">Its cells.</param>
/// <param name="Runs">Its runs that have begun.</param>
public sealed record TrialView(IReadOnlyList<string> Cells, IReadOnlyList<Link> Runs);

/// <summary>A sweep as its page shows it.</summary>
/// <param name="Id">The name of its folder.</param>
/// <param name="State">running, paused, stopped or completed.</param>
/// <param name="Summary">How far it is, in a sentence.</param>
/// <param name="Version">Is another text after something has changed.</param>
/// <param name="Titles">The titles of the table.</param>
/// <param name="Rows">Rows of trials, those that run first, then the best.</param>
/// <param name="Differences">Sentences about trials of which two results differ.</param>
public sealed record SweepView(
    string Id,
    string State,
    string Summary,
    string Version,
    IReadOnlyList<string> Titles,
    IReadOnlyList<TrialView> Rows,
    IReadOnlyList<string> Differences
)
{
    /// <summary>The most rows of the table.</summary>
    private const int MostRows = 100;

    /// <summary>The sweep of a folder.</summary>
    /// <exception cref="RefusedException">Its files are damaged.</exception>
    internal static SweepView Of(string path)
    {
        var version = File.GetLastWriteTimeUtc(Path.Combine(path, SweepFolder.BoardName)).Ticks;
        var picture = File.GetLastWriteTimeUtc(Path.Combine(path, SweepFolder.PictureName)).Ticks;
        var sweep = SweepStatus.Read(path);
        return new(
            Path.GetFileName(path),
            sweep.State,
            sweep.Summary,
            FormattableString.Invariant($"{version}-{picture}-{sweep.State}"),
            [.. sweep.Titles, "runs"],
            [.. sweep.Rows.Take(MostRows).Select(TrialOf)],
            sweep.Differences
        );

        // The first cell is the trial's number.
        TrialView TrialOf(IReadOnlyList<string> cells) =>
            new(
                [.. cells.Select(VisibleText.Of)],
                [
                    .. SweepFolders
                        .RunsOf(path, int.Parse(cells[0], CultureInfo.InvariantCulture))
                        .Select(run => new Link(
                            run.Part.Length > 0 ? run.Part : "run",
                            SweepPages.OfRun(Path.GetFileName(path), cells[0], run.Part)
                        )),
                ]
            );
    }
}
