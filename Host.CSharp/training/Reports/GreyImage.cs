namespace Pipeline.Training;

/// <summary>A grey image: a byte for each pixel, row by row.</summary>
internal sealed record GreyImage(int Rows, int Columns, byte[] Pixels);
