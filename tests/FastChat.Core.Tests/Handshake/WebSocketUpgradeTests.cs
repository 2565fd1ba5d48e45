using System.Buffers;
using System.Text;
using FastChat.Handshake;
using static FastChat.Core.Tests.Handshake.Heads;

namespace FastChat.Core.Tests.Handshake;

public sealed class WebSocketUpgradeTests
{
    public static TheoryData<string, byte[]> Good() => new()
    {
        { "plain", UpgradeWith() },
        { "names in lower case", Of([.. Upgrade.Select((line, i) => i == 0 ? line : line.Split(':')[0].ToLowerInvariant() + ":" + line.Split(':', 2)[1])]) },
        { "names in upper case", Of([.. Upgrade.Select((line, i) => i == 0 ? line : line.Split(':')[0].ToUpperInvariant() + ":" + line.Split(':', 2)[1])]) },
        { "another order", Of([Upgrade[0], .. Upgrade[1..].Reverse()]) },
        { "values in another case", UpgradeBut("Upgrade", "Upgrade: WebSocket") },
        { "a list in Connection", UpgradeBut("Connection", "Connection: keep-alive, Upgrade") },
        { "a list without blanks", UpgradeBut("Connection", "Connection:upgrade,keep-alive") },
        { "Connection in two lines", UpgradeBut("Connection", "Connection: keep-alive", "Connection: Upgrade") },
        { "a list in Upgrade", UpgradeBut("Upgrade", "Upgrade: x-other/2, websocket") },
        { "no blanks", Of([.. Upgrade.Select(line => line.Replace(": ", ":", StringComparison.Ordinal))]) },
        { "many blanks", Of([.. Upgrade.Select((line, i) => i == 0 ? line : line.Replace(": ", ": \t  ", StringComparison.Ordinal) + " \t ")]) },
        { "an empty body", UpgradeWith("Content-Length: 0") },
        { "an absolute target", UpgradeTo("GET ws://server.example/chat HTTP/1.1") },
        { "a query", UpgradeTo("GET /chat?a=1&b=%20c HTTP/1.1") },
        { "an empty line in front", [.. "\r\n"u8, .. UpgradeWith()] },
        { "a key whose last bits are not zero", UpgradeBut("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODx==") },
        { "6 KiB of cookies", UpgradeWith("Cookie: " + new string('a', 6144)) },
    };

    [Theory, MemberData(nameof(Good))]
    public void Accepts(string about, byte[] bytes)
    {
        var error = Replay(bytes, head =>
        {
            Assert.Equal(UpgradeVerdict.Accepted, WebSocketUpgrade.Validate(head, UpgradeRules.None, out var why, out string? subprotocol));
            Assert.Equal(HandshakeError.None, why);
            Assert.Null(subprotocol);
        });
        Assert.True(error == HandshakeError.None, about);
    }

