using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Keys;
using FastChat.Server.Auth.RateLimits;
using FastChat.Server.Hosting;
using FastChat.Server.Models;
using Microsoft.Extensions.Configuration;

namespace FastChat.Server.Configuration;

/// <summary>What <c>fastchat serve</c> was told, checked. Sections that other parts read are in <see cref="Configuration"/>.</summary>
internal sealed record ServeOptions
{
    /// <summary>An IP address, <c>localhost</c>, or <c>*</c> for every address of the machine.</summary>
    public required string Host { get; init; }

    /// <summary>TCP port; 0 for any free one.</summary>
    public required int Port { get; init; }

    /// <summary>Where everything is kept.</summary>
    public required DataOptions Data { get; init; }

    /// <summary>PEM file with the certificate chain; null for no TLS. The private key is in <see cref="KeyFile"/>.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file with the certificate's private key.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Who is let in.</summary>
    public required AuthOptions Auth { get; init; }

    /// <summary>Whether a user id alone identifies.</summary>
    public required UserIdTrust UserIdTrust { get; init; }

    /// <summary>How much one user may ask for.</summary>
    public required RateLimitOptions RateLimits { get; init; }

    /// <summary>Everything else that the server itself reads.</summary>
    public FastChatOptions Server { get; init; } = new();

    /// <summary>All settings.</summary>
    public required IConfiguration Configuration { get; init; }

    /// <summary>Reads and checks every setting of the server; mistakes are noted in the reader.</summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="settings">A reader over the same settings.</param>
    /// <param name="workingDirectory">What relative paths are relative to.</param>
    /// <param name="environment">Finds a variable that a model's key may be in.</param>
    /// <param name="insecureTrustUserId">Whether <c>--insecure-trust-user-id</c> was given.</param>
    public static ServeOptions Read(IConfiguration configuration, SettingsReader settings, string workingDirectory,
        Func<string, string?> environment, bool insecureTrustUserId)
    {
        string? File(string? name) => name is null ? null : Path.GetFullPath(name, workingDirectory);
        var auth = AuthOptions.Read(settings);
        auth.KeyFiles = [.. auth.KeyFiles.Select(file => File(file)!)];
        auth.JwksFile = File(auth.JwksFile);
        string host = settings.Text("Host") ?? "127.0.0.1";
        string? untrusted = UserIdTrusts.Decide(auth.TrustUserId, host, insecureTrustUserId, out var trust);
        var options = new ServeOptions
        {
            Host = host,
            Port = settings.Number("Port", 8000),
            Data = DataOptions.Read(settings, workingDirectory),
            CertificateFile = File(settings.Text("Cert")),
            KeyFile = File(settings.Text("Key")),
            Auth = auth,
            UserIdTrust = trust,
            RateLimits = RateLimitOptions.Read(settings),
            Server = FastChatOptions.Read(settings),
            Configuration = configuration,
        };
        var models = new ModelsOptions();
        models.Read(configuration, environment);
        settings.Add([
            .. options.Validate(), .. auth.Validate(), .. KeyRing.CheckFiles(auth), .. untrusted is null ? [] : (string[])[untrusted],
            .. options.RateLimits.Validate(), .. options.Server.Validate(), .. models.Mistakes,
        ]);
        return options;
    }

    /// <summary>The same, as the chat takes it: where the server listens decides what is safe.</summary>
    public FastChatOptions ToFastChat()
    {
        Server.DataDirectory = Data.Directory;
        Server.Store = Data.Store;
        Server.Auth = Auth;
        Server.RateLimits = RateLimits;
        Server.UserIdTrust = UserIdTrust;
        Server.GivesDevTokens = Server.DevTokens is not false && UserIdTrusts.IsLoopback(Host);
        return Server;
    }

    private IEnumerable<string> Validate()
    {
        if (Port is < 0 or > 65535)
            yield return "Port must be between 0 and 65535.";
        if (Host is not ("localhost" or "*") && !IPAddress.TryParse(Host.Trim('[', ']'), out _))
            yield return "Host must be an IP address, localhost, or * for every address of this machine.";
        if ((CertificateFile is null) != (KeyFile is null))
            yield return "Cert and Key (--cert, --key) go together: TLS needs both.";
        if (CertificateFile is null || KeyFile is null)
            yield break;
        if (CertificateMistake(CertificateFile, KeyFile) is { } mistake)
            yield return mistake;
    }

    private static string? CertificateMistake(string certificate, string key)
    {
        try
        {
            using var both = X509Certificate2.CreateFromPemFile(certificate, key);
            return null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return $"Cert and Key: {certificate} and {key} do not hold a PEM certificate and its private key.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"Cert and Key: {e.Message}";
        }
    }
}
