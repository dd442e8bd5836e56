using System.Globalization;
using System.Security.Cryptography;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>A published model: the one in use, or one that was in use before.</summary>
/// <param name="Number">Its number in the history, from 1; null for the model in use.</param>
/// <param name="Sha256">The SHA-256 of its file.</param>
/// <param name="Record">What is recorded about it; null if nothing is.</param>
internal sealed record PublishedModel(int? Number, string Sha256, PublicationRecord? Record);

/// <summary>The models that were in use before, in a folder beside the model in use. A model gets the next number when
/// another one takes its place.</summary>
/// <param name="Files">The disk.</param>
/// <param name="ModelPath">The file of the model in use, without symbolic links.</param>
/// <param name="RecordPath">Its record.</param>
/// <param name="Kept">How many earlier models are kept.</param>
internal sealed record ModelHistory(IFiles Files, string ModelPath, string RecordPath, int Kept)
{
    private const string RecordEnding = ".json";

    /// <summary>The folder of the earlier models.</summary>
    public string Folder => Path.ChangeExtension(ModelPath, null) + "-history";

    /// <summary>The numbers of the earlier models, the oldest first.</summary>
    public IReadOnlyList<int> Numbers =>
        [
            .. Files
                .List(Folder)
                .Where(name => Path.GetExtension(name) == FileKinds.Safetensors)
                .Select(name => Path.GetFileNameWithoutExtension(name))
                .Where(name =>
                    int.TryParse(
                        name,
                        NumberStyles.None,
                        CultureInfo.InvariantCulture,
                        out var number
                    )
                    && NameOf(number) == name
                )
                .Select(name => int.Parse(name, CultureInfo.InvariantCulture))
                .Order(),
        ];

    /// <summary>The model in use and the earlier ones, the newest first.</summary>
    public IEnumerable<PublishedModel> Models()
    {
        if (Files.Exists(ModelPath))
            yield return Of(null, ModelPath, RecordPath);
        foreach (var number in Numbers.Reverse())
            yield return Of(number, PathOf(number), PathOf(number, RecordEnding));
    }

    /// <summary>Copies the model in use to the history, unless it is there already, before another one takes its place;
    /// the oldest models beyond those to keep are deleted.</summary>
    public void Keep()
    {
        if (Kept == 0 || !TryAdd())
            return;
        foreach (var number in Numbers.SkipLast(Kept))
        {
            Files.Delete(PathOf(number));
            if (Files.Exists(PathOf(number, RecordEnding)))
                Files.Delete(PathOf(number, RecordEnding));
        }
    }

    /// <summary>Copies the model in use, with its record, to the history.</summary>
    /// <returns>Whether it was copied: false if no model is in use, or if the history contains it already.</returns>
    private bool TryAdd()
    {
        if (!Files.Exists(ModelPath))
            return false;
        var model = Files.Read(ModelPath);
        var numbers = Numbers;
        if (numbers.Any(number => Files.Read(PathOf(number)).AsSpan().SequenceEqual(model)))
            return false;
        var next = numbers.Count == 0 ? 1 : numbers[^1] + 1;
        // The model comes last: with it the entry is whole.
        if (Files.Exists(RecordPath))
            AtomicFile.Write(Files, PathOf(next, RecordEnding), Files.Read(RecordPath));
        AtomicFile.Write(Files, PathOf(next), model);
        return true;
    }

    /// <summary>Puts an earlier model in use again. The model in use goes to the history.</summary>
    /// <param name="wanted">Its number; null for the newest that is not the model in use.</param>
    /// <returns>The model that is in use now.</returns>
    /// <exception cref="RefusedException">There is no such model, or it is damaged.</exception>
    public PublishedModel Restore(int? wanted)
    {
        var used = Files.Exists(ModelPath) ? Files.Read(ModelPath) : [];
        var others = Numbers
            .Where(number => !Files.Read(PathOf(number)).AsSpan().SequenceEqual(used))
            .ToArray();
        if (others.Length == 0)
            throw RefusedException.Of(Folder, "a model that was in use before", "none");
        var number = wanted ?? others[^1];
        if (!others.Contains(number))
        {
            throw RefusedException.Of(
                "--rollback",
                $"one of {string.Join(", ", others)}",
                Numbers.Contains(number) ? $"{number}, which is the model in use" : $"{number}"
            );
        }
        var model = Files.Read(PathOf(number));
        Safetensors.Parse(model).OrThrow(RefusedException.At(PathOf(number)));
        var record = RecordOf(PathOf(number, RecordEnding));
        // No model is deleted: the service's Watch:History may be larger than this command's.
        TryAdd();
        AtomicFile.WriteTo(Files, OutputTarget.Of(ModelPath), model);
        // The run that was judged last stays judged.
        var considered = RecordOf(RecordPath)?.Considered ?? record?.Considered;
        if (considered is not null)
        {
            record ??= new(null, null, null, null, considered);
            AtomicFile.WriteTo(
                Files,
                OutputTarget.Of(RecordPath),
                JsonText.Of(record with { Considered = considered })
            );
        }
        return Of(null, ModelPath, RecordPath);
    }

    private PublishedModel Of(int? number, string model, string record) =>
        new(number, Convert.ToHexStringLower(SHA256.HashData(Files.Read(model))), RecordOf(record));

    private PublicationRecord? RecordOf(string path) => RecordOf(Files, path);

    /// <summary>Reads the record in a file. Returns null if the file is missing or holds no record.</summary>
    public static PublicationRecord? RecordOf(IFiles files, string path) =>
        JsonText.ReadOrNull<PublicationRecord>(() => files.Read(path));

    private static string NameOf(int number) => number.ToString("D4", CultureInfo.InvariantCulture);

    private string PathOf(int number, string ending = FileKinds.Safetensors) =>
        Path.Combine(Folder, NameOf(number) + ending);
}
