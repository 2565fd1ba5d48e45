using System.Buffers;

namespace FastChat.Handshake;

/// <summary>
/// The head of any valid HTTP/1.x request (RFC 9112 section 3), whether it asks for an upgrade or not. Instances are shared through
/// <see cref="Rent"/> and <see cref="Dispose"/>; waiting for a head holds no buffer.
/// </summary>
internal sealed class HttpRequestHead : HttpHead, IDisposable
{
    private static readonly HttpRequestHead?[] Spares = new HttpRequestHead?[32];

    private Range _method, _target, _path, _query, _authority;
    private bool _absolute;
    private int _inUse = 1;

    private HttpRequestHead(ArrayPool<byte> pool) : base(pool) { }

    /// <summary>An empty head; <see cref="Dispose"/> gives it back.</summary>
    public static HttpRequestHead Rent(ArrayPool<byte> pool)
    {
        for (int i = 0; i < Spares.Length; i++)
        {
            if (Spares[i] is null || Interlocked.Exchange(ref Spares[i], null) is not { } spare) continue;
            spare.Pool = pool;
            spare._inUse = 1;
            return spare;
        }
        return new(pool);
    }

    /// <summary>Case-sensitive (RFC 9110 section 9.1).</summary>
    public ReadOnlySpan<byte> Method => Bytes[_method];

    /// <summary>The request target as sent.</summary>
    public ReadOnlySpan<byte> Target => Bytes[_target];

    /// <summary>The path as sent, still percent-encoded: "/" where an absolute target has none, "*" for a server as a whole, empty for CONNECT.</summary>
    public ReadOnlySpan<byte> Path => _absolute && Bytes[_path].IsEmpty ? "/"u8 : Bytes[_path];

    /// <summary>What follows the question mark, still encoded; empty where there is none.</summary>
    public ReadOnlySpan<byte> Query => Bytes[_query];

    /// <summary>The authority asked for: of an absolute target, which overrides Host (RFC 9112 section 3.2.2), else the Host field.</summary>
    public ReadOnlySpan<byte> Host
    {
        get
        {
            if (_absolute) return Bytes[_authority];
            Count("host"u8, out var host);
            return host;
        }
    }

    /// <summary>False for HTTP/1.0.</summary>
    public bool IsHttp11 { get; private set; }

    /// <summary>Whether a body follows the head.</summary>
    public bool HasBody { get; private set; }

    /// <summary>The path decoded, in <paramref name="scratch"/> (at least as long as <see cref="Path"/>) where anything was encoded.</summary>
    public ReadOnlySpan<byte> DecodePath(Span<byte> scratch)
    {
        var path = Path;
        return path.Contains((byte)'%') ? scratch[..PercentEncoding.DecodePath(path, scratch)] : path;
    }

    /// <summary>A copy on the heap that needs no disposing and outlives this head.</summary>
    public HttpRequestHead Clone()
    {
        var copy = new HttpRequestHead(Pool);
        copy.CopyFrom(this);
        (copy._method, copy._target, copy._path, copy._query, copy._authority) = (_method, _target, _path, _query, _authority);
        (copy._absolute, copy.IsHttp11, copy.HasBody) = (_absolute, IsHttp11, HasBody);
        return copy;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        base.Reset();
        (_method, _target, _path, _query, _authority) = (default, default, default, default, default);
        (_absolute, IsHttp11, HasBody) = (false, false, false);
    }

