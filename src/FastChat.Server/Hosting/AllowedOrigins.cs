namespace FastChat.Server.Hosting;

/// <summary>
/// Which web origins may open sockets and read responses. Null allows all: nothing here is authorised by a cookie, so a page can do no more
/// than the token that it holds. Immutable.
/// </summary>
internal sealed class AllowedOrigins
{
    private readonly HashSet<string>? _origins;

    /// <exception cref="FormatException">An entry is no origin.</exception>
    public AllowedOrigins(IReadOnlyList<string>? origins)
    {
        if (origins is null || origins.Contains("*"))
            return;
        _origins = [.. origins.Select(o => Normalize(o) ?? throw new FormatException($"'{o}' is not an origin: write scheme://host or scheme://host:port."))];
    }

    /// <summary>True when every origin may.</summary>
    public bool AllowsAny => _origins is null;

    /// <summary>Whether a request with this Origin header may go on; one without comes from no browser.</summary>
    public bool Allows(string? origin) => _origins is null || origin is null || (Normalize(origin) is { } normal && _origins.Contains(normal));

    // RFC 6454 section 6.2: scheme, host and port, without what is the default.
    private static string? Normalize(string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Host.Length > 0 && uri.AbsolutePath == "/" && uri.Query.Length == 0
            && uri.UserInfo.Length == 0 && !origin.EndsWith('/')
            ? uri.GetLeftPart(UriPartial.Authority)
            : null;
}