    public static TheoryData<byte[], string, int> Bad() => new()
    {
        { UpgradeTo("POST /chat HTTP/1.1"), "UpgradeMethod", 405 },
        { UpgradeTo("get /chat HTTP/1.1"), "UpgradeMethod", 405 },
        { UpgradeTo("OPTIONS * HTTP/1.1"), "UpgradeMethod", 405 },
        { UpgradeTo("GET /chat HTTP/1.0"), "UpgradeHttpVersion", 505 },
        { UpgradeWith("Content-Length: 1"), "UpgradeBody", 400 },
        { UpgradeWith("Transfer-Encoding: chunked"), "UpgradeBody", 400 },
        { UpgradeBut("Connection"), "ConnectionWithoutUpgrade", 400 },
        { UpgradeBut("Connection", "Connection: keep-alive"), "ConnectionWithoutUpgrade", 400 },
        { UpgradeBut("Connection", "Connection: close"), "ConnectionWithoutUpgrade", 400 },
        { UpgradeBut("Connection", "Connection: Upgraded, no-Upgrade"), "ConnectionWithoutUpgrade", 400 },
        { UpgradeBut("Sec-WebSocket-Version"), "WebSocketVersionMissing", 400 },
        { UpgradeWith("Sec-WebSocket-Version: 13"), "WebSocketVersionRepeated", 400 },
        { UpgradeBut("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), "WebSocketVersionNotSupported", 426 },
        { UpgradeBut("Sec-WebSocket-Version", "Sec-WebSocket-Version: 12"), "WebSocketVersionNotSupported", 426 },
        { UpgradeBut("Sec-WebSocket-Version", "Sec-WebSocket-Version: 14"), "WebSocketVersionNotSupported", 426 },
        { UpgradeBut("Sec-WebSocket-Version", "Sec-WebSocket-Version: abc"), "WebSocketVersionNotSupported", 426 },
        { UpgradeBut("Sec-WebSocket-Version", "Sec-WebSocket-Version: 013"), "WebSocketVersionNotSupported", 426 },
        { UpgradeBut("Sec-WebSocket-Version", "Sec-WebSocket-Version:"), "WebSocketVersionNotSupported", 426 },
        { UpgradeBut("Sec-WebSocket-Version", "Sec-WebSocket-Version: 13, 8"), "WebSocketVersionNotSupported", 426 },
        { UpgradeBut("Sec-WebSocket-Key"), "KeyMissing", 400 },
        { UpgradeWith("sec-websocket-key: " + SampleKey), "KeyRepeated", 400 },
        { UpgradeBut("Sec-WebSocket-Key", "Sec-WebSocket-Key:"), "KeyInvalid", 400 },
        { UpgradeBut("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0O"), "KeyInvalid", 400 },
        { UpgradeBut("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODxA="), "KeyInvalid", 400 },
        { UpgradeBut("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODxAR"), "KeyInvalid", 400 },
        { UpgradeBut("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw"), "KeyInvalid", 400 },
        { UpgradeBut("Sec-WebSocket-Key", "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="), "KeyInvalid", 400 },
        { UpgradeBut("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw= ="), "KeyInvalid", 400 },
        { UpgradeBut("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAECAwQF BgcICQoL A0ODw=="), "KeyInvalid", 400 },
        { UpgradeBut("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0OD_=="), "KeyInvalid", 400 },
        { UpgradeWith("Sec-WebSocket-Protocol: a b"), "SubprotocolInvalid", 400 },
        { UpgradeWith("Sec-WebSocket-Protocol: a, \"b\""), "SubprotocolInvalid", 400 },
        { UpgradeWith("Origin: http://a", "Origin: http://b"), "OriginRepeated", 400 },
    };

    [Theory, MemberData(nameof(Bad))]
    public void Refuses(byte[] bytes, string rule, int status)
    {
        var error = Replay(bytes, head =>
        {
            Assert.Equal(UpgradeVerdict.Refused, WebSocketUpgrade.Validate(head, UpgradeRules.None, out var why, out string? subprotocol));
            Assert.Equal(rule, why.ToString());
            Assert.Equal(status, why.Status());
            Assert.Null(subprotocol);
        });
        Assert.Equal(HandshakeError.None, error);
    }

    [Theory]
    [InlineData("Upgrade: h2c"), InlineData("Upgrade: websockets"), InlineData("Upgrade: web socket"), InlineData("Upgrade:")]
    [InlineData("Upgrade: websocket/13"), InlineData("X-Upgrade: websocket")]
    public void Leaves_what_is_no_upgrade_to_others(string line)
    {
        Assert.Equal(HandshakeError.None, Replay(UpgradeBut("Upgrade", line), head =>
        {
            Assert.Equal(UpgradeVerdict.NotAnUpgrade, WebSocketUpgrade.Validate(head, UpgradeRules.None, out var error, out _));
            Assert.Equal(426, error.Status());
        }));
    }

    [Theory]
    [InlineData("b", "Sec-WebSocket-Protocol: a, b", "b")]
    [InlineData("b a", "Sec-WebSocket-Protocol: a, b", "b")]
    [InlineData("a b", "Sec-WebSocket-Protocol: b\r\nsec-websocket-protocol:c,a", "a")]
    [InlineData("A", "Sec-WebSocket-Protocol: a", null)]
    [InlineData("a", "Sec-WebSocket-Protocol: ab, nope.v1", null)]
    [InlineData("a", "Sec-WebSocket-Protocol:", null)]
    [InlineData("a", "X: a", null)]
    [InlineData("", "Sec-WebSocket-Protocol: a", null)]
    public void The_server_chooses_the_subprotocol_it_likes_best(string spoken, string line, string? chosen)
    {
        var rules = new UpgradeRules(null, spoken.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(HandshakeError.None, Replay(UpgradeWith(line), head =>
        {
            Assert.Equal(UpgradeVerdict.Accepted, WebSocketUpgrade.Validate(head, rules, out _, out string? subprotocol));
            Assert.Equal(chosen, subprotocol);
        }));
    }

    [Theory]
    [InlineData("a b"), InlineData(""), InlineData("a,b"), InlineData("é")]
    public void A_subprotocol_of_the_server_is_a_token(string name) =>
        Assert.Throws<ArgumentException>(() => new UpgradeRules(null, [name]));

    [Fact]
    public void A_subprotocol_of_the_server_comes_once() => Assert.Throws<ArgumentException>(() => new UpgradeRules(null, ["a", "b", "a"]));

    [Theory]
    [InlineData("https://app.example", true)]
    [InlineData("HTTPS://APP.Example:443", true)]
    [InlineData("https://evil.example", false)]
    [InlineData("null", false)]
    [InlineData("", false)]
    [InlineData(null, true)]
    public void An_origin_that_is_not_listed_is_forbidden(string? origin, bool allowed)
    {
        var rules = new UpgradeRules(new OriginPolicy(["https://app.example"]));
        byte[] bytes = origin is null ? UpgradeWith() : UpgradeWith("Origin: " + origin);
        Assert.Equal(HandshakeError.None, Replay(bytes, head =>
        {
            var verdict = WebSocketUpgrade.Validate(head, rules, out var error, out _);
            Assert.Equal(allowed ? UpgradeVerdict.Accepted : UpgradeVerdict.Refused, verdict);
            Assert.Equal(allowed ? HandshakeError.None : HandshakeError.OriginNotAllowed, error);
            if (!allowed) Assert.Equal(403, error.Status());
        }));
    }

    [Fact]
    public void A_handshake_allocates_nothing()
    {
        byte[] bytes = UpgradeWith("Origin: https://app.example", "Sec-WebSocket-Protocol: a, b", "User-Agent: test", "Cookie: a=b");
        var rules = new UpgradeRules(new OriginPolicy(["https://app.example"]), ["b"]);
        var output = new ArrayBufferWriter<byte>(4096);
        // Tests that run beside this one share the spare heads and may take one away: the best of many rounds counts.
        long least = long.MaxValue;
        for (int round = 0; round < 50 && least > 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 20; i++) Handshake();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
        Assert.Equal(SampleAccept, Encoding.ASCII.GetString(output.WrittenSpan).Split("Accept: ")[1][..28]);

        void Handshake()
        {
            using var head = HttpRequestHead.Rent(ArrayPool<byte>.Shared);
            head.TryRead(bytes, HttpHeadLimits.Default, out int _, out _);
            WebSocketUpgrade.Validate(head, rules, out _, out string? subprotocol);
            output.ResetWrittenCount();
            UpgradeResponse.WriteAccepted(output, head, subprotocol, "permessage-deflate");
        }
    }
}
