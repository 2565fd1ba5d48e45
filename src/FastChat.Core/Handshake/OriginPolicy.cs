using System.Text;

namespace FastChat.Handshake;

/// <summary>
/// Which web origins may connect (RFC 6455 section 10.2): a browser says in <c>Origin</c> whose page opens the connection, and does not
/// let the page change it. A request without the header is let in: it comes from no browser. Immutable and thread-safe.
/// </summary>
internal sealed class OriginPolicy
{
    private readonly record struct Entry(byte[] SchemeAndHost, int Port);

    private readonly Entry[] _allowed;
    private readonly bool _any, _null;

    /// <param name="origins">
    /// Origins as RFC 6454 section 6.2 serialises them, "https://app.example.com" or with ":port"; "*" for all; "null" for pages without
    /// an origin (files, sandboxed frames).
    /// </param>
    /// <exception cref="ArgumentException">An entry is none of these.</exception>
    public OriginPolicy(IEnumerable<string> origins)
    {
        var allowed = new List<Entry>();
        foreach (string origin in origins)
        {
            if (origin == "*") _any = true;
            else if (origin == "null") _null = true;
            else if (TrySplit(Encoding.UTF8.GetBytes(origin), out var schemeAndHost, out int port)) allowed.Add(new(schemeAndHost.ToArray(), port));
            else throw new ArgumentException($"'{origin}' is not an origin: write scheme://host or scheme://host:port, without a path.", nameof(origins));
        }
        _allowed = [.. allowed];
    }

    /// <summary>Whether a page of that origin may connect. Scheme and host in any case; a port left out is the scheme's own.</summary>
    public bool Allows(ReadOnlySpan<byte> origin)
    {
        if (_any || (_null && origin.SequenceEqual("null"u8))) return true;
        if (!TrySplit(origin, out var schemeAndHost, out int port)) return false;
        foreach (var entry in _allowed)
            if (entry.Port == port && HttpSyntax.EqualsIgnoreCase(entry.SchemeAndHost, schemeAndHost)) return true;
        return false;
    }

    /// <summary>serialized-origin = scheme "://" host [ ":" port ] (RFC 6454 section 7.1).</summary>
    private static bool TrySplit(ReadOnlySpan<byte> origin, out ReadOnlySpan<byte> schemeAndHost, out int port)
    {
        schemeAndHost = default;
        port = 0;
        int scheme = origin.IndexOf("://"u8);
        if (scheme < 1 || !HttpSyntax.IsToken(origin[..scheme]) || !HttpSyntax.IsHostAndPort(origin[(scheme + 3)..])) return false;
        int colon = origin.LastIndexOf((byte)':');
        bool hasPort = colon > scheme && origin[colon..].IndexOf((byte)']') < 0;
        schemeAndHost = hasPort ? origin[..colon] : origin;
        if (!hasPort)
        {
            port = DefaultPort(origin[..scheme]);
            return true;
        }
        bool isNumber = HttpSyntax.TryParseNumber(origin[(colon + 1)..], ushort.MaxValue, out long number);
        port = (int)number;
        return isNumber;
    }

    private static int DefaultPort(ReadOnlySpan<byte> scheme) =>
        HttpSyntax.EqualsIgnoreCase(scheme, "https"u8) ? 443 : HttpSyntax.EqualsIgnoreCase(scheme, "http"u8) ? 80 : 0;
}
