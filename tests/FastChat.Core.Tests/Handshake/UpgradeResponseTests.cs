using System.Buffers;
using System.Text;
using FastChat.Handshake;
using static FastChat.Core.Tests.Handshake.Heads;

namespace FastChat.Core.Tests.Handshake;

public sealed class UpgradeResponseTests
{
    private static readonly DateTimeOffset Now = new(1994, 11, 15, 9, 12, 31, TimeSpan.FromHours(1));

    [Fact]
    public void Accepts_as_the_sample_of_rfc_6455_section_1_3()
    {
        string text = Accept(null, null);
        Assert.Equal("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
            $"Sec-WebSocket-Accept: {SampleAccept}\r\n\r\n", text);
    }

    [Fact]
    public void Accepts_with_subprotocol_extensions_and_headers()
    {
        string text = Accept("chat.v1", "permessage-deflate; server_max_window_bits=10", new("Set-Cookie", "a=1"), new("Set-Cookie", "b=2"), new("X-Empty", ""));
        Assert.EndsWith("\r\nSec-WebSocket-Protocol: chat.v1\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n" +
            "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Empty: \r\n\r\n", text, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> HostileHeaders() => new()
    {
        { "X", "a\r\nSet-Cookie: evil=1" }, { "X", "a\n" }, { "X", "a\r" }, { "X", "a\0" }, { "X", "\x7f" }, { "X", "é" }, { "X\r\nY", "a" },
        { "X:", "a" }, { "X ", "a" }, { "", "a" }, { "é", "a" }, { "upgrade", "h2c" }, { "Connection", "close" }, { "Content-Length", "5" },
        { "transfer-encoding", "chunked" }, { "SEC-WEBSOCKET-ACCEPT", "x" }, { "Sec-WebSocket-Protocol", "x" }, { "sec-websocket-anything", "x" }, { "Date", "x" },
    };

    [Theory, MemberData(nameof(HostileHeaders))]
    public void Refuses_headers_that_break_out_or_belong_to_the_handshake(string name, string value)
    {
        var output = new ArrayBufferWriter<byte>();
        KeyValuePair<string, string>[] headers = [new("X-Fine", "fine"), new(name, value)];
        using var head = Read(UpgradeWith());
        Assert.Throws<ArgumentException>(() => UpgradeResponse.WriteAccepted(output, head, null, null, headers));
        Assert.Throws<ArgumentException>(() => UpgradeResponse.WriteRefusal(output, 403, "no", Now, headers));
        Assert.Throws<ArgumentException>(() => UpgradeResponse.WriteAccepted(output, head, "a b"));
        Assert.Throws<ArgumentException>(() => UpgradeResponse.WriteAccepted(output, head, null, "a\r\nb: c"));
        Assert.Equal(0, output.WrittenCount);
    }

    public static TheoryData<string> Errors() => [.. Enum.GetNames<HandshakeError>().Where(name => name != "None")];

    [Theory, MemberData(nameof(Errors))]
    public void Every_error_has_an_answer_that_says_why(string name)
    {
        var error = Enum.Parse<HandshakeError>(name);
        var output = new ArrayBufferWriter<byte>();
        UpgradeResponse.WriteError(output, error, Now);
        int status = 0;
        int length = 0;
        byte[] head = HeadOf(output.WrittenSpan, out string body);
        Assert.Equal(HandshakeError.None, ReplayResponse(head, response =>
        {
            status = response.StatusCode;
            Assert.Equal(HandshakeErrors.ReasonPhrase(status), Encoding.ASCII.GetString(response.Reason));
            Assert.Equal("Tue, 15 Nov 1994 08:12:31 GMT", response.GetHeader("date"u8));
            Assert.True(response.ListContains("connection"u8, "close"u8));
            Assert.Equal("text/plain; charset=utf-8", response.GetHeader("content-type"u8));
            length = int.Parse(response.GetHeader("content-length"u8)!, null);
            Assert.Equal(status == 426, response.ListContains("connection"u8, "upgrade"u8));
            Assert.Equal(status == 426 ? "websocket" : null, response.GetHeader("upgrade"u8));
            Assert.Equal(status == 405 ? "GET" : null, response.GetHeader("allow"u8));
            Assert.Equal(name.StartsWith("WebSocketVersion", StringComparison.Ordinal) ? "13" : null, response.GetHeader("sec-websocket-version"u8));
        }));
        Assert.InRange(status, 400, 505);
        Assert.Equal(error.Sentence() + "\n", body);
        Assert.Equal(body.Length, length);
        Assert.DoesNotContain(HandshakeError.None.Sentence(), body, StringComparison.Ordinal);
    }

    [Fact]
    public void Sentences_differ() =>
        Assert.Equal(Enum.GetValues<HandshakeError>().Length, Enum.GetValues<HandshakeError>().Select(e => e.Sentence()).Distinct().Count());

    [Fact]
    public void An_application_refuses_with_a_status_of_its_own()
    {
        var output = new ArrayBufferWriter<byte>();
        UpgradeResponse.WriteRefusal(output, 401, "Kein Zutritt für dich", Now, [new("WWW-Authenticate", "Bearer")]);
        byte[] head = HeadOf(output.WrittenSpan, out string body);
        Assert.Equal("Kein Zutritt für dich", body);
        ReplayResponse(head, response =>
        {
            Assert.Equal(401, response.StatusCode);
            Assert.Equal("Bearer", response.GetHeader("www-authenticate"u8));
            Assert.Equal("22", response.GetHeader("content-length"u8));
        });
        Assert.Throws<ArgumentOutOfRangeException>(() => UpgradeResponse.WriteRefusal(output, 200, "", Now));
        Assert.Throws<ArgumentOutOfRangeException>(() => UpgradeResponse.WriteRefusal(output, 600, "", Now));
    }

    private static string Accept(string? subprotocol, string? extensions, params KeyValuePair<string, string>[] headers)
    {
        var output = new ArrayBufferWriter<byte>();
        using var head = Read(UpgradeWith());
        UpgradeResponse.WriteAccepted(output, head, subprotocol, extensions, headers);
        return Encoding.ASCII.GetString(output.WrittenSpan);
    }

    private static HttpRequestHead Read(byte[] bytes)
    {
        var head = HttpRequestHead.Rent(ArrayPool<byte>.Shared);
        Assert.Equal(HeadReadStatus.Complete, head.TryRead(bytes, HttpHeadLimits.Default, out int _, out _));
        return head;
    }

    private static byte[] HeadOf(ReadOnlySpan<byte> answer, out string body)
    {
        int end = answer.IndexOf("\r\n\r\n"u8) + 4;
        body = Encoding.UTF8.GetString(answer[end..]);
        return answer[..end].ToArray();
    }
}
