using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Pipeline.Training;

/// <summary>Sweeps on many machines (the commands `worker` and `sweep`).</summary>
[Description("Sweeps on many machines (the commands `worker` and `sweep`).")]
[ChangeableOnResume]
public sealed record ClusterSettings
{
    /// <summary>Server through which the machines find each other and which keeps the trials. Accepts: redis:HOST:PORT, with
    /// further options of StackExchange.Redis after commas, or postgres: with a connection string of Npgsql after it. Default: no
    /// cluster.</summary>
    [Description("server through which the machines find each other and which keeps the trials")]
    [Accepts(
        "redis:HOST:PORT, with further options of StackExchange.Redis after commas, or postgres: with a connection string of Npgsql after it"
    )]
    [DefaultText("no cluster")]
    // It may contain a password, which has no place in the files of runs.
    [JsonIgnore]
    public string? Store { get; init; }

    /// <summary>Whether the command worker only creates what the store needs before it is used, and ends. Accepts: true or false.
    /// Default: false.</summary>
    [Description(
        "whether the command worker only creates what the store needs before it is used, and ends"
    )]
    public bool Prepare { get; init; }

    /// <summary>Address of this machine at which the other machines reach it; whoever can reach it is trusted. Accepts:
    /// localhost or an IP address. Default: localhost.</summary>
    [Description(
        "address of this machine at which the other machines reach it; whoever can reach it is trusted"
    )]
    [Address]
    public string Address { get; init; } = HealthSettings.Localhost;

    /// <summary>First of the two TCP ports that this process listens on. Accepts: 1024 to 65534. Default: free
    /// ports.</summary>
    [Description("first of the two TCP ports that this process listens on")]
    [Between(1024, 65534)]
    [DefaultText("free ports")]
    public int? Port { get; init; }

    /// <summary>PEM file with a certificate and its private key, the same on all machines: connections between them are
    /// encrypted, and machines without the key are not accepted; nobody but its owner may read it. Accepts: a path. Default:
    /// no encryption.</summary>
    [Description(
        "PEM file with a certificate and its private key, the same on all machines: connections between them are encrypted, and machines without the key are not accepted; nobody but its owner may read it"
    )]
    [DefaultText("no encryption")]
    public string? Certificate { get; init; }
}
