using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>The files of a run, and resuming.</summary>
[Description("The files of a run, and resuming.")]
[ChangeableOnResume]
public sealed record RunSettings
{
    internal const string Never = "Never";
    internal const string Auto = "Auto";

    /// <summary>Folder in which run folders are created. Accepts: a path. Default: data/runs of the repository;
    /// for the installed tool, of the working folder.</summary>
    [Description("folder in which run folders are created")]
    [DefaultText("data/runs of the repository; for the installed tool, of the working folder")]
    public string Directory { get; init; } = DefaultPaths.PathOf("data/runs");

    /// <summary>The end of the run folder's name. Accepts: 1 to 200 bytes of a folder's name, without control
    /// characters. Default: the network's sizes, such as 784-50-10.</summary>
    [Description("the end of the run folder's name")]
    [FolderName]
    [DefaultText("the network's sizes, such as 784-50-10")]
    public string? Name { get; init; }

    /// <summary>Whether an event file for TensorBoard is written. Accepts: true or false. Default:
    /// false.</summary>
    [Description("whether an event file for TensorBoard is written")]
    public bool TensorBoard { get; init; }

    /// <summary>Once: train, then end; Watch: train, then wait, and train again when the data files change.
    /// Accepts: Once or Watch. Default: Once.</summary>
    [Description(
        "Once: train, then end; Watch: train, then wait, and train again when the data files change"
    )]
    [OneOf(typeof(RunMode))]
    public string Mode { get; init; } = "Once";

    /// <summary>Never: start a new run; Auto: resume the newest unfinished run of Run:Directory with its own
    /// settings, or start a new run if all runs have ended; or a run folder: resume that run. Accepts: Never,
    /// Auto or a run folder. Default: Never.</summary>
    [Description(
        "Never: start a new run; Auto: resume the newest unfinished run of Run:Directory with its own settings, or start a new run if all runs have ended; or a run folder: resume that run"
    )]
    [Accepts("Never, Auto or a run folder")]
    public string Resume { get; init; } = Never;

    /// <summary>Iterations between lines of progress.csv and of the event file; a resumed run keeps its own
    /// value. Accepts: 1 or more. Default: 1 up to iteration 10000, 10 up to 100000, 100 up to a million, and so
    /// on.</summary>
    [Description(
        "iterations between lines of progress.csv and of the event file; a resumed run keeps its own value"
    )]
    [AtLeast(1)]
    [DefaultText("1 up to iteration 10000, 10 up to 100000, 100 up to a million, and so on")]
    public long? ProgressEvery { get; init; }

    /// <summary>Iterations between checkpoints; 0: only after CheckpointSeconds and at the end. Accepts: 0 or
    /// more. Default: 1000.</summary>
    [Description("iterations between checkpoints; 0: only after CheckpointSeconds and at the end")]
    [AtLeast(0)]
    public long CheckpointEvery { get; init; } = 1000;

    /// <summary>Longest time between checkpoints, in seconds; 0: no limit. Accepts: 0 to 31536000. Default:
    /// 60.</summary>
    [Description("longest time between checkpoints, in seconds; 0: no limit")]
    [Between(0, Seconds.Year, Unit = Seconds.Name)]
    public double CheckpointSeconds { get; init; } = 60;

    /// <summary>Number of finished run folders that are kept in mode Watch, besides that of the model in use;
    /// older ones are deleted; 0: all are kept. Accepts: 0 or more. Default: 20.</summary>
    [Description(
        "number of finished run folders that are kept in mode Watch, besides that of the model in use; older ones are deleted; 0: all are kept"
    )]
    [AtLeast(0)]
    public int Kept { get; init; } = 20;

    /// <summary>Number of checkpoints that are kept; one more if the current epoch began before all of them.
    /// Accepts: 1 or more. Default: 3.</summary>
    [Description(
        "number of checkpoints that are kept; one more if the current epoch began before all of them"
    )]
    [AtLeast(1)]
    public int CheckpointsKept { get; init; } = 3;
}
