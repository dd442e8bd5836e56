using System.ComponentModel;

namespace Pipeline.Training;

[Description("The watch mode (`Run:Mode` is `Watch`).")]
[ChangeableOnResume]
public sealed record WatchSettings
{
    [Description("seconds between checks of the data files")]
    [Between(0.001, Seconds.Day, Unit = Seconds.Name)]
    public double Every { get; init; } = 5;

    [Description("whether a run starts from the network of the previous run")]
    public bool WarmStart { get; init; } = true;

    [Description("file that the model in use is published to, or a link to it")]
    [Ending(FileKinds.Safetensors)]
    [DefaultText("model.safetensors in Run:Directory")]
    public string? Model { get; init; }

    [Description(
        "how much lower the accuracy of a new model may be than that of the model in use; for predicted numbers, how much higher its loss may be, as a share"
    )]
    [Between(0, 1)]
    public double Margin { get; init; }
}
