using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>What a look at a model's file found.</summary>
internal enum Reload
{
    /// <summary>The file is as before.</summary>
    Unchanged,

    /// <summary>The new model answers from now on.</summary>
    Replaced,

    /// <summary>The file cannot be used; the model in use stays.</summary>
    Refused,
}

/// <summary>A model whose file may be replaced at any time.</summary>
internal sealed class ServedModel : IPredictor
{
    private LoadedModel current;
    private (DateTime Time, long Length)? seen;

    /// <param name="name">Its name.</param>
    /// <param name="path">A .safetensors or .npz file, or the folder of a run.</param>
    /// <exception cref="RefusedException">There is no such model, or the name is not one for a URL.</exception>
    public ServedModel(string name, string path)
    {
        ModelName.Require(name);
        Name = name;
        Path = FileOf(path);
        seen = Look();
        current = LoadedModel.Read(Path);
    }

    public string Name { get; }

    /// <summary>The model's file.</summary>
    public string Path { get; }

    /// <summary>The model in use. A request takes it once, so that its answer is of one model alone.</summary>
    public LoadedModel Current => Volatile.Read(ref current);

    public string Sha256 => Current.Sha256;

    public ModelSignature Signature => Current.Signature;

    /// <summary>Why the file cannot be used; null if the model in use is the file's.</summary>
    public string? Fault { get; private set; }

    public Prediction Predict(object row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return PredictAll([row])[0];
    }

    public IReadOnlyList<Prediction> PredictAll<TRow>(IEnumerable<TRow> rows) =>
        Current.PredictRows(rows, Name);

    public Prediction PredictImage(ReadOnlySpan<byte> pixels)
    {
        var model = Current;
        if (model.Signature.ImageSize is not { } size)
            throw RefusedException.Of(Name, "a model of images", $"one of {model.Signature}");
        return pixels.Length == size.Count
            ? model.PredictImage(pixels)
            : throw RefusedException.Of(
                Name,
                $"{size.Count} bytes, a byte for each of {size}",
                $"{pixels.Length}"
            );
    }

    public void PredictNumbers(ReadOnlySpan<double> inputs, Span<double> outputs) =>
        Current.PredictNumbers(inputs, outputs);

    /// <summary>Reads the file again if its time or length has changed. A model that takes or gives something else, or
    /// that cannot be read, does not replace the one in use.</summary>
    public Reload Refresh()
    {
        var now = Look();
        if (now == seen)
            return Reload.Unchanged;
        seen = now;
        try
        {
            if (now is null)
                throw RefusedException.Of(Path, "a file that can be read", "none");
            var next = LoadedModel.Read(Path);
            if (!Signature.IsReplacedBy(next.Signature))
            {
                throw RefusedException.Of(
                    Path,
                    $"a model of {Signature}, as the one in use",
                    $"one of {next.Signature}"
                );
            }
            Volatile.Write(ref current, next);
            Fault = null;
            return Reload.Replaced;
        }
        catch (RefusedException refused)
        {
            Fault = string.Join(' ', refused.Reasons);
            return Reload.Refused;
        }
    }

    private (DateTime, long)? Look()
    {
        var file = new FileInfo(Path);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : null;
    }

    /// <summary>The file of a path: the model of a run's folder.</summary>
    private static string FileOf(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = System.IO.Path.GetFullPath(path);
        return Directory.Exists(path) ? System.IO.Path.Combine(path, RunFolder.ModelName) : path;
    }
}
