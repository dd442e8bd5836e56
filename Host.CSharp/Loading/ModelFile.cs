using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A file with a model: a run's, or any .safetensors or .npz.</summary>
/// <param name="Path">The file.</param>
/// <param name="Content">Its tensors and metadata.</param>
internal sealed record ModelFile(string Path, TensorFile Content)
{
    /// <param name="path">A run folder, or a file.</param>
    /// <exception cref="RefusedException">The file does not exist or is not a model.</exception>
    public static ModelFile Read(string path)
    {
        if (path.Length == 0)
        {
            throw new RefusedException([
                DataFile.Sentence("the model", "a run folder or a file", "nothing"),
            ]);
        }
        path = System.IO.Path.GetFullPath(path);
        if (Directory.Exists(path))
            path = System.IO.Path.Combine(path, RunFolder.ModelName);
        var file = DataFile.Read(path, DataFile.UsualLimit);
        var content = file.Kind switch
        {
            ".safetensors" => DataFile.Require(Safetensors.Parse(file.Content), path),
            ".npz" => DataFile.Require(
                Npz.OfArrays(NpzFile.Parse(file.Content, DataFile.UsualLimit, path)),
                path
            ),
            var other => throw new RefusedException([
                DataFile.Sentence(
                    path,
                    "a run folder, or a .safetensors or .npz file",
                    other.Length == 0 ? "no such ending" : other
                ),
            ]),
        };
        return new(path, content);
    }

    /// <summary>Whether the model is of double precision.</summary>
    public bool IsDouble =>
        Content.Tensors.Any(tensor => tensor.Elements is Elements.Doubles { Item.Length: > 0 });

    /// <summary>The model, of its own precision.</summary>
    /// <param name="assumed">What to take for true where the file says nothing of it.</param>
    /// <exception cref="RefusedException">The tensors make no network.</exception>
    public Model<T> ModelOf<T>(ModelAssumption? assumed = null)
        where T : struct, IBinaryFloatingPointIeee754<T> =>
        DataFile.Require(Model.OfTensors<T>(assumed ?? Model.NoAssumption, Content), Path);
}
