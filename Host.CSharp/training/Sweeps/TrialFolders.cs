namespace Pipeline.Training;

/// <summary>The run folders of trials.</summary>
/// <param name="Path">The folder that they are in: that of a sweep, or one of a worker.</param>
internal sealed record TrialFolders(string Path)
{
    /// <summary>The folder of the trials' folders.</summary>
    private const string TrialsName = "trials";
    private const string BestName = "best";

    /// <summary>The run folder of the best settings, trained on all rows after a cross-validation.</summary>
    public string BestRun => System.IO.Path.Combine(Path, BestName);

    /// <summary>The folder of a trial.</summary>
    public string TrialOf(int trial) =>
        System.IO.Path.Combine(Path, TrialsName, TrialText.FolderOf(trial));

    /// <summary>The run folder of a part of a trial; the trial's own if it is one run.</summary>
    public string RunOf(int trial, TrialPart part) =>
        System.IO.Path.Combine(TrialOf(trial), part.Name);
}
