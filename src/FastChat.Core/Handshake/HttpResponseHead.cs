using System.Buffers;

namespace FastChat.Handshake;

/// <summary>The head of an HTTP/1.x response, for the client's side of the handshake.</summary>
internal sealed class HttpResponseHead(ArrayPool<byte> pool) : HttpHead(pool), IDisposable
{
    private Range _reason;

    /// <summary>100 to 599.</summary>
    public int StatusCode { get; private set; }

    /// <summary>False for HTTP/1.0.</summary>
    public bool IsHttp11 { get; private set; }

    /// <summary>The reason phrase; often empty.</summary>
    public ReadOnlySpan<byte> Reason => Bytes[_reason];

    /// <inheritdoc/>
    public override void Reset()
    {
        base.Reset();
        (StatusCode, IsHttp11, _reason) = (0, false, default);
    }

    /// <summary>Returns the bytes to the pool. Idempotent.</summary>
    public void Dispose() => Reset();

    /// <summary>RFC 9112 section 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]; the last SP may be missing in practice.</summary>
    protected override HandshakeError ParseStartLine(ReadOnlySpan<byte> line)
    {
        int versionEnd = line.IndexOf((byte)' ');
        if (versionEnd < 0) return HandshakeError.StatusLine;
        var error = HttpVersion.Parse(line[..versionEnd], out bool isHttp11);
        if (error != HandshakeError.None) return error;
        var rest = line[(versionEnd + 1)..];
        if (rest.Length < 3 || (rest.Length > 3 && rest[3] != ' ') || HttpSyntax.IndexOfControl(rest) >= 0) return HandshakeError.StatusLine;
        if (!HttpSyntax.TryParseNumber(rest[..3], 599, out long status) || status < 100) return HandshakeError.StatusLine;
        (StatusCode, IsHttp11) = ((int)status, isHttp11);
        _reason = Math.Min(versionEnd + 5, line.Length)..line.Length;
        return HandshakeError.None;
    }
}
