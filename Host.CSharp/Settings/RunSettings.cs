using System.ComponentModel;

namespace Pipeline.Training;

[Description("What a run leaves, and whether it resumes an earlier one.")]
[ChangeableOnResume]
public sealed class RunSettings
{
    internal const string Never = "Never";
    internal const string Auto = "Auto";

    [Description("folder that run folders are made in")]
    [DefaultText("data/runs of the repository")]
    public string Directory { get; init; } = DefaultPaths.PathOf("data/runs");

    [Description("the end of the run folder's name")]
    [FolderName]
    [DefaultText("the network's sizes, such as 784-50-10")]
    public string? Name { get; init; }

    [Description("whether a run leaves an event file for TensorBoard")]
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
        "iterations from one line of progress.csv and of the event file to the next; a resumed run keeps its own"
    )]
    [AtLeast(1)]
    [DefaultText("1 up to iteration 10000, 10 up to 100000, 100 up to a million, and so on")]
    public long? ProgressEvery { get; init; }

    [Description("iterations from one checkpoint to the next; 0: none but at the end and in time")]
    [AtLeast(0)]
    public long CheckpointEvery { get; init; } = 1000;

    [Description("seconds after which the next checkpoint is due at the latest; 0: none in time")]
    [Between(0, Seconds.Year, Unit = Seconds.Name)]
    public double CheckpointSeconds { get; init; } = 60;

    [Description(
        "in mode Watch, how many finished run folders are kept, the model in use aside; older ones are deleted; 0: all are kept"
    )]
    [AtLeast(0)]
    public int Kept { get; init; } = 20;

    [Description(
        "how many checkpoints are kept; one more where the current epoch began before them"
    )]
    [AtLeast(1)]
    public int CheckpointsKept { get; init; } = 3;
}
