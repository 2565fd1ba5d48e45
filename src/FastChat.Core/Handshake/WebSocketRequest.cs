using System.Buffers;
using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace FastChat.Handshake;

/// <summary>
/// The HTTP request that opened, or asks to open, a WebSocket (RFC 6455 section 4.1). Nothing is turned into strings before it is asked
/// for. Not thread-safe.
/// </summary>
/// <remarks>
/// The bytes behind it belong to the server and go back to its pool once the handshake is over and the connection's handler has first
/// waited for something; afterwards every member throws <see cref="InvalidOperationException"/>. Read what you need before, or call
/// <see cref="Keep"/>: an idle connection is to hold no buffer.
/// </remarks>
public sealed class WebSocketRequest
{
    private HttpRequestHead? _head;
    private string? _path;
    private IReadOnlyList<string>? _subprotocols;
    private bool _kept;

    internal WebSocketRequest(HttpRequestHead head) => _head = head;

    /// <summary>
    /// A request that another HTTP server received, ASP.NET Core say. It may be read for as long as it is referenced.
    /// </summary>
    /// <param name="target">Path and query, encoded as they came: "/chat?session_id=1".</param>
    /// <param name="headers">Names and values in order; a name may come again. Without Host where the protocol has none.</param>
    /// <exception cref="ArgumentException">This cannot be the head of an HTTP/1.1 request.</exception>
    public static WebSocketRequest Create(string target, IEnumerable<KeyValuePair<string, string>> headers)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(headers);
        var text = new StringBuilder("GET ").Append(target).Append(" HTTP/1.1\r\n");
        bool host = false;
        int count = 0;
        foreach (var (name, value) in headers)
        {
            count++;
            host |= name.Equals("host", StringComparison.OrdinalIgnoreCase);
            text.Append(name).Append(": ").Append(value).Append("\r\n");
        }
        if (!host)
        {
            count++;
            text.Append("Host:\r\n");
        }
        byte[] bytes = Encoding.UTF8.GetBytes(text.Append("\r\n").ToString());
        using var head = HttpRequestHead.Rent(ArrayPool<byte>.Shared);
        var status = head.TryRead(bytes, new(Math.Max(bytes.Length, 64), int.MaxValue), out int consumed, out var error);
        // A line end inside of a value would end the head early or add a header.
        if (status != HeadReadStatus.Complete || consumed != bytes.Length || head.FieldCount != count)
            throw new ArgumentException("This is no HTTP request. " + error.Sentence());
        return new(head.Clone()) { _kept = true };
    }

    /// <summary>
    /// Whatever <see cref="Connections.WebSocketHandler.OnUpgradeAsync"/> has found out, who it is say: the connection begins with it as its
    /// <see cref="Connections.WebSocketConnection.State"/>.
    /// </summary>
    public object? State { get; set; }

    /// <summary>What the parameters of the matched path stand for; empty without any, and before a path was matched.</summary>
    public IReadOnlyDictionary<string, string> RouteValues { get; internal set; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The path, percent-decoded as UTF-8; an encoded slash or NUL stays encoded.</summary>
    public string Path
    {
        get
        {
            var head = Head;
            return _path ??= DecodePath(head);
        }
    }

    /// <summary>What follows the question mark, still encoded; empty where there is none.</summary>
    public string Query => Encoding.ASCII.GetString(Head.Query);

    /// <summary>The host and port the client asked for; empty where it did not say.</summary>
    public string Host => Encoding.ASCII.GetString(Head.Host);

    /// <summary>The origin of the page that opens the connection (RFC 6454); null from programs other than browsers.</summary>
    public string? Origin => Head.GetHeader("origin"u8);

    /// <summary>The subprotocols the client offers, the one it likes best first.</summary>
    public IReadOnlyList<string> Subprotocols
    {
        get
        {
            var head = Head;
            if (_subprotocols is not null) return _subprotocols;
            var names = new List<string>();
            foreach (var name in head.List("sec-websocket-protocol"u8)) names.Add(HttpSyntax.Text(name));
            return _subprotocols = names;
        }
    }

    /// <summary>All header lines in order, as (name, value) with the name as it was written. A name may come again.</summary>
    public IEnumerable<KeyValuePair<string, string>> Headers
    {
        get
        {
            for (int i = 0; i < Head.FieldCount; i++)
                yield return new(HttpSyntax.Text(Head.FieldName(i)), HttpSyntax.Text(Head.FieldValue(i)));
        }
    }

    /// <summary>The value of a header, its name in any case; several are joined by ", " (cookies by "; "). Null where there is none.</summary>
    public string? GetHeader(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Span<byte> bytes = stackalloc byte[64];
        // A name that is longer or not ASCII is rare; it costs an array.
        if (name.Length > bytes.Length) bytes = new byte[name.Length];
        return Ascii.FromUtf16(name, bytes, out int length) == OperationStatus.Done ? Head.GetHeader(bytes[..length]) : null;
    }

    /// <summary>The first value of a parameter of the query, decoded; a parameter without an equals sign has the value "".</summary>
    /// <param name="name">Case-sensitive, not encoded.</param>
    /// <param name="value">The value where the result is true.</param>
    public bool TryGetQuery(string name, [NotNullWhen(true)] out string? value)
    {
        ArgumentNullException.ThrowIfNull(name);
        var query = new QueryString(Head.Query);
        bool found = query.MoveTo(name);
        value = found ? QueryString.Decode(query.Value) : null;
        return found;
    }

    /// <summary>All values of a parameter of the query, in order.</summary>
    public IReadOnlyList<string> GetQueryValues(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var values = new List<string>();
        var query = new QueryString(Head.Query);
        while (query.MoveTo(name)) values.Add(QueryString.Decode(query.Value));
        return values;
    }

    /// <summary>Copies the request to the heap, so that it may be read for as long as it is referenced.</summary>
    public void Keep()
    {
        if (_kept) return;
        var kept = Head.Clone();
        Release();
        (_head, _kept) = (kept, true);
    }

    /// <summary>Gives the bytes back to the pool, unless the request was kept. Idempotent; whoever made the request calls it.</summary>
    /// <returns>Whether the request can no longer be read.</returns>
    internal bool Release()
    {
        if (_kept) return false;
        _head?.Dispose();
        _head = null;
        return true;
    }

    /// <summary>The bytes, for the server itself: routes are matched without making strings.</summary>
    internal HttpRequestHead Head => _head
        ?? throw new InvalidOperationException("The request was released after the handshake; call Keep() first to read it later.");

    private static string DecodePath(HttpRequestHead head)
    {
        var path = head.Path;
        byte[]? rented = path.Length > 256 ? ArrayPool<byte>.Shared.Rent(path.Length) : null;
        Span<byte> scratch = rented ?? stackalloc byte[256];
        string text = Encoding.UTF8.GetString(head.DecodePath(scratch));
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return text;
    }
}
