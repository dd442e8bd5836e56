using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>The watch mode (`Run:Mode` is `Watch`).</summary>
[Description("The watch mode (`Run:Mode` is `Watch`).")]
[ChangeableOnResume]
public sealed record WatchSettings
{
    /// <summary>Seconds between checks of the data files. Accepts: 0.001 to 86400. Default: 5.</summary>
    [Description("seconds between checks of the data files")]
    [Between(0.001, Seconds.Day, Unit = Seconds.Name)]
    public double Every { get; init; } = 5;

    /// <summary>Whether a run starts from the network of the previous run. Accepts: true or false. Default:
    /// true.</summary>
    [Description("whether a run starts from the network of the previous run")]
    public bool WarmStart { get; init; } = true;

    /// <summary>File that the model in use is published to, or a link to it. Accepts: a name that ends in
    /// .safetensors. Default: model.safetensors in Run:Directory.</summary>
    [Description("file that the model in use is published to, or a link to it")]
    [Ending(FileKinds.Safetensors)]
    [DefaultText("model.safetensors in Run:Directory")]
    public string? Model { get; init; }

    /// <summary>Number of earlier models that are kept beside the model in use; the command models lists them and puts one
    /// in use again. Accepts: 0 to 1000. Default: 5.</summary>
    [Description(
        "number of earlier models that are kept beside the model in use; the command models lists them and puts one in use again"
    )]
    [Between(0, 1000)]
    public int History { get; init; } = 5;

    /// <summary>How much worse a new model may be than the model in use: in the unit of Training:Metric; without it, in
    /// accuracy or, for predicted numbers, in loss as a share. Accepts: 0 to 1000000000. Default: 0.</summary>
    [Description(
        "how much worse a new model may be than the model in use: in the unit of Training:Metric; without it, in accuracy or, for predicted numbers, in loss as a share"
    )]
    [Between(0, 1e9)]
    public double Margin { get; init; }
}
