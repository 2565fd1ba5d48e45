using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace FastChat.Handshake;

/// <summary>
/// The client's side of the handshake (RFC 6455 section 4.1): writes the request, then reads and checks the answer. One instance per
/// attempt; not thread-safe; <see cref="Dispose"/> returns the answer's bytes.
/// </summary>
internal sealed class ClientHandshake : IDisposable
{
    [InlineArray(AcceptKey.KeyLength)]
    private struct Key
    {
        private byte _first;
    }

    private const int NonceBytes = 16;
    private const int MaxInterimResponses = 8;
    private const int QuotedLength = 200;

    private readonly Uri _uri;
    private readonly ClientHandshakeOptions _options;
    private readonly HttpResponseHead _response;
    private Key _key;
    private int _interim;

    /// <param name="uri">ws or wss (http and https mean the same), without a fragment (RFC 6455 section 3) and without user information.</param>
    /// <param name="options">What to ask for.</param>
    /// <param name="pool">Holds the answer while it is read.</param>
    /// <param name="nonce">16 bytes for tests; random where it is empty.</param>
    /// <exception cref="ArgumentException">The URI does not name a WebSocket.</exception>
    public ClientHandshake(Uri uri, ClientHandshakeOptions options, ArrayPool<byte> pool, ReadOnlySpan<byte> nonce = default)
    {
        CheckUri(uri);
        (_uri, _options, _response) = (uri, options, new(pool));
        Span<byte> random = stackalloc byte[NonceBytes];
        if (nonce.IsEmpty) RandomNumberGenerator.Fill(random);
        else nonce[..NonceBytes].CopyTo(random);
        Base64.EncodeToUtf8(random, _key, out _, out _);
    }

    /// <summary>The rule that the server broke, once <see cref="TryRead"/> says Invalid.</summary>
    public ClientHandshakeError Error { get; private set; }

    /// <summary>A sentence about <see cref="Error"/>, with what the server said; for exceptions and logs.</summary>
    public string ErrorMessage { get; private set; } = "";

    /// <summary>The status answered; 0 before a whole answer came.</summary>
    public int StatusCode { get; private set; }

    /// <summary>The subprotocol the server chose, one of those asked for; null for none.</summary>
    public string? Subprotocol { get; private set; }

    /// <summary>The server's Sec-WebSocket-Extensions, to be checked against the offers by whoever made them; null for none.</summary>
    public string? Extensions { get; private set; }

    /// <summary>The head of the answer, whatever its status, until Dispose.</summary>
    public HttpResponseHead Response => _response;

    /// <exception cref="ArgumentException">The URI does not name a WebSocket.</exception>
    public static void CheckUri(Uri uri)
    {
        if (!uri.IsAbsoluteUri || uri.Scheme is not ("ws" or "wss" or "http" or "https"))
            throw new ArgumentException("A WebSocket URI begins with ws:// or wss://.", nameof(uri));
        if (uri.Fragment.Length > 0) throw new ArgumentException("A WebSocket URI has no fragment.", nameof(uri));
        // A Uri may be made so that it does not encode what it is given.
        if (uri.PathAndQuery.AsSpan().ContainsAnyExceptInRange('!', '~'))
            throw new ArgumentException("The path of a WebSocket URI is encoded.", nameof(uri));
        if (uri.UserInfo.Length > 0) throw new ArgumentException("Credentials go into a header, not into the URI.", nameof(uri));
    }

    /// <summary>Writes the whole request.</summary>
    public void WriteRequest(IBufferWriter<byte> output)
    {
        output.Write("GET "u8);
        HeaderRules.WriteAscii(output, _uri.PathAndQuery);
        output.Write(" HTTP/1.1\r\n"u8);
        HeaderRules.Write(output, "Host", HostAndPort(_uri));
        output.Write("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "u8);
        output.Write((ReadOnlySpan<byte>)_key);
        output.Write("\r\n"u8);
        if (_options.Subprotocols.Count > 0) HeaderRules.Write(output, "Sec-WebSocket-Protocol", string.Join(", ", _options.Subprotocols));
        if (_options.Extensions is { } offers) HeaderRules.Write(output, "Sec-WebSocket-Extensions", offers);
        HeaderRules.Write(output, _options.Headers);
        output.Write("\r\n"u8);
    }

