using System.Numerics;
using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>An image: a byte for each number, channel after channel, each row by row.</summary>
internal sealed record ByteImage(ImageSize Size, byte[] Numbers)
{
    /// <summary>A sample of images.</summary>
    public static ByteImage Of<T>(Dataset<T> images, int sample)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        new(
            images.ImageSize.Value,
            [
                .. Dataset
                    .Take([sample], images)
                    .Inputs.ToColumnMajorArray()
                    .Select(x =>
                        byte.CreateSaturating(T.Round(x * T.CreateTruncating(byte.MaxValue)))
                    ),
            ]
        );
}
