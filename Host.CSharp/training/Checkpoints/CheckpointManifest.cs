using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>The manifest of a checkpoint. It is written last, and says which bytes the checkpoint must have
/// and to which run it belongs.</summary>
/// <param name="Version">The version of the manifest and of the checkpoint.</param>
/// <param name="Iteration">Steps done.</param>
/// <param name="TrainSeconds">Seconds of training so far.</param>
/// <param name="Bytes">The number of bytes of the checkpoint.</param>
/// <param name="Sha256">Their SHA-256.</param>
/// <param name="SettingsSha256">The SHA-256 of the settings that affect the result.</param>
/// <param name="DataSha256">The SHA-256 of the data files, by their names.</param>
internal sealed record CheckpointManifest(
    int Version,
    long Iteration,
    double TrainSeconds,
    long Bytes,
    string Sha256,
    string SettingsSha256,
    IReadOnlyDictionary<string, string> DataSha256
)
{
    private static readonly JsonSerializerOptions Json = new(JsonText.Options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public static CheckpointManifest Create(
        long iteration,
        TimeSpan trained,
        byte[] checkpoint,
        string settingsSha256,
        IReadOnlyDictionary<string, string> dataSha256
    ) =>
        new(
            Checkpoint.Version,
            iteration,
            Math.Round(trained.TotalSeconds, 6),
            checkpoint.Length,
            Convert.ToHexStringLower(SHA256.HashData(checkpoint)),
            settingsSha256,
            dataSha256
        );

    public byte[] ToJson() => JsonText.Of(this);

    /// <summary>The content of a manifest of any version.</summary>
    private sealed record Versioned(int Version);

    /// <summary>The version of a manifest of another version.</summary>
    private static int? VersionOf(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<Versioned>(json, JsonText.Options)?.Version;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads a manifest.</summary>
    /// <returns>Null and a sentence if the bytes are not a manifest.</returns>
    /// <exception cref="RefusedException">The manifest is of a later version of the program.</exception>
    public static CheckpointManifest? Parse(ReadOnlySpan<byte> json, string path, out string fault)
    {
        fault = "";
        try
        {
            if (JsonSerializer.Deserialize<CheckpointManifest>(json, Json) is { } manifest)
                return manifest;
            fault = Faults.Create(path, "a checkpoint's manifest", "null").ToString();
        }
        catch (JsonException damaged)
        {
            if (VersionOf(json) is { } version && version > Checkpoint.Version)
            {
                throw new RefusedException([
                    Faults
                        .Create(
                            path,
                            $"a checkpoint of version {Checkpoint.Version} or before",
                            $"version {version}, of a later program"
                        )
                        .ToString(),
                ]);
            }
            var (place, found) = JsonFault.Of(damaged, json);
            fault = Faults.Create(path + place, "a checkpoint's manifest", found).ToString();
        }
        return null;
    }

    /// <summary>Whether it belongs to a run with these settings and data.</summary>
    public bool IsOf(string settingsSha256, IReadOnlyDictionary<string, string> dataSha256) =>
        SettingsSha256 == settingsSha256 && DataHashes.AreSame(DataSha256, dataSha256);

    /// <summary>The error in the checkpoint's bytes as a sentence, or null if the bytes are intact.</summary>
    public string? FaultOf(ReadOnlySpan<byte> checkpoint, string path)
    {
        if (checkpoint.Length != Bytes)
            return Faults.Create(path, $"{Bytes} bytes", $"{checkpoint.Length}").ToString();
        var found = Convert.ToHexStringLower(SHA256.HashData(checkpoint));
        return found == Sha256 ? null : Faults.Create(path, $"SHA-256 {Sha256}", found).ToString();
    }
}
