using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>Sweeps on many machines (the commands `worker` and `sweep`).</summary>
[Description("Sweeps on many machines (the commands `worker` and `sweep`).")]
[ChangeableOnResume]
public sealed record ClusterSettings
{
    /// <summary>Server through which the machines find each other and which keeps the trials. Accepts: redis:HOST:PORT, with
    /// further options of StackExchange.Redis after commas. Default: no cluster.</summary>
    [Description("server through which the machines find each other and which keeps the trials")]
    [Accepts("redis:HOST:PORT, with further options of StackExchange.Redis after commas")]
    [DefaultText("no cluster")]
    public string? Store { get; init; }

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
