using System.Buffers;
using System.Text;
using FastChat.Handshake;
using FastChat.TestKit;
using static FastChat.Core.Tests.Handshake.Heads;

namespace FastChat.Core.Tests.Handshake;

public sealed class HttpRequestHeadTests
{
    public static TheoryData<string, string, string, string, string> RequestLines() => new()
    {
        // request line, method, path, query, host
        { "GET / HTTP/1.1", "GET", "/", "", "h:81" },
        { "GET /a/b?c=d&e HTTP/1.1", "GET", "/a/b", "c=d&e", "h:81" },
        { "DELETE /a?b?c HTTP/1.1", "DELETE", "/a", "b?c", "h:81" },
        { "POST /? HTTP/1.1", "POST", "/", "", "h:81" },
        { "get /%20 HTTP/1.1", "get", "/%20", "", "h:81" },
        { "PATCH //x HTTP/1.2", "PATCH", "//x", "", "h:81" },
        { "GET /a|b{c} HTTP/1.0", "GET", "/a|b{c}", "", "h:81" },
        { "OPTIONS * HTTP/1.1", "OPTIONS", "*", "", "h:81" },
        { "CONNECT example.com:443 HTTP/1.1", "CONNECT", "", "", "h:81" },
        { "GET http://other.example/p?q HTTP/1.1", "GET", "/p", "q", "other.example" },
        { "GET WS://other.example:8080 HTTP/1.1", "GET", "/", "", "other.example:8080" },
        { "GET https://[::1]:8443?q=/ HTTP/1.1", "GET", "/", "q=/", "[::1]:8443" },
        { "GET wss://o/a://b HTTP/1.1", "GET", "/a://b", "", "o" },
    };

    [Theory, MemberData(nameof(RequestLines))]
    public void Reads_every_form_of_request_line(string line, string method, string path, string query, string host)
    {
        var error = Replay(Of(line, "Host: h:81"), head =>
        {
            Assert.Equal(method, Text(head.Method));
            Assert.Equal(line.Split(' ')[1], Text(head.Target));
            Assert.Equal(path, Text(head.Path));
            Assert.Equal(query, Text(head.Query));
            Assert.Equal(host, Text(head.Host));
            Assert.Equal(!line.EndsWith("1.0", StringComparison.Ordinal), head.IsHttp11);
            Assert.False(head.HasBody);
        });
        Assert.Equal(HandshakeError.None, error);
    }

    public static TheoryData<string, string> BadRequestLines() => new()
    {
        { "GET /", "RequestLine" },
        { "GET", "RequestLine" },
        { "GET  HTTP/1.1", "RequestLine" },
        { "GET /  HTTP/1.1", "RequestLine" },
        { "GET  / HTTP/1.1", "RequestLine" },
        { "GET / x HTTP/1.1", "RequestLine" },
        { "GET\t/\tHTTP/1.1", "RequestLine" },
        { " GET / HTTP/1.1", "NotHttp" },
        { "\tGET / HTTP/1.1", "NotHttp" },
        { "\x16\x03\x01", "NotHttp" },
        { "\x81\x85", "NotHttp" },
        { "{}", "NotHttp" },
        { "G(T / HTTP/1.1", "Method" },
        { "G\0T / HTTP/1.1", "Method" },
        { "GET x HTTP/1.1", "Target" },
        { "GET * HTTP/1.1", "Target" },
        { "GET ?a HTTP/1.1", "Target" },
        { "GET h:80 HTTP/1.1", "Target" },
        { "GET ftp://h/ HTTP/1.1", "Target" },
        { "GET http:/h/ HTTP/1.1", "Target" },
        { "GET http:///p HTTP/1.1", "Target" },
        { "GET http://user@h/ HTTP/1.1", "Target" },
        { "GET http://h:x/ HTTP/1.1", "Target" },
        { "GET http://h:65536/ HTTP/1.1", "Target" },
        { "GET /a#b HTTP/1.1", "Target" },
        { "GET /\x7f HTTP/1.1", "Target" },
        { "GET /\0 HTTP/1.1", "Target" },
        { "GET /a\tb HTTP/1.1", "Target" },
        { "GET /a\rb HTTP/1.1", "Target" },
        { "GET /\xe9 HTTP/1.1", "Target" },
        { "CONNECT example.com HTTP/1.1", "Target" },
        { "CONNECT /p HTTP/1.1", "Target" },
        { "OPTIONS ** HTTP/1.1", "Target" },
        { "GET / http/1.1", "HttpVersion" },
        { "GET / HTTP/1", "HttpVersion" },
        { "GET / HTTP/1.10", "HttpVersion" },
        { "GET / HTTP/x.1", "HttpVersion" },
        { "GET / HTTP/1,1", "HttpVersion" },
        { "GET / HTTP/1.1\r", "HttpVersion" },
        { "GET / ICAP/1.1", "HttpVersion" },
        { "GET / HTTP/3.7", "HttpVersionNotSupported" },
        { "GET / HTTP/0.9", "HttpVersionNotSupported" },
        { "PRI * HTTP/2.0", "HttpVersionNotSupported" },
    };

