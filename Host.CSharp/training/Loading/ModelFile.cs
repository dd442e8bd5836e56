using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A model file: that of a run, or any .safetensors or .npz file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Content">Its tensors and metadata.</param>
internal sealed record ModelFile(string Path, TensorFile Content)
{
    /// <param name="path">A run folder, or a file. If a run has no model.safetensors, its newest whole
    /// checkpoint is the model.</param>
    /// <exception cref="RefusedException">The file does not exist or is not a model.</exception>
    public static ModelFile Read(string path)
    {
        if (path.Length == 0)
        {
            throw RefusedException.Of("the model", "a run folder or a file", "nothing");
        }
        path = System.IO.Path.GetFullPath(path);
        return Directory.Exists(path) ? OfRun(path) : OfFile(path);
    }

    private static ModelFile OfRun(string run)
    {
        var path = System.IO.Path.Combine(run, RunFolder.ModelName);
        var checkpoints = CheckpointModel.Iterations(run);
        if (!File.Exists(path) && checkpoints.Count > 0)
            return CheckpointModel.Read(run);
        if (!File.Exists(path) && !File.Exists(System.IO.Path.Combine(run, RunFolder.SettingsFile)))
            throw StoredRun.NoRun(run);
        var file = OfFile(path);
        // The model of a run that was stopped stays in its folder while the run is resumed.
        if (
            checkpoints is [.., var newest]
            && long.TryParse(file.Note(Provenance.Iteration), out var iteration)
            && newest > iteration
            && StoredRun.FinishedAs(run) is null
        )
            Console.Error.WriteLine(
                $"{path} is of iteration {iteration}. The run has continued since, and its newest checkpoint is of iteration {newest}."
            );
        return file;
    }

    /// <summary>The seed of the model's run; null for a file that does not say it.</summary>
    public string? Seed => Note(Provenance.Seed);

    private string? Note(string name) =>
        Content.Metadata.FirstOrDefault(note => note.Item1 == name)?.Item2;

    private static ModelFile OfFile(string path) => Of(DataFile.Read(path, DataFile.UsualLimit));

    /// <summary>The model in a file that was read.</summary>
    /// <exception cref="RefusedException">The file is not a model.</exception>
    public static ModelFile Of(DataFile file)
    {
        var path = file.Path;
        var content = file.Kind switch
        {
            FileKinds.Safetensors => Safetensors
                .Parse(file.Content)
                .OrThrow(RefusedException.At(path)),
            FileKinds.Arrays => Npz.OfArrays(NpzFile.Parse(file.Content, DataFile.UsualLimit, path))
                .OrThrow(RefusedException.At(path)),
            var other => throw RefusedException.Of(
                path,
                $"a run folder, or a {FileKinds.Models} file",
                other.Length == 0 ? "no such ending" : other
            ),
        };
        return new(path, content);
    }

    /// <summary>Whether the model has double precision.</summary>
    public bool IsDouble =>
        Content.Tensors.Any(tensor => tensor.Elements is Elements.Doubles { Item.Length: > 0 });

    /// <summary>The model in its own precision.</summary>
    /// <param name="assumed">What to assume where the file does not contain it.</param>
    /// <exception cref="RefusedException">The tensors are not those of a network.</exception>
    public Model<T> ModelOf<T>(ModelDefaults? assumed = null)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        Model
            .OfTensors<T>(assumed ?? ModelDefaults.None, Content)
            .OrThrow(RefusedException.At(Path));
}
