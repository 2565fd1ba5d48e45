using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace FastChat.Handshake;

/// <summary>Writes the server's answers to a handshake. Arguments are checked before the first byte is written.</summary>
internal static class UpgradeResponse
{
    private const int DateLength = 29;

    /// <summary>101 Switching Protocols (RFC 6455 section 4.2.2 item 5). Allocates nothing.</summary>
    /// <param name="output">Where to; flushing is the caller's.</param>
    /// <param name="head">A request that <see cref="WebSocketUpgrade.Validate"/> accepted.</param>
    /// <param name="subprotocol">The subprotocol chosen there.</param>
    /// <param name="extensions">The extensions agreed on, as the value of Sec-WebSocket-Extensions.</param>
    /// <param name="headers">Further headers, cookies say.</param>
    /// <exception cref="ArgumentException">A header would break its line or belongs to the handshake.</exception>
    public static void WriteAccepted(IBufferWriter<byte> output, HttpRequestHead head, string? subprotocol = null, string? extensions = null,
        IReadOnlyList<KeyValuePair<string, string>>? headers = null)
    {
        HeaderRules.Check(headers, nameof(headers));
        if (subprotocol is not null && !HttpSyntax.IsToken(subprotocol)) throw new ArgumentException("Not a token.", nameof(subprotocol));
        if (extensions is not null) HeaderRules.CheckValue("Sec-WebSocket-Extensions", extensions, nameof(extensions));
        head.Count("sec-websocket-key"u8, out var key);
        Span<byte> accept = stackalloc byte[AcceptKey.Length];
        AcceptKey.Compute(key, accept);

        output.Write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "u8);
        output.Write(accept);
        output.Write("\r\n"u8);
        if (subprotocol is not null) HeaderRules.Write(output, "Sec-WebSocket-Protocol", subprotocol);
        if (extensions is not null) HeaderRules.Write(output, "Sec-WebSocket-Extensions", extensions);
        HeaderRules.Write(output, headers);
        output.Write("\r\n"u8);
    }

    /// <summary>The answer to a broken rule: its status and sentence, and the headers that tell a client what would be right.</summary>
    public static void WriteError(IBufferWriter<byte> output, HandshakeError error, DateTimeOffset now)
    {
        string[] help = error switch
        {
            HandshakeError.UpgradeMethod => ["Allow", "GET"],
            // RFC 6455 section 4.4.
            HandshakeError.WebSocketVersionMissing or HandshakeError.WebSocketVersionRepeated => ["Sec-WebSocket-Version", "13"],
            // RFC 9110 section 15.5.22: a 426 names the protocol in Upgrade.
            HandshakeError.WebSocketVersionNotSupported => ["Sec-WebSocket-Version", "13", "Upgrade", "websocket"],
            HandshakeError.UpgradeRequired => ["Upgrade", "websocket"],
            _ => [],
        };
        WriteHead(output, error.Status(), error.Sentence().Length + 1, now);
        for (int i = 0; i < help.Length; i += 2) HeaderRules.Write(output, help[i], help[i + 1]);
        output.Write("\r\n"u8);
        HeaderRules.WriteAscii(output, error.Sentence());
        output.Write("\n"u8);
    }

    /// <summary>A refusal that the application decided on, with a body of plain text.</summary>
    /// <param name="output">Where to; flushing is the caller's.</param>
    /// <param name="status">300 to 599.</param>
    /// <param name="text">Why, for whoever reads the body; may be empty.</param>
    /// <param name="now">For the Date header.</param>
    /// <param name="headers">Further headers, WWW-Authenticate or Retry-After say.</param>
    /// <exception cref="ArgumentException">The status is out of range, or a header would break its line or belongs to the handshake.</exception>
    public static void WriteRefusal(IBufferWriter<byte> output, int status, string text, DateTimeOffset now,
        IReadOnlyList<KeyValuePair<string, string>>? headers = null)
    {
        CheckRefusal(status, headers);
        WriteHead(output, status, Encoding.UTF8.GetByteCount(text), now);
        HeaderRules.Write(output, headers);
        output.Write("\r\n"u8);
        Encoding.UTF8.GetBytes(text, output);
    }

    /// <summary>Whether <see cref="WriteRefusal"/> would take these.</summary>
    /// <exception cref="ArgumentException">It would not.</exception>
    public static void CheckRefusal(int status, IReadOnlyList<KeyValuePair<string, string>>? headers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(status, 300);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(status, 599);
        HeaderRules.Check(headers, nameof(headers));
    }

    private static void WriteHead(IBufferWriter<byte> output, int status, int bodyLength, DateTimeOffset now)
    {
        var span = output.GetSpan(32);
        "HTTP/1.1 "u8.CopyTo(span);
        Utf8Formatter.TryFormat(status, span[9..], out _);
        span[12] = (byte)' ';
        output.Advance(13);
        HeaderRules.WriteAscii(output, HandshakeErrors.ReasonPhrase(status));
        // What the client sends after a refused head was meant as frames: the connection cannot be used again.
        output.Write(status == 426 ? "\r\nConnection: Upgrade, close\r\nDate: "u8 : "\r\nConnection: close\r\nDate: "u8);
        Utf8Formatter.TryFormat(now, output.GetSpan(DateLength), out int dateLength, 'R');
        output.Advance(dateLength);
        output.Write("\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "u8);
        Utf8Formatter.TryFormat(bodyLength, output.GetSpan(10), out int digits);
        output.Advance(digits);
        output.Write("\r\n"u8);
    }
}
