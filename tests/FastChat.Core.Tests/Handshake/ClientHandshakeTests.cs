using System.Buffers;
using System.Text;
using FastChat.Handshake;
using FastChat.TestKit;
using static FastChat.Core.Tests.Handshake.Heads;

namespace FastChat.Core.Tests.Handshake;

public sealed class ClientHandshakeTests
{
    private static readonly byte[] Nonce = "the sample nonce"u8.ToArray();
    private static readonly string[] Answer =
        ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: " + SampleAccept];

    [Theory]
    [InlineData("ws://h", "/", "h")]
    [InlineData("ws://h:80/a", "/a", "h")]
    [InlineData("ws://h:443/a?b=c", "/a?b=c", "h:443")]
    [InlineData("wss://h:443?q", "/?q", "h")]
    [InlineData("wss://H.Example:8443/", "/", "h.example:8443")]
    [InlineData("http://h:81/", "/", "h:81")]
    [InlineData("https://h/", "/", "h")]
    [InlineData("ws://[::1]:9/x", "/x", "[::1]:9")]
    [InlineData("ws://[::1]/x", "/x", "[::1]")]
    [InlineData("ws://127.0.0.1/a b/é?ü=%20", "/a%20b/%C3%A9?%C3%BC=%20", "127.0.0.1")]
    [InlineData("ws://bücher.example/", "/", "xn--bcher-kva.example")]
    public void The_request_says_where_to(string uri, string target, string host)
    {
        using var client = new ClientHandshake(new(uri), ClientHandshakeOptions.None, ArrayPool<byte>.Shared, Nonce);
        Assert.Equal($"GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
            $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {SampleKey}\r\n\r\n", Request(client));
    }

    [Fact]
    public void The_request_carries_what_was_asked_for()
    {
        var options = new ClientHandshakeOptions(["a", "b"], "permessage-deflate", [new("Authorization", "Bearer x"), new("Origin", "http://o")]);
        using var client = new ClientHandshake(new("ws://h"), options, ArrayPool<byte>.Shared, Nonce);
        Assert.EndsWith("\r\nSec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: permessage-deflate\r\nAuthorization: Bearer x\r\n" +
            "Origin: http://o\r\n\r\n", Request(client), StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_are_random()
    {
        using var one = new ClientHandshake(new("ws://h"), ClientHandshakeOptions.None, ArrayPool<byte>.Shared);
        using var two = new ClientHandshake(new("ws://h"), ClientHandshakeOptions.None, ArrayPool<byte>.Shared);
        Assert.NotEqual(Request(one), Request(two));
    }

    [Theory]
    [InlineData("ftp://h/"), InlineData("/relative"), InlineData("ws://h/#part"), InlineData("ws://user:pass@h/"), InlineData("wss2://h/")]
    public void Refuses_what_names_no_websocket(string uri) =>
        Assert.Throws<ArgumentException>(() => new ClientHandshake(new(uri, UriKind.RelativeOrAbsolute), ClientHandshakeOptions.None, ArrayPool<byte>.Shared));

    [Fact]
    public void Refuses_a_path_that_would_break_out_of_its_line()
    {
        var raw = new Uri("http://h/ HTTP/1.1\r\nX: y", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        Assert.Throws<ArgumentException>(() => new ClientHandshake(raw, ClientHandshakeOptions.None, ArrayPool<byte>.Shared));
    }

    [Theory, MemberData(nameof(UpgradeResponseTests.HostileHeaders), MemberType = typeof(UpgradeResponseTests))]
    public void Refuses_headers_that_break_out_or_belong_to_the_handshake(string name, string value) =>
        Assert.Throws<ArgumentException>(() => new ClientHandshakeOptions(headers: [new(name, value)]));

    [Fact]
    public void Refuses_options_that_are_no_header_values()
    {
        Assert.Throws<ArgumentException>(() => new ClientHandshakeOptions(headers: [new("Host", "other")]));
        Assert.Throws<ArgumentException>(() => new ClientHandshakeOptions(extensions: "a\r\nb: c"));
        Assert.Throws<ArgumentException>(() => new ClientHandshakeOptions(["a b"]));
        Assert.Throws<ArgumentException>(() => new ClientHandshakeOptions(["a", "a"]));
    }

    public static TheoryData<string[], string?, string?> Good() => new()
    {
        { Answer, null, null },
        { ["HTTP/1.1 101", "UPGRADE: WebSocket", "connection: keep-alive, UPGRADE", "sec-websocket-accept:" + SampleAccept], null, null },
        { [.. Answer, "Sec-WebSocket-Protocol: b"], "b", null },
        { [.. Answer, "Sec-WebSocket-Extensions: permessage-deflate; x=\"1,2\"", "Sec-WebSocket-Extensions: y"], null, "permessage-deflate; x=\"1,2\", y" },
        { [.. Answer, "Sec-WebSocket-Extensions:"], null, null },
        { ["HTTP/1.1 100 Continue", "", "HTTP/1.1 103 Early Hints", "Link: </a>", "", .. Answer], null, null },
    };

    [Theory, MemberData(nameof(Good))]
    public void Accepts(string[] answer, string? subprotocol, string? extensions)
    {
        Replay(Of(answer), client =>
        {
            Assert.Equal((ClientHandshakeError.None, 101), (client.Error, client.StatusCode));
            Assert.Equal((subprotocol, extensions), (client.Subprotocol, client.Extensions));
        });
    }

    public static TheoryData<string[], string, string> Bad() => new()
    {
        { Without("Upgrade"), "UpgradeMissing", "websocket" },
        { [.. Without("Upgrade"), "Upgrade: h2c"], "UpgradeMissing", "websocket" },
        { [.. Without("Upgrade"), "Upgrade: websocket, h2c"], "UpgradeMissing", "websocket" },
        { [.. Answer, "Upgrade: websocket"], "UpgradeMissing", "websocket" },
        { Without("Connection"), "ConnectionMissing", "Connection" },
        { [.. Without("Connection"), "Connection: close"], "ConnectionMissing", "Connection" },
        { Without("Sec-WebSocket-Accept"), "AcceptMissing", "Sec-WebSocket-Accept" },
        { [.. Answer, "Sec-WebSocket-Accept: " + SampleAccept], "AcceptWrong", "Sec-WebSocket-Accept" },
        { [.. Without("Sec-WebSocket-Accept"), "Sec-WebSocket-Accept: " + SampleAccept.ToUpperInvariant()], "AcceptWrong", "does not fit" },
        { [.. Without("Sec-WebSocket-Accept"), "Sec-WebSocket-Accept: " + SampleKey], "AcceptWrong", "does not fit" },
        { [.. Answer, "Sec-WebSocket-Protocol: c"], "SubprotocolNotOffered", "'c'" },
        { [.. Answer, "Sec-WebSocket-Protocol: A"], "SubprotocolNotOffered", "'A'" },
        { [.. Answer, "Sec-WebSocket-Protocol:"], "SubprotocolNotOffered", "''" },
        { [.. Answer, "Sec-WebSocket-Protocol: a, b"], "SubprotocolNotOffered", "'a, b'" },
        { [.. Answer, "Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"], "SubprotocolRepeated", "more than one" },
        { ["HTTP/1.0 101 Switching Protocols", .. Answer[1..]], "MalformedResponse", "HTTP/1.0" },
        { ["HTTP/2.0 101 Switching Protocols", .. Answer[1..]], "MalformedResponse", "version" },
        { ["HTTP/1.1 1O1 Switching Protocols", .. Answer[1..]], "MalformedResponse", "status line" },
        { ["HTTP/1.1 1010", .. Answer[1..]], "MalformedResponse", "status line" },
        { ["HTTP/1.1 099 Low", .. Answer[1..]], "MalformedResponse", "status line" },
        { ["HTTP/1.1 600 High", .. Answer[1..]], "MalformedResponse", "status line" },
        { ["HTTP/1.1 101 a\rb", .. Answer[1..]], "MalformedResponse", "status line" },
        { ["HTTP/1.1", .. Answer[1..]], "MalformedResponse", "status line" },
        { ["SSH-2.0-OpenSSH_9.6"], "MalformedResponse", "status line" },
        { [.. Answer, "X: a", " folded"], "MalformedResponse", "white space" },
        { [.. Answer, "X: a\nY: b"], "MalformedResponse", "LF alone" },
        { [.. Answer, "X-Long: " + new string('a', 9000)], "MalformedResponse", "limit" },
        { ["HTTP/1.1 301 Moved Permanently", "Location: https://elsewhere.example/"], "Redirected", "https://elsewhere.example/" },
        { ["HTTP/1.1 307 Temporary Redirect"], "Redirected", "307 Temporary Redirect" },
        { ["HTTP/1.1 200 OK", "Content-Length: 0"], "UnexpectedStatus", "200 OK" },
        { ["HTTP/1.1 401 Unauthorized"], "UnexpectedStatus", "401 Unauthorized" },
        { ["HTTP/1.1 403"], "UnexpectedStatus", "403 instead" },
        { ["HTTP/1.0 503 Service Unavailable"], "UnexpectedStatus", "503" },
        { [.. Enumerable.Repeat(new[] { "HTTP/1.1 100 Continue", "" }, 9).SelectMany(x => x), .. Answer], "TooManyInterimResponses", "without end" },
    };

    [Theory, MemberData(nameof(Bad))]
    public void Refuses(string[] answer, string rule, string words)
    {
        Replay(Of(answer), client =>
        {
            Assert.Equal(rule, client.Error.ToString());
            Assert.Contains(words, client.ErrorMessage, StringComparison.Ordinal);
            if (rule is "Redirected" or "UnexpectedStatus") Assert.Equal(int.Parse(answer[0][9..12], null), client.StatusCode);
        });
    }

    [Fact]
    public void Refuses_what_was_not_asked_for()
    {
        foreach (var (line, rule) in new[]
        {
            ("Sec-WebSocket-Extensions: permessage-deflate", ClientHandshakeError.ExtensionNotOffered),
            ("Sec-WebSocket-Protocol: a", ClientHandshakeError.SubprotocolNotOffered),
        })
        {
            using var client = new ClientHandshake(new("ws://h"), ClientHandshakeOptions.None, ArrayPool<byte>.Shared, Nonce);
            Assert.Equal(HeadReadStatus.Invalid, client.TryRead(new(Of([.. Answer, line])), out _));
            Assert.Equal(rule, client.Error);
        }
    }

    [Fact]
    public void Says_so_where_the_server_hangs_up()
    {
        using var client = new ClientHandshake(new("ws://h"), ClientHandshakeOptions.None, ArrayPool<byte>.Shared, Nonce);
        Assert.Equal(HeadReadStatus.NeedMore, client.TryRead(new("HTTP/1.1 101"u8.ToArray()), out _));
        client.InputEnded();
        Assert.Equal(ClientHandshakeError.ConnectionEnded, client.Error);
        Assert.NotEmpty(client.ErrorMessage);
    }

    private static string[] Without(string name) => [.. Answer.Where(line => !line.StartsWith(name, StringComparison.Ordinal))];

    private static string Request(ClientHandshake client)
    {
        var output = new ArrayBufferWriter<byte>();
        client.WriteRequest(output);
        return Encoding.ASCII.GetString(output.WrittenSpan);
    }

    /// <summary>Reads the answer in every cut and as it drips in, with frames behind it; only where it is accepted they are left over.</summary>
    private static void Replay(byte[] answer, Action<ClientHandshake> check)
    {
        var options = new ClientHandshakeOptions(["a", "b"], "permessage-deflate; x, y");
        var pool = new TrackingArrayPool();
        byte[] followed = [.. answer, 0x81, 0x01, 0x41];
        foreach (var (_, bytes) in answer.Length < 2048 ? SequenceReplay.Cuts(followed) : [new("", SequenceReplay.Chunks(followed, 999))])
        {
            using var client = new ClientHandshake(new("ws://h"), options, pool, Nonce);
            if (client.TryRead(bytes, out var consumed) == HeadReadStatus.Complete) Assert.Equal(3, bytes.Slice(consumed).Length);
            check(client);
        }
        using (var client = new ClientHandshake(new("ws://h"), options, pool, Nonce))
        {
            int from = 0;
            var status = HeadReadStatus.NeedMore;
            for (int to = 0; to <= answer.Length && status == HeadReadStatus.NeedMore; to++)
            {
                var bytes = SequenceReplay.Whole(answer.AsSpan(from, to - from));
                status = client.TryRead(bytes, out var consumed);
                from += (int)bytes.Slice(bytes.Start, consumed).Length;
            }
            Assert.NotEqual(HeadReadStatus.NeedMore, status);
            check(client);
        }
        pool.AssertNothingRented();
    }
}
