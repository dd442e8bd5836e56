using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>An image: a byte for each number, channel after channel, each row by row.</summary>
internal sealed record ByteImage(ImageSize Size, byte[] Numbers);
