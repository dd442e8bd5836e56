using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The content of board.json: what is known of each trial.</summary>
/// <param name="Version">The version of the file.</param>
/// <param name="Trials">The trials.</param>
/// <param name="Differences">Sentences about trials of which two results differ.</param>
/// <param name="Sha256">The SHA-256 of the file with zeros in this place; null in files of older versions.</param>
internal sealed record BoardFile(
    int Version,
    IReadOnlyList<BoardFile.StoredTrial> Trials,
    IReadOnlyList<string> Differences,
    string? Sha256 = null
)
{
    private const int Newest = 1;

    /// <summary>What stands in the place of the SHA-256 while it is computed.</summary>
    private static readonly string NoHash = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>With another name, the SHA-256 would not be checked.</summary>
    private static readonly JsonSerializerOptions Json = new(JsonText.Complete)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>A trial. Its values and its state follow from the plan and the results; they are for readers.</summary>
    internal sealed record StoredTrial(
        int Number,
        IReadOnlyList<string> Values,
        string State,
        IReadOnlyList<StoredResult> Results,
        int Attempts,
        string Worker,
        double Seconds,
        IReadOnlyList<string>? Recorders = null
    );

    /// <summary>A result; the deficit of a run that diverged is null.</summary>
    internal sealed record StoredResult(
        double? Deficit,
        IReadOnlyDictionary<string, double> Figures,
        long Iterations,
        string Model,
        bool HasEnded
    );

    public static BoardFile Of(SweepBoard board, IEnumerable<string> differences) =>
        new(Newest, [.. board.Trials.Select(Stored)], [.. differences]);

    public byte[] ToJson()
    {
        var json = JsonText.Of(this with { Sha256 = NoHash });
        var hash = Convert.ToHexStringLower(SHA256.HashData(json));
        Encoding.UTF8.GetBytes(hash).CopyTo(json, PlaceOf(NoHash, json));
        return json;
    }

    /// <summary>The place of the SHA-256, which is the file's last text; -1 if it is written otherwise.</summary>
    private static int PlaceOf(string sha256, byte[] json) =>
        json.AsSpan().LastIndexOf(Encoding.UTF8.GetBytes(sha256));

    /// <summary>Whether the bytes are those that were written.</summary>
    private bool IsWhole(byte[] json)
    {
        if (Sha256 is null)
            return true;
        var place = PlaceOf(Sha256, json);
        if (Sha256.Length != NoHash.Length || place < 0)
            return false;
        var signed = json.ToArray();
        Encoding.UTF8.GetBytes(NoHash).CopyTo(signed, place);
        return Convert.ToHexStringLower(SHA256.HashData(signed)) == Sha256;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="RefusedException">It is damaged.</exception>
    public static BoardFile Read(string path)
    {
        try
        {
            return Parse(path, File.ReadAllBytes(path));
        }
        catch (Exception unreadable) when (AtomicFile.IsDiskError(unreadable))
        {
            throw Damaged(path, unreadable.Message.TrimEnd('.'));
        }
    }

    /// <summary>The content of a file.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="json">Its bytes.</param>
    /// <exception cref="RefusedException">It is damaged.</exception>
    public static BoardFile Parse(string path, byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize<BoardFile>(json, Json)
                    is not { Version: Newest } board
                    ? throw Damaged(path, "another version")
                : board.IsWhole(json) ? board
                : throw Damaged(path, "a file that was changed (its SHA-256 differs)");
        }
        catch (JsonException damaged)
        {
            var (place, found) = JsonFault.Of(damaged, json);
            throw Damaged(path + place, found);
        }
    }

    /// <summary>The board of a plan with what was recorded.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="RefusedException">The file is not one of the plan.</exception>
    public SweepBoard Restore(SweepPlan plan, string path)
    {
        SweepBoard board;
        try
        {
            board = SweepBoards.Restore(plan, Trials.Select(Recorded));
        }
        catch (ArgumentException other)
        {
            throw Damaged(path, other.Message);
        }
        var differs = Trials.FirstOrDefault(trial =>
            trial.Values.Count > 0 && !trial.Values.SequenceEqual(board.Trials[trial.Number].Values)
        );
        return differs is null
            ? board
            : throw Damaged(
                path,
                $"other values of trial {differs.Number} than the plan gives: {string.Join(", ", differs.Values)}"
            );
    }

    private static RefusedException Damaged(string subject, string found) =>
        RefusedException.Of(subject, "the trials of this sweep", found);

    private static StoredTrial Stored(SweepTrial trial) =>
        new(
            trial.Number,
            [.. trial.Values],
            TrialText.StateOf(trial),
            [.. trial.Results.Select(Stored)],
            trial.Attempts,
            trial.Worker,
            Math.Round(trial.Seconds, 3),
            [.. trial.Recorders]
        );

    private static StoredResult Stored(TrialResult result) =>
        new(
            double.IsFinite(result.Deficit) ? result.Deficit : null,
            result.Figures.ToDictionary(figure => figure.Item1, figure => figure.Item2),
            result.Iterations,
            result.Model,
            result.HasEnded
        );

    private static RecordedTrial Recorded(StoredTrial trial) =>
        new(
            trial.Number,
            trial.Results.Select(result =>
                SweepBoards.Result(
                    result.Deficit ?? double.PositiveInfinity,
                    result.Figures.Select(figure => (figure.Key, figure.Value)),
                    result.Iterations,
                    result.Model,
                    result.HasEnded
                )
            ),
            trial.Recorders ?? [],
            trial.Attempts,
            trial.Worker,
            trial.Seconds
        );
}
