using System.Buffers;
using FastChat.Handshake;
using FastChat.TestKit;
using static FastChat.Core.Tests.Handshake.Heads;

namespace FastChat.Core.Tests.Handshake;

public sealed class WebSocketRequestTests
{
    private static readonly byte[] Bytes = Of(
        ["GET /ws/caf%C3%A9?token=a%2Bb&tag=1&tag=2&flag HTTP/1.1", .. Upgrade[1..],
            "Origin: https://app.example", "Cookie: a=1", "Cookie: b=2", "Sec-WebSocket-Protocol: x, y", "sec-websocket-protocol: z"]);

    [Fact]
    public void Shows_what_a_handler_needs()
    {
        var pool = new TrackingArrayPool();
        var request = new WebSocketRequest(Read(pool));
        Check(request);
        request.Release();
        request.Release();
        pool.AssertNothingRented();
    }

    [Fact]
    public void Is_unreadable_once_released()
    {
        var request = new WebSocketRequest(Read(ArrayPool<byte>.Shared));
        Assert.Equal("/ws/café", request.Path);
        Assert.Equal(3, request.Subprotocols.Count);
        request.Release();
        Assert.Throws<InvalidOperationException>(() => request.Path);
        Assert.Throws<InvalidOperationException>(() => request.Query);
        Assert.Throws<InvalidOperationException>(() => request.Host);
        Assert.Throws<InvalidOperationException>(() => request.Origin);
        Assert.Throws<InvalidOperationException>(() => request.Subprotocols);
        Assert.Throws<InvalidOperationException>(() => request.Headers.Count());
        Assert.Throws<InvalidOperationException>(() => request.GetHeader("host"));
        Assert.Throws<InvalidOperationException>(() => request.TryGetQuery("tag", out _));
        Assert.Throws<InvalidOperationException>(() => request.GetQueryValues("tag"));
        Assert.Throws<InvalidOperationException>(request.Keep);
    }

    [Fact]
    public void Outlives_its_bytes_once_kept()
    {
        var pool = new TrackingArrayPool();
        var request = new WebSocketRequest(Read(pool));
        request.Keep();
        pool.AssertNothingRented();
        request.Release();
        request.Keep();
        Check(request);
    }

    [Fact]
    public void Can_be_made_of_what_another_server_received()
    {
        var headers = new WebSocketRequest(Read(ArrayPool<byte>.Shared)).Headers.ToList();
        Check(WebSocketRequest.Create("/ws/caf%C3%A9?token=a%2Bb&tag=1&tag=2&flag", headers));
        var bare = WebSocketRequest.Create("/" + new string('p', 20_000), []);
        Assert.Equal("", bare.Host);
        Assert.Equal(20_001, bare.Path.Length);
        Assert.Empty(bare.Subprotocols);
        Assert.Equal("é", WebSocketRequest.Create("/", [new("X", "é")]).GetHeader("x"));
    }

    [Theory]
    [InlineData("/", "X", "a\r\nY: b"), InlineData("/", "X", "a\r\n\r\nb"), InlineData("/", "X\r\nY", "a"), InlineData("/", "X Y", "a")]
    [InlineData("/ HTTP/1.1\r\nX: y\r\nZ:", "X", "a"), InlineData("x", "X", "a"), InlineData("/", "X", "\0"), InlineData("/", "", "")]
    [InlineData("/", "X", "a\r\n\r\nGET / HTTP/1.1\r\nX: a")]
    public void Cannot_be_made_of_what_is_no_request(string target, string name, string value) =>
        Assert.Throws<ArgumentException>(() => WebSocketRequest.Create(target, [new(name, value)]));

    private static void Check(WebSocketRequest request)
    {
        Assert.Equal("/ws/café", request.Path);
        Assert.Equal("token=a%2Bb&tag=1&tag=2&flag", request.Query);
        Assert.Equal("server.example", request.Host);
        Assert.Equal("https://app.example", request.Origin);
        Assert.Equal(["x", "y", "z"], request.Subprotocols);
        Assert.Equal("a=1; b=2", request.GetHeader("COOKIE"));
        Assert.Null(request.GetHeader("none"));
        Assert.Null(request.GetHeader("é"));
        Assert.Null(request.GetHeader(new string('n', 100)));
        Assert.Equal(10, request.Headers.Count());
        Assert.Equal(new("Host", "server.example"), request.Headers.First());
        Assert.True(request.TryGetQuery("token", out string? token));
        Assert.Equal("a+b", token);
        Assert.True(request.TryGetQuery("flag", out string? flag));
        Assert.Equal("", flag);
        Assert.False(request.TryGetQuery("Token", out _));
        Assert.Equal(["1", "2"], request.GetQueryValues("tag"));
    }

    private static HttpRequestHead Read(ArrayPool<byte> pool)
    {
        var head = HttpRequestHead.Rent(pool);
        Assert.Equal(HeadReadStatus.Complete, head.TryRead(Bytes, HttpHeadLimits.Default, out int _, out _));
        return head;
    }
}
