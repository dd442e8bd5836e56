using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>A sweep in the list of runs.</summary>
/// <param name="Id">The name of its folder.</param>
/// <param name="State">running, paused, stopped or completed.</param>
/// <param name="Summary">How far it is, in a sentence.</param>
public sealed record SweepRow(string Id, string State, string Summary);

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
    IReadOnlyList<IReadOnlyList<string>> Rows,
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
            sweep.Titles,
            [
                .. sweep
                    .Rows.Take(MostRows)
                    .Select(row => (IReadOnlyList<string>)[.. row.Select(VisibleText.Of)]),
            ],
            sweep.Differences
        );
    }
}
