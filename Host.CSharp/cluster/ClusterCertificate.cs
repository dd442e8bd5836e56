using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orleans.Connections.Security;
using Orleans.Hosting;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>The certificate that all members of a cluster have. Whoever has its private key is a member.</summary>
internal sealed class ClusterCertificate
{
    private const string Setting = "Cluster:Certificate";

    private readonly X509Certificate2 certificate;

    private ClusterCertificate(X509Certificate2 certificate) => this.certificate = certificate;

    /// <summary>The certificate of the settings; null without one.</summary>
    /// <exception cref="RefusedException">The file is missing, is not a certificate with its key, or others may read
    /// it.</exception>
    public static ClusterCertificate? Of(ClusterSettings settings)
    {
        if (settings.Certificate is not { } path)
            return null;
        var file = DataFile.Read(path, DataFile.UsualLimit, Setting);
        DataFile.RequireSecret(file.Path, Setting);
        try
        {
            using var read = X509Certificate2.CreateFromPemFile(file.Path);
            // A key that is in memory alone does not serve on every system.
            return new(X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null));
        }
        catch (Exception other) when (other is CryptographicException or ArgumentException)
        {
            throw RefusedException.Of(
                $"{Setting}, {file.Path}",
                "a PEM file with a certificate and its private key",
                other.Message.TrimEnd('.')
            );
        }
    }

    public void AddTo(ISiloBuilder silo) => silo.UseTls(certificate, Require);

    public void AddTo(IClientBuilder client) => client.UseTls(certificate, Require);

    private void Require(TlsOptions options)
    {
        options.LocalCertificate = certificate;
        options.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        // The same certificate, of which the handshake proves the key: no authority has to be trusted.
        options.RemoteCertificateValidation = (remote, _, _) =>
            remote.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span);
        options.OnAuthenticateAsClient = (_, client) => client.TargetHost = ClusterStore.Name;
    }
}
