using System.ComponentModel;

namespace Pipeline.Training;

[Description("How training images are varied, each step anew.")]
public sealed class AugmentationSettings
{
    [Description("greatest shift along rows and columns, in pixels")]
    [Accepts("0 to 1000000")]
    public double Shift { get; init; }

    [Description("greatest turn to either side, in degrees")]
    [Accepts("0 to 180")]
    public double Rotation { get; init; }

    [Description("greatest change of size, as a share of it")]
    [Accepts("0 or more, below 1")]
    public double Scale { get; init; }

    [Description("elastic distortion: how far pixels move, in pixels, before it is smoothed")]
    [Accepts("0 to 1000000")]
    public double Elastic { get; init; }

    [Description("how smooth the elastic distortion is, in pixels")]
    [Accepts("above 0, up to 1000")]
    public double Smoothness { get; init; } = 4;

    [Description("standard deviation of noise added to pixels of 0 to 1")]
    [Accepts("0 to 1000000")]
    public double Noise { get; init; }

    [Description("share of images that are mirrored, left to right")]
    [Accepts("0 to 1")]
    public double Mirror { get; init; }
}
