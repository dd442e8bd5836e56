namespace Pipeline.Training;

/// <summary>A sample as a picture: bytes of grey, row after row.</summary>
internal sealed record GreyImage(int Rows, int Columns, byte[] Pixels);
