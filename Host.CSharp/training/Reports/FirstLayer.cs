namespace Pipeline.Training;

/// <summary>The weights of the first layer.</summary>
/// <param name="Inputs">The inputs' names; empty for images.</param>
/// <param name="ImageSize">Rows and columns, if inputs are pixels.</param>
/// <param name="Units">The weights of each unit.</param>
internal sealed record FirstLayer(
    IReadOnlyList<string> Inputs,
    (int Rows, int Columns)? ImageSize,
    IReadOnlyList<double[]> Units
);
