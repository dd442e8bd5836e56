using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>Predictions over HTTP by the command serve.</summary>
[Description("Predictions over HTTP by the command serve.")]
[ChangeableOnResume]
public sealed record ServeSettings
{
    /// <summary>Port of the service. Accepts: 1 to 65535. Default: 8080.</summary>
    [Description("port of the service")]
    [Between(1, 65535)]
    public int Port { get; init; } = 8080;

    /// <summary>Address of the service; any other than localhost needs TokenFile and Hosts. Accepts: localhost or an IP
    /// address. Default: localhost.</summary>
    [Description("address of the service; any other than localhost needs TokenFile and Hosts")]
    [Address]
    public string Address { get; init; } = HealthSettings.Localhost;

    /// <summary>Names by which clients may call the service, besides localhost. Accepts: a list.</summary>
    [Description("names by which clients may call the service, besides localhost")]
    public string[] Hosts { get; init; } = [];

    /// <summary>File with the token that clients send as Authorization: Bearer, of 32 characters or more; nobody but
    /// its owner may read it. Accepts: a path. Default: no token.</summary>
    [Description(
        "file with the token that clients send as Authorization: Bearer, of 32 characters or more; nobody but its owner may read it"
    )]
    [DefaultText("no token")]
    public string? TokenFile { get; init; }

    /// <summary>Samples after which those that a model was asked about are compared with its training. Accepts: 30 to
    /// 100000000. Default: 1000.</summary>
    [Description(
        "samples after which those that a model was asked about are compared with its training"
    )]
    [Between(30, 100_000_000)]
    public int DriftWindow { get; init; } = 1000;
}
