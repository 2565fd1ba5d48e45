using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FastChat.Server.Hosting;
using FastChat.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Hosting;

/// <summary>Certificates that change under a running server, by a clock that the test moves.</summary>
public sealed class CertificateFilesTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fastchat-certificates-");
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _directory.Delete(recursive: true);

    private string CertificateFile => Path.Combine(_directory.FullName, "cert.pem");

    private string KeyFile => Path.Combine(_directory.FullName, "key.pem");

    private CertificateFiles Open() => new(CertificateFile, KeyFile, _time, NullLogger<CertificateFiles>.Instance);

    // Every file was written at the same moment: as seen by a clock that ticks too seldom.
    private static void Write(string file, string text)
    {
        File.WriteAllText(file, text);
        File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddYears(50));
    }

    private static (string Certificate, string Key) Make(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest(name, key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private void MakeAndWrite(string name)
    {
        var (certificate, key) = Make(name);
        Write(CertificateFile, certificate);
        Write(KeyFile, key);
    }

    /// <summary>Whose certificate a handshake shows, a second after the last.</summary>
    private string Subject(CertificateFiles files)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return files.Options().ServerCertificateContext!.TargetCertificate.Subject;
    }

    [Fact]
    public void A_pair_that_does_not_fit_is_not_used_until_it_does_however_fast_it_was_written()
    {
        MakeAndWrite("CN=first");
        var files = Open();
        Assert.Equal("CN=first", Subject(files));

        var (second, secondKey) = Make("CN=second");
        File.WriteAllText(KeyFile, secondKey);
        File.SetLastWriteTimeUtc(KeyFile, DateTime.UnixEpoch.AddYears(51));
        Assert.Equal("CN=first", Subject(files));
        Write(CertificateFile, "broken");
        Assert.Equal("CN=first", Subject(files));
        Assert.Equal("CN=first", Subject(files));
        Write(CertificateFile, second);
        Assert.Equal("CN=second", Subject(files));
    }

    [Fact]
    public void Files_are_looked_at_once_a_second_at_most()
    {
        MakeAndWrite("CN=first");
        var files = Open();
        Assert.Equal("CN=first", Subject(files));
        var (second, secondKey) = Make("CN=second");
        File.WriteAllText(KeyFile, secondKey);
        File.WriteAllText(CertificateFile, second);
        _time.Advance(TimeSpan.FromSeconds(1) - TimeSpan.FromTicks(1));
        Assert.Equal("CN=first", files.Options().ServerCertificateContext!.TargetCertificate.Subject);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal("CN=second", files.Options().ServerCertificateContext!.TargetCertificate.Subject);
    }

    [Fact]
    public void Files_that_were_never_good_are_a_failure_and_may_be_mended()
    {
        Write(CertificateFile, "broken");
        Write(KeyFile, "broken");
        var files = Open();
        Assert.ThrowsAny<Exception>(files.Options);
        MakeAndWrite("CN=first");
        Assert.Equal("CN=first", Subject(files));
    }
}
