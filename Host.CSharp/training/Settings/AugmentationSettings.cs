using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>Random changes of training images, drawn anew in each step.</summary>
[Description("Random changes of training images, drawn anew in each step.")]
public sealed record AugmentationSettings
{
    /// <summary>Largest shift along rows and columns, in pixels. Accepts: 0 to 1000000. Default: 0.</summary>
    [Description("largest shift along rows and columns, in pixels")]
    [Accepts("0 to 1000000")]
    public double Shift { get; init; }

    /// <summary>Largest rotation in either direction, in degrees. Accepts: 0 to 180. Default: 0.</summary>
    [Description("largest rotation in either direction, in degrees")]
    [Accepts("0 to 180")]
    public double Rotation { get; init; }

    /// <summary>Largest change of size, as a share. Accepts: 0 or more, below 1. Default: 0.</summary>
    [Description("largest change of size, as a share")]
    [Accepts("0 or more, below 1")]
    public double Scale { get; init; }

    /// <summary>Strength of the elastic distortion: how far pixels move before smoothing, in pixels. Accepts: 0
    /// to 1000000. Default: 0.</summary>
    [Description(
        "strength of the elastic distortion: how far pixels move before smoothing, in pixels"
    )]
    [Accepts("0 to 1000000")]
    public double Elastic { get; init; }

    /// <summary>How smooth the elastic distortion is, in pixels. Accepts: above 0, up to 1000. Default:
    /// 4.</summary>
    [Description("how smooth the elastic distortion is, in pixels")]
    [Accepts("above 0, up to 1000")]
    public double Smoothness { get; init; } = 4;

    /// <summary>Standard deviation of noise added to pixels of 0 to 1. Accepts: 0 to 1000000. Default:
    /// 0.</summary>
    [Description("standard deviation of noise added to pixels of 0 to 1")]
    [Accepts("0 to 1000000")]
    public double Noise { get; init; }

    /// <summary>Share of images that are mirrored horizontally. Accepts: 0 to 1. Default: 0.</summary>
    [Description("share of images that are mirrored horizontally")]
    [Accepts("0 to 1")]
    public double Mirror { get; init; }
}