    /// <summary>Returns the bytes and the object. Idempotent.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _inUse, 0) == 0) return;
        Reset();
        for (int i = 0; i < Spares.Length; i++)
            if (Spares[i] is null && Interlocked.CompareExchange(ref Spares[i], this, null) is null) return;
    }

    /// <summary>RFC 9112 section 3: request-line = method SP request-target SP HTTP-version.</summary>
    protected override HandshakeError ParseStartLine(ReadOnlySpan<byte> line)
    {
        int methodEnd = line.IndexOf((byte)' ');
        int targetEnd = line.LastIndexOf((byte)' ');
        if (methodEnd < 0 || targetEnd <= methodEnd + 1) return HandshakeError.RequestLine;
        _method = ..methodEnd;
        _target = (methodEnd + 1)..targetEnd;
        if (line[_target].Contains((byte)' ')) return HandshakeError.RequestLine;
        if (!HttpSyntax.IsToken(line[_method])) return HandshakeError.Method;
        var error = HttpVersion.Parse(line[(targetEnd + 1)..], out bool isHttp11);
        IsHttp11 = isHttp11;
        return error == HandshakeError.None ? ParseTarget(line[_target], methodEnd + 1) : error;
    }

    /// <summary>RFC 9112 section 3.2: the four forms of a target.</summary>
    private HandshakeError ParseTarget(ReadOnlySpan<byte> target, int offset)
    {
        // A fragment is never sent (section 3.2.1), and what is outside of ASCII must be percent-encoded (RFC 3986 section 2).
        if (target.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E) || target.Contains((byte)'#')) return HandshakeError.Target;
        if (Method.SequenceEqual("CONNECT"u8))
            return HttpSyntax.IsHostAndPort(target, portRequired: true) ? HandshakeError.None : HandshakeError.Target;
        if (target[0] == '/') return SetPath(target, offset, 0);
        if (target.SequenceEqual("*"u8) && Method.SequenceEqual("OPTIONS"u8))
        {
            _path = offset..(offset + 1);
            return HandshakeError.None;
        }
        int scheme = target.IndexOf("://"u8);
        if (scheme < 0 || !IsKnownScheme(target[..scheme])) return HandshakeError.Target;
        int authority = scheme + 3;
        int length = target[authority..].IndexOfAny((byte)'/', (byte)'?');
        int end = length < 0 ? target.Length : authority + length;
        if (!HttpSyntax.IsHostAndPort(target[authority..end])) return HandshakeError.Target;
        _absolute = true;
        _authority = (offset + authority)..(offset + end);
        return SetPath(target, offset, end);
    }

    private static bool IsKnownScheme(ReadOnlySpan<byte> scheme) =>
        HttpSyntax.EqualsIgnoreCase(scheme, "http"u8) || HttpSyntax.EqualsIgnoreCase(scheme, "https"u8)
        || HttpSyntax.EqualsIgnoreCase(scheme, "ws"u8) || HttpSyntax.EqualsIgnoreCase(scheme, "wss"u8);

    private HandshakeError SetPath(ReadOnlySpan<byte> target, int offset, int start)
    {
        int question = target.IndexOf((byte)'?');
        int pathEnd = question < 0 ? target.Length : question;
        _path = (offset + start)..(offset + pathEnd);
        _query = question < 0 ? default : (offset + question + 1)..(offset + target.Length);
        return HandshakeError.None;
    }

    protected override HandshakeError CheckFields()
    {
        // RFC 9112 section 3.2: 400 where HTTP/1.1 has no Host, and where anything has several or one that is malformed.
        int hosts = Count("host"u8, out var host);
        if (hosts == 0 && IsHttp11) return HandshakeError.HostMissing;
        if (hosts > 1) return HandshakeError.HostRepeated;
        if (!host.IsEmpty && !HttpSyntax.IsHostAndPort(host)) return HandshakeError.HostInvalid;

        // RFC 9112 section 6: a length that two readers could take differently is how requests are smuggled.
        int lengths = Count("content-length"u8, out var length);
        int encodings = Count("transfer-encoding"u8, out var encoding);
        long bytes = 0;
        if (lengths > 1 || (lengths == 1 && !HttpSyntax.TryParseNumber(length, long.MaxValue, out bytes))) return HandshakeError.ContentLength;
        if (encodings > 0 && lengths > 0) return HandshakeError.ContentLengthAndTransferEncoding;
        if (encodings > 0 && (encodings > 1 || !IsHttp11 || !HttpSyntax.EqualsIgnoreCase(encoding, "chunked"u8)))
            return HandshakeError.TransferEncoding;
        HasBody = encodings > 0 || bytes > 0;
        return HandshakeError.None;
    }
}
