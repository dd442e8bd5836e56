using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>Sweeps of many trials (the command `sweep`).</summary>
[Description("Sweeps of many trials (the command `sweep`).")]
[ChangeableOnResume]
public sealed record SweepSettings
{
    /// <summary>How many trials run at the same time; this changes the time that a sweep takes and no result. Accepts: 1 to
    /// 1024. Default: as many as there are processors.</summary>
    [Description(
        "how many trials run at the same time; this changes the time that a sweep takes and no result"
    )]
    [Between(1, 1024)]
    [DefaultText("as many as there are processors")]
    public int? Slots { get; init; }
}
