using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>A model by its name. When its file changes, the new model takes over while predictions go on; each prediction
/// is of one model alone.</summary>
/// <remarks>Any number of threads may predict at once.</remarks>
public interface IPredictor
{
    /// <summary>The name that the model was registered with.</summary>
    string Name { get; }

    /// <summary>The SHA-256 of the model's file.</summary>
    string Sha256 { get; }

    /// <summary>What the model takes and gives.</summary>
    ModelSignature Signature { get; }

    /// <summary>The prediction for a row of a table.</summary>
    /// <param name="row">A value with the model's columns as properties, an anonymous type among them, or a dictionary
    /// from text to values.</param>
    /// <exception cref="RefusedException">The model takes no rows, a column is missing, or a value is not one that the
    /// model takes.</exception>
    Prediction Predict(object row);

    /// <summary>The predictions for several rows, in their order.</summary>
    /// <param name="rows">One row or more.</param>
    /// <exception cref="RefusedException">The model takes no rows, a column is missing, or a value is not one that the
    /// model takes.</exception>
    IReadOnlyList<Prediction> PredictAll<TRow>(IEnumerable<TRow> rows);

    /// <summary>The prediction for an image.</summary>
    /// <param name="pixels">A byte a pixel, row after row: 0 is the background, 255 full ink.</param>
    /// <exception cref="RefusedException">The model takes no images, or images of another size.</exception>
    Prediction PredictImage(ReadOnlySpan<byte> pixels);

    /// <summary>The outputs for the numbers that enter the network: probabilities, or predicted numbers.</summary>
    /// <param name="inputs">As many numbers as the network has inputs.</param>
    /// <param name="outputs">Receives a number for each output.</param>
    /// <exception cref="ArgumentException">One of them has another length.</exception>
    void PredictNumbers(ReadOnlySpan<double> inputs, Span<double> outputs);
}