    /// <summary>
    /// Reads on in the answer. Give it what is not consumed again, with more behind it. Interim answers (RFC 9110 section 15.2) are
    /// consumed and skipped.
    /// </summary>
    /// <returns>Complete once the connection speaks WebSocket; Invalid with <see cref="Error"/> set where it never will.</returns>
    public HeadReadStatus TryRead(in ReadOnlySequence<byte> input, out SequencePosition consumed)
    {
        consumed = input.Start;
        var rest = input;
        while (true)
        {
            var status = _response.TryRead(rest, _options.Limits, out var end, out var error);
            if (status == HeadReadStatus.NeedMore) return status;
            if (status == HeadReadStatus.Invalid)
                return Fail(ClientHandshakeError.MalformedResponse, "The server's answer is not proper HTTP/1.1. " + error.Sentence());
            consumed = end;
            StatusCode = _response.StatusCode;
            if (StatusCode is 101 or >= 200) return Check();
            if (++_interim > MaxInterimResponses)
                return Fail(ClientHandshakeError.TooManyInterimResponses, "The server sends interim answers without end.");
            rest = rest.Slice(end);
            _response.Reset();
        }
    }

    /// <summary>Says that the server closed the connection before its answer was complete.</summary>
    public void InputEnded() => Fail(ClientHandshakeError.ConnectionEnded, "The server closed the connection before it answered the handshake.");

    /// <summary>Returns the answer's bytes. Idempotent.</summary>
    public void Dispose() => _response.Dispose();

    private HeadReadStatus Check()
    {
        if (StatusCode != 101) return FailStatus();
        if (!_response.IsHttp11) return Fail(ClientHandshakeError.MalformedResponse, "The server switches protocols in HTTP/1.0.");
        // Items 2 to 6 of "the client MUST validate the server's response".
        if (_response.Count("upgrade"u8, out var upgrade) != 1 || !HttpSyntax.EqualsIgnoreCase(upgrade, "websocket"u8))
            return Fail(ClientHandshakeError.UpgradeMissing, "The server's answer does not upgrade to websocket.");
        if (!_response.ListContains("connection"u8, "upgrade"u8))
            return Fail(ClientHandshakeError.ConnectionMissing, "The server's answer has no 'Connection: Upgrade'.");
        Span<byte> expected = stackalloc byte[AcceptKey.Length];
        AcceptKey.Compute(_key, expected);
        int accepts = _response.Count("sec-websocket-accept"u8, out var accept);
        if (accepts == 0) return Fail(ClientHandshakeError.AcceptMissing, "The server's answer has no Sec-WebSocket-Accept.");
        if (accepts > 1 || !accept.SequenceEqual(expected))
            return Fail(ClientHandshakeError.AcceptWrong, "The server's Sec-WebSocket-Accept does not fit the key: it may be no WebSocket server.");
        return CheckChoices();
    }

    private HeadReadStatus CheckChoices()
    {
        string? extensions = _response.GetHeader("sec-websocket-extensions"u8);
        if (extensions?.Length > 0 && _options.Extensions is null)
            return Fail(ClientHandshakeError.ExtensionNotOffered, $"The server chose the extension '{Quote(extensions)}', and none was offered.");
        Extensions = extensions?.Length > 0 ? extensions : null;

        int protocols = _response.Count("sec-websocket-protocol"u8, out var protocol);
        if (protocols > 1) return Fail(ClientHandshakeError.SubprotocolRepeated, "The server chose more than one subprotocol.");
        if (protocols == 0) return HeadReadStatus.Complete;
        string chosen = HttpSyntax.Text(protocol);
        Subprotocol = _options.Subprotocols.FirstOrDefault(asked => asked == chosen);
        if (Subprotocol is not null) return HeadReadStatus.Complete;
        return Fail(ClientHandshakeError.SubprotocolNotOffered, $"The server chose the subprotocol '{Quote(chosen)}', which was not asked for.");
    }

    private HeadReadStatus FailStatus()
    {
        string status = $"{StatusCode} {Quote(HttpSyntax.Text(_response.Reason))}".TrimEnd();
        if (StatusCode >= 400 || StatusCode < 300)
            return Fail(ClientHandshakeError.UnexpectedStatus, $"The server answered {status} instead of 101.");
        string location = _response.GetHeader("location"u8) is { } target ? $" to {Quote(target)}" : "";
        return Fail(ClientHandshakeError.Redirected, $"The server redirects{location} ({status}); redirects are not followed.");
    }

    private HeadReadStatus Fail(ClientHandshakeError error, string message)
    {
        (Error, ErrorMessage) = (error, message);
        return HeadReadStatus.Invalid;
    }

    private static string Quote(string text) => text.Length <= QuotedLength ? text : text[..QuotedLength] + "...";

    /// <summary>RFC 6455 section 4.1 item 4: the port only where it is not the scheme's own.</summary>
    private static string HostAndPort(Uri uri)
    {
        string host = uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
        return uri.IsDefaultPort ? host : $"{host}:{uri.Port}";
    }
}
