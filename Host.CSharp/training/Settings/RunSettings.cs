using System.ComponentModel;

namespace Pipeline.Training;

[Description("The files of a run, and resuming.")]
[ChangeableOnResume]
public sealed record RunSettings
{
    internal const string Never = "Never";
    internal const string Auto = "Auto";

    [Description("folder in which run folders are created")]
    [DefaultText("data/runs of the repository; for the installed tool, of the working folder")]
    public string Directory { get; init; } = DefaultPaths.PathOf("data/runs");

    [Description("the end of the run folder's name")]
    [FolderName]
    [DefaultText("the network's sizes, such as 784-50-10")]
    public string? Name { get; init; }

    [Description("whether an event file for TensorBoard is written")]
    public bool TensorBoard { get; init; }

    [Description(
        "Once: train, then end; Watch: train, then wait, and train again when the data files change"
    )]
    [OneOf(typeof(RunMode))]
    public string Mode { get; init; } = "Once";

    [Description(
        "Never: start a new run; Auto: resume the newest unfinished run of Run:Directory with its own settings, or start a new run if all runs have ended; or a run folder: resume that run"
    )]
    [Accepts("Never, Auto or a run folder")]
    public string Resume { get; init; } = Never;

    [Description(
        "iterations between lines of progress.csv and of the event file; a resumed run keeps its own value"
    )]
    [AtLeast(1)]
    [DefaultText("1 up to iteration 10000, 10 up to 100000, 100 up to a million, and so on")]
    public long? ProgressEvery { get; init; }

    [Description("iterations between checkpoints; 0: only after CheckpointSeconds and at the end")]
    [AtLeast(0)]
    public long CheckpointEvery { get; init; } = 1000;

    [Description("longest time between checkpoints, in seconds; 0: no limit")]
    [Between(0, Seconds.Year, Unit = Seconds.Name)]
    public double CheckpointSeconds { get; init; } = 60;

    [Description(
        "number of finished run folders that are kept in mode Watch, besides that of the model in use; older ones are deleted; 0: all are kept"
    )]
    [AtLeast(0)]
    public int Kept { get; init; } = 20;

    [Description(
        "number of checkpoints that are kept; one more if the current epoch began before all of them"
    )]
    [AtLeast(1)]
    public int CheckpointsKept { get; init; } = 3;
}
