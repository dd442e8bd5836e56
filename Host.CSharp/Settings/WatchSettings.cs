using System.ComponentModel;

namespace Pipeline.Training;

[Description("What happens to a run where the data are watched (`Run:Mode` is `Watch`).")]
[ChangeableOnResume]
public sealed class WatchSettings
{
    [Description("seconds from one look at the data files to the next")]
    [Between(0.001, Seconds.Day, Unit = Seconds.Name)]
    public double Every { get; init; } = 5;

    [Description("whether a run begins with what the one before it has learned")]
    public bool WarmStart { get; init; } = true;

    [Description("file of the model in use, or a link to it")]
    [Ending(FileKinds.Safetensors)]
    [DefaultText("model.safetensors in Run:Directory")]
    public string? Model { get; init; }

    [Description(
        "how much lower the accuracy of a new model may be than that of the model in use, or how much higher its loss where numbers are predicted, as a share of it"
    )]
    [Between(0, 1)]
    public double Margin { get; init; }
}