    [Theory, MemberData(nameof(BadRequestLines))]
    public void Refuses_a_request_line(string line, string rule) => Assert.Equal(rule, Replay(Of(line, "Host: h")).ToString());

    public static TheoryData<string, string> BadFields() => new()
    {
        { "X-Folded: one\r\n two", "FieldFolded" },
        { "X-Folded:\r\n\tone", "FieldFolded" },
        { " X: leading", "FieldFolded" },
        { "X-Space : a", "SpaceBeforeColon" },
        { "X-Tab\t: a", "SpaceBeforeColon" },
        { "X-No-Colon", "FieldWithoutColon" },
        { "X No Colon", "FieldWithoutColon" },
        { ": a", "FieldName" },
        { "X(a): b", "FieldName" },
        { "X-N\0ul: ab", "FieldName" },
        { "X\x80: ab", "FieldName" },
        { "\"X\": ab", "FieldName" },
        { "X-Nul: a\0b", "FieldValue" },
        { "X-Ctl: a\x01\x7f" + "b", "FieldValue" },
        { "X-Del: \x7f", "FieldValue" },
        { "X-Esc: \x1b[31m", "FieldValue" },
        { "X-Cr: a\rb", "BareCarriageReturn" },
        { "X-Cr: a\r", "BareCarriageReturn" },
        { "X-Lf: a\nX-More: b", "BareLineFeed" },
        { "\nX: a", "BareLineFeed" },
        { "Host: other", "HostRepeated" },
        { "HOST: h", "HostRepeated" },
        { "Content-Length: ten", "ContentLength" },
        { "Content-Length: -1", "ContentLength" },
        { "Content-Length: +1", "ContentLength" },
        { "Content-Length: 0x10", "ContentLength" },
        { "Content-Length:", "ContentLength" },
        { "Content-Length: 5, 5", "ContentLength" },
        { "Content-Length: 5\r\nContent-Length: 5", "ContentLength" },
        { "Content-Length: 9223372036854775808", "ContentLength" },
        { "Content-Length: 5\r\nTransfer-Encoding: chunked", "ContentLengthAndTransferEncoding" },
        { "Transfer-Encoding: chunked\r\ncontent-length: 0", "ContentLengthAndTransferEncoding" },
        { "Transfer-Encoding: gzip, chunked", "TransferEncoding" },
        { "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "TransferEncoding" },
        { "Transfer-Encoding: identity", "TransferEncoding" },
    };

    [Theory, MemberData(nameof(BadFields))]
    public void Refuses_a_field(string line, string rule) => Assert.Equal(rule, Replay(PlainWith(line)).ToString());

    public static TheoryData<string, string> Hosts() => new()
    {
        { "h", "None" }, { "", "None" }, { "h:", "None" }, { "h:0", "None" }, { "127.0.0.1:65535", "None" }, { "[::1]", "None" },
        { "[2001:db8::1]:80", "None" }, { "a-b_c.example", "None" }, { "%41", "None" },
        { "a b", "HostInvalid" }, { "h:x", "HostInvalid" }, { "h:65536", "HostInvalid" }, { "h:1:2", "HostInvalid" }, { ":80", "HostInvalid" },
        { "[]", "HostInvalid" }, { "[::1", "HostInvalid" }, { "[::1]x", "HostInvalid" }, { "[g]", "HostInvalid" }, { "user@h", "HostInvalid" },
        { "h/p", "HostInvalid" }, { "h?", "HostInvalid" }, { "\xe9", "HostInvalid" }, { "h:+1", "HostInvalid" }, { "h: 1", "HostInvalid" },
    };

    [Theory, MemberData(nameof(Hosts))]
    public void Host_is_a_host_and_perhaps_a_port(string host, string rule) =>
        Assert.Equal(rule, Replay(Of("GET / HTTP/1.1", "Host: " + host)).ToString());

    [Fact]
    public void Host_is_missed_in_http_1_1_only()
    {
        Assert.Equal(HandshakeError.HostMissing, Replay(Of("GET / HTTP/1.1")));
        Assert.Equal(HandshakeError.HostMissing, Replay(Of("GET http://h/ HTTP/1.1")));
        Assert.Equal(HandshakeError.None, Replay(Of("GET / HTTP/1.0"), head => Assert.Equal("", Text(head.Host))));
        Assert.Equal(HandshakeError.TransferEncoding, Replay(Of("GET / HTTP/1.0", "Transfer-Encoding: chunked")));
    }

    [Fact]
    public void A_body_is_noticed()
    {
        Replay(PlainWith("Content-Length: 1"), head => Assert.True(head.HasBody));
        Replay(PlainWith("Content-Length: 000"), head => Assert.False(head.HasBody));
        Replay(PlainWith("Transfer-Encoding: Chunked"), head => Assert.True(head.HasBody));
    }

    [Fact]
    public void Fields_are_found_in_any_case_repeated_and_trimmed()
    {
        byte[] bytes = PlainWith("X-One: \t a b \t", "x-two:1", "X-Empty:", "X-TWO:\t2", "Cookie: a=1", "cookie: b=2", "List: a,, b ,", "list: ,c", "U: \xc3\xa9", "L: \xe9");
        var error = Replay(bytes, head =>
        {
            Assert.Equal(11, head.FieldCount);
            Assert.Equal("X-One", Text(head.FieldName(1)));
            Assert.Equal("a b", head.GetHeader("X-ONE"u8));
            Assert.Equal("1, 2", head.GetHeader("x-two"u8));
            Assert.Equal("a=1; b=2", head.GetHeader("Cookie"u8));
            Assert.Equal("", head.GetHeader("x-empty"u8));
            Assert.Null(head.GetHeader("x-none"u8));
            Assert.Equal("é", head.GetHeader("u"u8));
            Assert.Equal("é", head.GetHeader("l"u8));
            Assert.Equal(2, head.Count("X-Two"u8, out var first));
            Assert.Equal("1", Text(first));
            Assert.Equal(4, head.IndexOf("x-two"u8, 3));
            var elements = new List<string>();
            foreach (var element in head.List("LIST"u8)) elements.Add(Text(element));
            Assert.Equal(["a", "b", "c"], elements);
            Assert.True(head.ListContains("list"u8, "B"u8));
            Assert.False(head.ListContains("list"u8, ""u8));
        });
        Assert.Equal(HandshakeError.None, error);
    }

    [Fact]
    public void Empty_lines_before_the_request_line_are_skipped()
    {
        byte[] bytes = [.. "\r\n\r\n"u8, .. PlainWith("A: b")];
        Assert.Equal(HandshakeError.None, Replay(bytes, head => Assert.Equal("GET", Text(head.Method))));
        Assert.Equal(HandshakeError.BareLineFeed, Replay([.. "\n"u8, .. PlainWith()]));
        Assert.Equal(HandshakeError.BareLineFeed, Replay([.. "\r\n\n"u8, .. PlainWith()]));
    }

    [Fact]
    public void Lines_of_bare_line_feeds_are_refused_at_the_first()
    {
        byte[] bytes = Encoding.ASCII.GetBytes(string.Join('\n', Upgrade) + "\n\n");
        Assert.Equal(HandshakeError.BareLineFeed, Replay(bytes));
        using var head = HttpRequestHead.Rent(ArrayPool<byte>.Shared);
        Assert.Equal(HeadReadStatus.Invalid, head.TryRead(bytes.AsSpan(0, bytes.AsSpan().IndexOf((byte)'\n') + 1), HttpHeadLimits.Default, out _, out _));
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(40)]
    public void The_limit_is_on_the_whole_head(int room)
    {
        byte[] bytes = PlainWith("X: " + new string('a', 200));
        Assert.Equal(HandshakeError.None, Replay(bytes, null, new(bytes.Length + room)));
        Assert.Equal(HandshakeError.HeadTooLong, Replay(bytes, null, new(bytes.Length - 1 - room)));
    }

    [Fact]
    public void What_is_too_long_is_refused_before_it_is_complete_and_without_renting()
    {
        var pool = new TrackingArrayPool();
        foreach (var (start, rule) in new[] { ("GET /", HandshakeError.RequestLineTooLong), ("GET / HTTP/1.1\r\nX: ", HandshakeError.HeadTooLong) })
        {
            byte[] endless = Encoding.ASCII.GetBytes(start + new string('a', 1 << 20));
            Assert.Equal(rule, Replay(endless));
            using var head = HttpRequestHead.Rent(pool);
            Assert.Equal(HeadReadStatus.NeedMore, head.TryRead(endless.AsSpan(0, 8191), HttpHeadLimits.Default, out _, out _));
            Assert.Equal(HeadReadStatus.Invalid, head.TryRead(endless.AsSpan(0, 8192), HttpHeadLimits.Default, out _, out var error));
            Assert.Equal(rule, error);
        }
        Assert.Equal(0, pool.Rents);
    }

    [Fact]
    public void Fields_are_counted()
    {
        string[] lines = [.. Enumerable.Range(0, 49).Select(i => "a:")];
        Assert.Equal(HandshakeError.None, Replay(PlainWith(lines), head => Assert.Equal(50, head.FieldCount), new(8192, 50)));
        Assert.Equal(HandshakeError.TooManyFields, Replay(PlainWith([.. lines, "b:"]), null, new(8192, 50)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new HttpHeadLimits(8192, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new HttpHeadLimits(0));
    }

    [Fact]
    public void What_was_examined_is_not_examined_again()
    {
        // Line feeds written over the examined part would be refused if anything looked at it again.
        byte[] bytes = PlainWith("X-Long: " + new string('a', 500));
        using var head = HttpRequestHead.Rent(ArrayPool<byte>.Shared);
        for (int length = 1; length < bytes.Length; length++)
        {
            byte[] seen = bytes[..length];
            seen.AsSpan(0, length - 1).Fill((byte)'\n');
            Assert.Equal(HeadReadStatus.NeedMore, head.TryRead(seen, HttpHeadLimits.Default, out _, out _));
        }
    }

    [Fact]
    public void A_waiting_head_rents_nothing_and_a_disposed_one_serves_again()
    {
        var pool = new TrackingArrayPool();
        byte[] bytes = UpgradeWith();
        var head = HttpRequestHead.Rent(pool);
        Assert.Equal(HeadReadStatus.NeedMore, head.TryRead(bytes.AsSpan(0, bytes.Length - 1), HttpHeadLimits.Default, out _, out _));
        Assert.Equal(0, pool.Rents);
        Assert.Equal(HeadReadStatus.Complete, head.TryRead(bytes, HttpHeadLimits.Default, out int consumed, out _));
        Assert.Equal(bytes.Length, consumed);
        Assert.Equal(1, pool.Outstanding);
        var copy = head.Clone();
        head.Reset();
        Assert.Equal(HeadReadStatus.Complete, head.TryRead(PlainWith(), HttpHeadLimits.Default, out _, out _));
        Assert.Equal(1, head.FieldCount);
        head.Dispose();
        head.Dispose();
        pool.AssertNothingRented();
        Assert.Equal("/chat", Text(copy.Path));
        Assert.Equal(SampleKey, copy.GetHeader("sec-websocket-key"u8));
    }

    [Fact]
    public void A_path_is_decoded_into_scratch_only_where_it_must()
    {
        Span<byte> scratch = stackalloc byte[64];
        using var head = HttpRequestHead.Rent(ArrayPool<byte>.Shared);
        head.TryRead(Of("GET /a%20b%2Fc HTTP/1.1", "Host: h"), HttpHeadLimits.Default, out int _, out _);
        Assert.Equal("/a b%2Fc", Text(head.DecodePath(scratch)));
        head.Reset();
        head.TryRead(Of("GET /plain HTTP/1.1", "Host: h"), HttpHeadLimits.Default, out int _, out _);
        Assert.True(head.DecodePath(default).Overlaps(head.Path));
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
