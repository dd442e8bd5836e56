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
    private readonly IFiles files;
    private readonly TimeProvider clock;
    private LoadedModel current;

    /// <summary>The file's stamp when its content was last read; null if it could not be read.</summary>
    private FileStamp? seen;

    /// <summary>Whether the file may have another content and the stamp that was seen.</summary>
    private bool isUnsure;

    /// <summary>The SHA-256 of the content that was last read; null if it could not be read.</summary>
    private string? judged;

    /// <param name="name">Its name.</param>
    /// <param name="path">A .safetensors or .npz file, or the folder of a run.</param>
    /// <param name="files">The disk.</param>
    /// <param name="clock">The time of day.</param>
    /// <exception cref="RefusedException">There is no such model, or the name is not one for a URL.</exception>
    public ServedModel(string name, string path, IFiles files, TimeProvider clock)
    {
        ModelName.Require(name);
        (this.files, this.clock) = (files, clock);
        Name = name;
        Path = FileOf(path);
        current = LoadedModel.Of(Read());
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
        if (files.StampOf(Path) == seen && !isUnsure)
            return Reload.Unchanged;
        var (before, fault) = (judged, Fault);
        try
        {
            var file = Read();
            if (judged == before)
                return Reload.Unchanged;
            var next = LoadedModel.Of(file);
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
            // A file that cannot be read is tried again each time.
            return Fault == fault ? Reload.Unchanged : Reload.Refused;
        }
    }

    /// <summary>Reads the content, and remembers it and the stamp that the file had before.</summary>
    /// <exception cref="RefusedException">It cannot be read.</exception>
    private DataFile Read()
    {
        (judged, seen, isUnsure) = (null, null, false);
        var now = clock.GetUtcNow();
        var stamp = files.StampOf(Path);
        var file = DataFile.Read(Path, DataFile.UsualLimit, open: files.OpenRead);
        judged = file.Hash.GetAwaiter().GetResult();
        (seen, isUnsure) = (stamp, stamp?.MayBeKept(now) ?? true);
        return file;
    }

    /// <summary>The file of a path: the model of a run's folder.</summary>
    private static string FileOf(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = System.IO.Path.GetFullPath(path);
        return Directory.Exists(path) ? System.IO.Path.Combine(path, RunFolder.ModelName) : path;
    }
}
