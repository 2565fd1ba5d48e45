using Microsoft.Extensions.Logging;

namespace FastChat.Server.Auth.Keys;

/// <summary>
/// Keys from a JWKS address. Fetched when first needed; again after <see cref="AuthOptions.JwksRefresh"/> in the background, and when a
/// token names an unknown key, but never twice within <see cref="AuthOptions.JwksMinimumInterval"/> and never two at a time.
/// Keys that could not be refreshed for a day (or 24 refresh periods) are dropped: a revoked key must not live on because its
/// publisher is cut off.
/// </summary>
internal sealed class JwksUrlKeySource(AuthOptions options, TokenScope scope, HttpClient http, TimeProvider time, ILogger logger)
    : KeySource(scope)
{
    private const int MaxBytes = 256 * 1024;
    private const int MaxAgeInRefreshes = 24;
    private static readonly TimeSpan FetchTimeout = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private Task? _fetching;
    private long? _attemptedAt;
    private Fetched? _fetched;

    private sealed record Fetched(IReadOnlyList<VerificationKey> Keys, long At);

    /// <summary>A client for this purpose alone: no redirects (they could lead off https) and no cookies.</summary>
    public static HttpClient CreateClient() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = MaxBytes,
    };

    public override async ValueTask<IReadOnlyList<VerificationKey>?> GetAsync(CancellationToken cancellationToken)
    {
        var age = Volatile.Read(ref _fetched) is { } fetched ? time.GetElapsedTime(fetched.At) : TimeSpan.MaxValue;
        if (age >= options.JwksRefresh * MaxAgeInRefreshes)
            await StartFetch().WaitAsync(cancellationToken);
        else if (age >= options.JwksRefresh)
            _ = StartFetch();
        var latest = Volatile.Read(ref _fetched);
        return latest is null || time.GetElapsedTime(latest.At) >= options.JwksRefresh * MaxAgeInRefreshes ? null : latest.Keys;
    }

    public override async ValueTask RefreshAsync(CancellationToken cancellationToken) => await StartFetch().WaitAsync(cancellationToken);

    /// <summary>Joins the fetch under way, or starts one where the minimum interval has passed. The task never fails.</summary>
    private Task StartFetch()
    {
        lock (_gate)
        {
            if (_fetching is not null)
                return _fetching;
            if (_attemptedAt is { } at && time.GetElapsedTime(at) < options.JwksMinimumInterval)
                return Task.CompletedTask;
            _attemptedAt = time.GetTimestamp();
            return _fetching = Task.Run(FetchAsync);
        }
    }

    private async Task FetchAsync()
    {
        try
        {
            using var timeout = new CancellationTokenSource(FetchTimeout, time);
            using var response = await http.GetAsync(options.JwksUrl, timeout.Token);
            response.EnsureSuccessStatusCode();
            var keys = KeyReader.ReadJwks(await response.Content.ReadAsByteArrayAsync(timeout.Token), secrets: false);
            Volatile.Write(ref _fetched, new Fetched(keys, time.GetTimestamp()));
            AuthLog.KeysRead(logger, options.JwksUrl!.Host, keys.Count);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or FormatException or IOException)
        {
            AuthLog.KeysNotRead(logger, options.JwksUrl!.Host, e.Message);
        }
        finally
        {
            lock (_gate)
                _fetching = null;
        }
    }
}
