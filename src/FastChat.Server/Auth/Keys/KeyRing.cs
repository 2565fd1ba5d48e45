using System.Text;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Auth.Keys;

/// <summary>All keys that tokens may be signed with: our own, and those that the options name.</summary>
internal sealed class KeyRing : IDisposable
{
    private readonly IReadOnlyList<KeySource> _sources;
    private readonly HttpClient? _http;

    private KeyRing(IReadOnlyList<KeySource> sources, HttpClient? http) => (_sources, _http) = (sources, http);

    /// <summary>For tests: a ring over these sources.</summary>
    internal KeyRing(params IReadOnlyList<KeySource> sources) : this(sources, null)
    {
    }

    /// <summary>Opens every source. Throws an <see cref="IOException"/> or <see cref="FormatException"/> that names the file which cannot be read.</summary>
    /// <param name="options">Valid options.</param>
    /// <param name="own">The file of our own keys; it must be there (<see cref="SigningKeyFile.GetCurrentAsync"/>).</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told of keys read and not read.</param>
    public static KeyRing Open(AuthOptions options, SigningKeyFile own, TimeProvider time, ILogger logger)
    {
        var scope = new TokenScope(options.Issuer, options.Audience);
        var sources = new List<KeySource>
        {
            new FileKeySource(own.Path, ownerOnly: true, json => KeyReader.ReadJwks(json, secrets: true), SigningKeyFile.Scope, time, logger),
        };
        if (options.Secret is { } secret)
            sources.Add(new FixedKeySource(scope, KeyReader.FromSecret(Encoding.UTF8.GetBytes(secret))));
        foreach (string file in options.KeyFiles)
            sources.Add(new FileKeySource(file, ownerOnly: false, pem => KeyReader.ReadPem(Encoding.UTF8.GetString(pem)), scope, time, logger));
        if (options.JwksFile is { } jwks)
            sources.Add(new FileKeySource(jwks, ownerOnly: false, json => KeyReader.ReadJwks(json, secrets: true), scope, time, logger));
        if (options.JwksUrl is null)
            return new KeyRing(sources, null);
        var http = JwksUrlKeySource.CreateClient();
        sources.Add(new JwksUrlKeySource(options, scope, http, time, logger));
        return new KeyRing(sources, http);
    }

    /// <summary>Reads every file of keys that the options name: one sentence for each that cannot be read.</summary>
    public static IEnumerable<string> CheckFiles(AuthOptions options)
    {
        foreach (string file in options.KeyFiles)
        {
            if (Mistake(() => KeyReader.ReadPem(File.ReadAllText(file))) is { } mistake)
                yield return $"Auth:KeyFiles: {file}: {mistake}";
        }
        if (options.JwksFile is { } jwks && Mistake(() => KeyReader.ReadJwks(File.ReadAllBytes(jwks), secrets: true)) is { } wrong)
            yield return $"Auth:JwksFile: {jwks}: {wrong}";
    }

    private static string? Mistake(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return e.Message;
        }
    }

    /// <summary>The keys that a token with this header may be signed with, and whether some source had none to offer.</summary>
    public async ValueTask<(List<(TokenScope Scope, VerificationKey Key)> Keys, bool Unavailable)> FindAsync(
        string algorithm, string? keyId, CancellationToken cancellationToken)
    {
        var found = new List<(TokenScope, VerificationKey)>();
        bool unavailable = false;
        foreach (var source in _sources)
        {
            var keys = await source.GetAsync(cancellationToken);
            unavailable |= keys is null;
            foreach (var key in keys ?? [])
            {
                if (key.Fits(algorithm, keyId))
                    found.Add((source.Scope, key));
            }
        }
        return (found, unavailable);
    }

    /// <summary>Lets every source that does not hold this key id look for newer keys.</summary>
    public async ValueTask RefreshAsync(string keyId, CancellationToken cancellationToken)
    {
        foreach (var source in _sources)
        {
            var keys = await source.GetAsync(cancellationToken);
            if (keys is null || !keys.Any(key => key.KeyId == keyId))
                await source.RefreshAsync(cancellationToken);
        }
    }

    public void Dispose() => _http?.Dispose();
}
