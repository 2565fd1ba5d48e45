using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FastChat.Server.Hosting;

/// <summary>
/// The certificate of TLS, from PEM files that are read again when they change. Until both fit together, the last good one stays. Safe for
/// concurrent use.
/// </summary>
internal sealed partial class CertificateFiles(string certificateFile, string keyFile, TimeProvider time, ILogger<CertificateFiles> logger)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private SslStreamCertificateContext? _context;
    private (DateTime, DateTime) _stamp;
    private bool _failing;
    private long _lookedAt;

    /// <summary>What a handshake needs.</summary>
    /// <exception cref="CryptographicException">The files were never good.</exception>
    public SslServerAuthenticationOptions Options() => new() { ServerCertificateContext = Current() };

    private SslStreamCertificateContext Current()
    {
        lock (_gate)
        {
            if (_context is not null && time.GetElapsedTime(_lookedAt) < LookEvery)
                return _context;
            _lookedAt = time.GetTimestamp();
            var stamp = (File.GetLastWriteTimeUtc(certificateFile), File.GetLastWriteTimeUtc(keyFile));
            // What could not be read may have been in the middle of being written: within one tick of the file system's clock, even.
            if (_context is not null && stamp == _stamp && !_failing)
                return _context;
            try
            {
                _context = Read();
                _failing = false;
                CertificateRead(logger, certificateFile, _context.TargetCertificate.NotAfter.ToUniversalTime());
            }
            catch (Exception e) when (_context is not null && e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
            {
                if (!_failing || stamp != _stamp)
                    CertificateNotRead(logger, certificateFile, e.Message);
                _failing = true;
            }
            _stamp = stamp;
            return _context!;
        }
    }

    private SslStreamCertificateContext Read()
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(certificateFile);
        var own = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        if (OperatingSystem.IsWindows())
        {
            // SChannel does not take keys that live in memory alone.
            using var ephemeral = own;
            own = X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null);
        }
        return SslStreamCertificateContext.Create(own, chain, offline: true);
    }

    [LoggerMessage(3301, LogLevel.Information, "Read the certificate {File}; it is valid until {NotAfter:O}.")]
    private static partial void CertificateRead(ILogger logger, string file, DateTime notAfter);

    [LoggerMessage(3302, LogLevel.Warning, "Could not read the certificate {File}; the last good one stays in use. {Reason}")]
    private static partial void CertificateNotRead(ILogger logger, string file, string reason);
}
