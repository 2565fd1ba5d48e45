using System.Text;
using FastChat.Connections;
using FastChat.Core.Tests.Connections;
using FastChat.Core.Tests.Handshake;
using FastChat.Core.Tests.Protocol;
using FastChat.Handshake;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using FastChat.TestKit;
using FastChat.Transport;

namespace FastChat.Core.Tests;

/// <summary>The client's side of opening a connection, without a network, on a clock that stands still, against a server made of octets.</summary>
public sealed class WebSocketClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly Uri Url = new("ws://server.example:8080/chat?a=1");

    private readonly TrackingArrayPool _pool = new();
    private readonly FakeTimeProvider _time = new();
    private RawPeer? _server;

    [Fact]
    public async Task It_asks_as_told_and_reads_what_comes_right_behind_the_answer()
    {
        await using var client = Client(options =>
        {
            options.Headers = [new("Authorization", "Bearer t")];
            options.Subprotocols = ["v1", "v2"];
        });
        var connecting = client.ConnectAsync(Url);
        string head = await Server.HeadAsync();
        Assert.StartsWith("GET /chat?a=1 HTTP/1.1\r\nHost: server.example:8080\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nAuthorization: Bearer t\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nSec-WebSocket-Protocol: v1, v2\r\n", head, StringComparison.Ordinal);
        Assert.DoesNotContain("Extensions", head, StringComparison.Ordinal);
        await Server.SendAsync(Answer(head, "Sec-WebSocket-Protocol: v2"), Frames.Text(EndpointRole.Client, "at once"u8), Frames.Close(EndpointRole.Client, 1000));
        var connection = await connecting.WaitAsync(Patience);
        Assert.Equal("v2", connection.Subprotocol);
        Assert.Equal("at once", (await connection.ReadMessageAsync().AsTask().WaitAsync(Patience))!.Value.GetText());
        var end = connection.ReadMessageAsync().AsTask();
        Assert.Equal("Close:1000", await Server.NextAsync());
        await Server.EndAsync();
        Assert.Null(await end.WaitAsync(Patience));
        await connection.Completion.WaitAsync(Patience);
        await EndAsync();
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 403)]
    [InlineData("HTTP/1.1 301 Moved\r\nLocation: ws://evil.example/\r\n\r\n", 301)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", 101)]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n", 0)]
    [InlineData("HTTP/1.1 101 Swi", 0)]
    [InlineData("", 0)]
    public async Task An_answer_that_is_not_the_right_one_is_an_exception_and_the_end(string answer, int status)
    {
        await using var client = Client();
        var connecting = client.ConnectAsync(Url);
        await Server.HeadAsync();
        await Server.SendAsync(Encoding.ASCII.GetBytes(answer));
        await Server.EndAsync();
        var refused = await Assert.ThrowsAsync<WebSocketConnectException>(() => connecting.WaitAsync(Patience));
        Assert.Equal(status, refused.StatusCode);
        Assert.Equal("reset", (await Server.AllAsync())[^1]);
        await EndAsync();
    }

    [Theory]
    [InlineData("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7")]
    [InlineData("Sec-WebSocket-Extensions: x-unheard-of")]
    public async Task Extensions_that_were_not_offered_are_refused(string header)
    {
        await using var client = Client(options => options.Compression = new PerMessageDeflateOptions());
        var connecting = client.ConnectAsync(Url);
        string head = await Server.HeadAsync();
        Assert.Contains("Sec-WebSocket-Extensions: permessage-deflate", head, StringComparison.Ordinal);
        await Server.SendAsync(Answer(head, header));
        await Assert.ThrowsAsync<WebSocketConnectException>(() => connecting.WaitAsync(Patience));
        await EndAsync();
    }

    [Fact]
    public async Task Compression_is_spoken_where_the_server_agrees_and_only_there()
    {
        await using var client = Client(options => options.Compression = new PerMessageDeflateOptions { Threshold = 0 });
        foreach (bool agreed in (bool[])[true, false])
        {
            var connecting = client.ConnectAsync(Url);
            string head = await Server.HeadAsync();
            await Server.SendAsync(agreed ? Answer(head, "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover") : Answer(head));
            var connection = await connecting.WaitAsync(Patience);
            Assert.Equal(agreed, connection.IsCompressed);
            if (agreed) // RFC 7692 section 7.2.3.1: "Hello"
            {
                await Server.SendAsync(Frames.Frame(EndpointRole.Client, Opcode.Text, Convert.FromHexString("F248CDC9C90700"), rsv: 4));
                Assert.Equal("Hello", (await connection.ReadMessageAsync().AsTask().WaitAsync(Patience))!.Value.GetText());
            }
            connection.Abort();
            Assert.Null(await connection.ReadMessageAsync().AsTask().WaitAsync(Patience));
            await connection.Completion.WaitAsync(Patience);
            await EndAsync();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n")]
    public async Task A_server_that_does_not_answer_in_time_is_given_up(string soFar)
    {
        await using var client = Client(options => options.ConnectTimeout = TimeSpan.FromSeconds(5));
        var connecting = client.ConnectAsync(Url);
        await Server.HeadAsync();
        if (soFar.Length > 0) await Server.SendAsync(Encoding.ASCII.GetBytes(soFar));
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(connecting.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        var late = await Assert.ThrowsAsync<WebSocketConnectException>(() => connecting.WaitAsync(Patience));
        Assert.Contains("within 5 s", late.Message, StringComparison.Ordinal);
        Assert.Equal("reset", (await Server.AllAsync())[^1]);
        await EndAsync();
    }

    [Fact]
    public async Task Connecting_can_be_cancelled_and_a_token_means_nothing_afterwards()
    {
        await using var client = Client();
        using var stop = new CancellationTokenSource();
        var connecting = client.ConnectAsync(Url, cancellationToken: stop.Token);
        await Server.HeadAsync();
        await stop.CancelAsync();
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WaitAsync(Patience));
        Assert.Equal(stop.Token, cancelled.CancellationToken);
        Assert.Equal("reset", (await Server.AllAsync())[^1]);
        await EndAsync();

        using var later = new CancellationTokenSource();
        connecting = client.ConnectAsync(Url, cancellationToken: later.Token);
        await Server.SendAsync(Answer(await Server.HeadAsync()));
        var connection = await connecting.WaitAsync(Patience);
        await later.CancelAsync();
        await connection.SendTextAsync("still here");
        Assert.Equal("Text:still here", await Server.NextAsync());
        connection.Abort();
        await connection.Completion.WaitAsync(Patience);
        await EndAsync();
    }

    [Fact]
    public async Task What_can_be_told_before_connecting_is_an_argument_exception()
    {
        await using var client = Client();
        foreach (string uri in (string[])["ftp://h/", "ws://h/#part", "ws://user:secret@h/"])
            await Assert.ThrowsAsync<ArgumentException>(() => client.ConnectAsync(new Uri(uri)));
        Assert.Throws<ArgumentException>(() => Client(options => options.Headers = [new("Upgrade", "h2c")]));
        Assert.Throws<ArgumentException>(() => Client(options => options.Headers = [new("X", "two\r\nlines")]));
        Assert.Throws<ArgumentException>(() => Client(options => options.Subprotocols = ["not a token"]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Client(options => options.ConnectTimeout = TimeSpan.Zero));
    }

    private RawPeer Server => _server ?? throw new InvalidOperationException("The client has not connected.");

    private WebSocketClient Client(Action<WebSocketClientOptions>? configure = null)
    {
        var options = new WebSocketClientOptions
        {
            Pool = _pool,
            TimeProvider = _time,
            Connect = (_, _) =>
            {
                var (near, far) = InMemoryTransport.CreatePair(pool: _pool);
                _server = new RawPeer(far, EndpointRole.Client);
                return new(near);
            },
        };
        configure?.Invoke(options);
        return new WebSocketClient(options);
    }

    private static byte[] Answer(string head, params string[] more)
    {
        string key = head.Split("Sec-WebSocket-Key: ")[1].Split("\r\n")[0];
        byte[] accept = new byte[AcceptKey.Length];
        AcceptKey.Compute(Encoding.ASCII.GetBytes(key), accept);
        return Heads.Of(["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", $"Sec-WebSocket-Accept: {Encoding.ASCII.GetString(accept)}", .. more]);
    }

    /// <summary>Takes the server's end away; nothing may be left of the connection then.</summary>
    private async Task EndAsync()
    {
        await Server.DisposeAsync();
        await WebSocketServerTests.Until(() => _pool.Outstanding == 0);
        _pool.AssertNothingRented();
    }
}
