using System.Buffers;
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
using Microsoft.Extensions.Logging;

namespace FastChat.Core.Tests;

/// <summary>The server's side of the handshake, its limits and its end, without a network.</summary>
public sealed class WebSocketServerTests
{
    private const EndpointRole S = EndpointRole.Server;
    private static readonly TimeSpan Patience = ServerHarness.Patience;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_client_that_does_not_wait_for_the_answer_is_served()
    {
        await using var harness = await new ServerHarness().StartAsync();
        var (peer, head) = await harness.AskAsync([.. Heads.UpgradeWith(), .. Frames.Text(S, "at once"u8), .. Frames.Close(S, 1000)]);
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        Assert.Equal(["Text:at once", "Close:1000", "end"], await peer.AllAsync());
    }

    [Fact]
    public async Task A_head_may_come_byte_by_byte()
    {
        await using var harness = await new ServerHarness().StartAsync();
        var peer = harness.Connect();
        foreach (byte b in Heads.UpgradeWith()) await peer.SendAsync([b]);
        Assert.StartsWith("HTTP/1.1 101 ", await peer.HeadAsync(), StringComparison.Ordinal);
        await peer.SendTextAsync("here");
        Assert.Equal("Text:here", await peer.NextAsync());
    }

    public static TheoryData<string, int, string?> Refusals => new()
    {
        { "GET /chat HTTP/1.1|Host: h", 426, "Upgrade: websocket" },
        { "GET /nothing HTTP/1.1|Host: h|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Version: 13", 404, null },
        { "POST /chat HTTP/1.1|Host: h|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Version: 13", 405, "Allow: GET" },
        { "GET /chat HTTP/1.1|Host: h|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Version: 12", 426, "Sec-WebSocket-Version: 13" },
        { "GET /chat HTTP/1.1|Host: h|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Key: short|Sec-WebSocket-Version: 13", 400, null },
        { "GET /chat HTTP/1.1|Host: h|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Version: 13|Sec-WebSocket-Extensions: ;;", 400, null },
        { "GET http://h HTTP/1.1|Host: h|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Version: 13", 404, null },
        { "\0\u0001\u0002\u0003", 400, null },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_is_no_proper_upgrade_is_refused_with_its_status(string lines, int status, string? header)
    {
        await using var harness = await new ServerHarness(null, ("/chat", LambdaHandler.Echo()), ("/{a}/{b}", LambdaHandler.Echo())).StartAsync();
        var (peer, head) = await harness.AskAsync(Heads.Of(lines.Split('|')));
        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        Assert.Contains("Connection: ", head, StringComparison.Ordinal);
        if (header is not null) Assert.Contains(header + "\r\n", head, StringComparison.Ordinal);
        Assert.NotEmpty(await peer.RestAsync());
        var line = Assert.Single(harness.Log.Of(12));
        Assert.Equal(LogLevel.Debug, line.Level);
        Assert.Contains($"{status}", line.Text, StringComparison.Ordinal);
        await peer.EndAsync();
    }

    [Fact]
    public async Task A_head_over_the_limit_is_431_before_it_ends()
    {
        await using var harness = await new ServerHarness(options => options.MaxHeadBytes = 1000).StartAsync();
        var peer = harness.Connect();
        await peer.SendAsync(Encoding.ASCII.GetBytes($"GET /chat HTTP/1.1\r\nHost: h\r\nX: {new string('x', 1500)}"));
        Assert.StartsWith("HTTP/1.1 431 ", await peer.HeadAsync(), StringComparison.Ordinal);
        Assert.InRange(harness.Pool.PeakBytes, 0, 20_000);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /chat HTTP/1.1\r\nHost: h\r\n")]
    public async Task A_head_that_does_not_come_in_time_is_408_and_the_end(string soFar)
    {
        await using var harness = await new ServerHarness().StartAsync();
        var peer = harness.Connect();
        if (soFar.Length > 0) await peer.SendAsync(Encoding.ASCII.GetBytes(soFar));
        harness.Time.Advance(9 * Second);
        Assert.Equal(1, harness.Server.Connections);
        harness.Time.Advance(1.5 * Second);
        Assert.StartsWith("HTTP/1.1 408 ", await peer.HeadAsync(), StringComparison.Ordinal);
        harness.Time.Advance(3 * Second); // whoever does not end the stream then is cut off
        await peer.RestAsync();
    }

    [Fact]
    public async Task A_peer_that_vanishes_during_its_handshake_is_logged_at_Debug()
    {
        await using var harness = await new ServerHarness().StartAsync();
        var peer = harness.Connect();
        await peer.SendAsync("GET /ch"u8.ToArray());
        await peer.EndAsync();
        Assert.Equal("", await peer.RestAsync());
        Assert.Equal(LogLevel.Debug, Assert.Single(harness.Log.Of(13)).Level);
    }

    [Fact]
    public async Task Route_values_query_and_state_reach_the_handler()
    {
        var handler = new Gatekeeper(request =>
        {
            request.State = $"seen {request.RouteValues["room"]}";
            return null;
        });
        await using var harness = await new ServerHarness(null, ("/rooms/{room}", handler)).StartAsync();
        var peer = await harness.OpenAsync("/rooms/bl%C3%BC?token=t%201");
        Assert.Equal("Text:blü|t 1|seen blü|False", await peer.NextAsync());
        await peer.SendTextAsync("later");
        Assert.Equal("Text:blü|released|seen blü|False", await peer.NextAsync());
    }

    [Fact]
    public async Task A_handler_may_refuse_an_upgrade_with_its_own_answer()
    {
        var handler = new Gatekeeper(_ => new UpgradeRefusal(401, "who are you?", [new("WWW-Authenticate", "Bearer")]));
        await using var harness = await new ServerHarness(null, ("/chat", handler)).StartAsync();
        var (peer, head) = await harness.AskAsync(Heads.UpgradeWith());
        Assert.StartsWith("HTTP/1.1 401 ", head, StringComparison.Ordinal);
        Assert.Contains("WWW-Authenticate: Bearer\r\n", head, StringComparison.Ordinal);
        Assert.Equal("who are you?", await peer.RestAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_that_throws_over_an_upgrade_is_500_and_logged(bool malformedRefusal)
    {
        var handler = new Gatekeeper(_ => malformedRefusal ? new UpgradeRefusal(101, "no refusal") : throw new FormatException("of the gatekeeper"));
        await using var harness = await new ServerHarness(null, ("/chat", handler)).StartAsync();
        var (peer, head) = await harness.AskAsync(Heads.UpgradeWith());
        Assert.StartsWith("HTTP/1.1 500 ", head, StringComparison.Ordinal);
        Assert.DoesNotContain("gatekeeper", await peer.RestAsync(), StringComparison.Ordinal);
        Assert.Single(harness.Log.Lines, line => line.Level == LogLevel.Error);
    }

    [Theory]
    [InlineData(null, 101)]
    [InlineData("https://chat.example.org", 101)]
    [InlineData("https://evil.example.org", 403)]
    [InlineData("null", 403)]
    public async Task Pages_of_other_origins_are_refused(string? origin, int status)
    {
        await using var harness = await new ServerHarness(options => options.AllowedOrigins = ["https://chat.example.org"]).StartAsync();
        var (_, head) = await harness.AskAsync(origin is null ? Heads.UpgradeWith() : Heads.UpgradeWith($"Origin: {origin}"));
        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_of_our_subprotocols_that_is_offered_is_chosen()
    {
        await using var harness = await new ServerHarness(options => options.Subprotocols = ["v2", "v1"], ("/chat", new Gatekeeper(_ => null))).StartAsync();
        var (peer, head) = await harness.AskAsync(Heads.UpgradeWith("Sec-WebSocket-Protocol: v1, v3", "Sec-WebSocket-Protocol: v2"));
        Assert.Contains("Sec-WebSocket-Protocol: v2\r\n", head, StringComparison.Ordinal);
        Assert.Equal("Text:||v2|False", await peer.NextAsync());
        (_, head) = await harness.AskAsync(Heads.UpgradeWith("Sec-WebSocket-Protocol: v3"));
        Assert.DoesNotContain("Sec-WebSocket-Protocol", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compression_is_agreed_on_where_both_want_it()
    {
        const string Offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
        await using (var harness = await new ServerHarness(options => options.Compression = new PerMessageDeflateOptions(), ("/chat", new Gatekeeper(_ => null))).StartAsync())
        {
            var (peer, head) = await harness.AskAsync(Heads.UpgradeWith(Offer));
            Assert.Contains("Sec-WebSocket-Extensions: permessage-deflate", head, StringComparison.Ordinal);
            Assert.Equal("Text:|||True", await peer.NextAsync());
            await peer.SendAsync(Frames.Frame(S, Opcode.Text, Convert.FromHexString("F248CDC9C90700"), rsv: 4));
            Assert.Equal("Text:|released||True", await peer.NextAsync());
        }
        await using var plain = await new ServerHarness().StartAsync();
        Assert.DoesNotContain("Extensions", (await plain.AskAsync(Heads.UpgradeWith(Offer))).Head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_fallback_gets_what_is_not_ours_with_its_bytes_unread()
    {
        var handedOn = new TaskCompletionSource<TransportConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        ServerHarness? started = null;
        await using var harness = started = await new ServerHarness(options => options.Fallback = transport =>
        {
            started!.Time.Advance(60 * Second); // it is not the handshake's any more
            handedOn.SetResult(transport);
        }).StartAsync();
        byte[] request = [.. Heads.PlainWith("Content-Length: 4"), .. "body"u8];
        var peer = harness.Connect();
        await peer.SendAsync(request[..10]);
        await peer.SendAsync(request[10..]);
        var transport = await handedOn.Task.WaitAsync(Patience);
        var result = await transport.Input.ReadAtLeastAsync(request.Length).AsTask().WaitAsync(Patience);
        Assert.Equal(request, result.Buffer.ToArray());
        transport.Input.AdvanceTo(result.Buffer.End);
        await transport.Output.WriteAsync("answer"u8.ToArray()).AsTask().WaitAsync(Patience);
        harness.Time.Advance(60 * Second); // it is not the handshake's any more
        await transport.DisposeAsync();
        Assert.Equal("answer", await peer.RestAsync());
        // An upgrade to a path of ours stays here, one to another path does not.
        await harness.OpenAsync();
    }

    [Fact]
    public async Task A_connection_that_opens_while_the_server_is_disposed_of_is_aborted_too()
    {
        var disposing = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        var clock = new Interrupted();
        var harness = await new ServerHarness(options => options.TimeProvider = clock).StartAsync();
        // The handshake reads the clock first, and the connection when it is made: in between nobody sees it.
        clock.AtNextButOne = () => disposing.SetResult(harness.Server.DisposeAsync().AsTask());
        await harness.Connect().SendAsync(Heads.Of(Heads.Upgrade));
        await (await disposing.Task.WaitAsync(Patience)).WaitAsync(Patience);
        await harness.DisposeAsync();
    }

    [Fact]
    public async Task One_connection_too_many_is_503_until_another_has_ended()
    {
        var closed = new SemaphoreSlim(0);
        var handler = new LambdaHandler((c, m) => c.SendAsync(m)) { OnClosed = _ => { closed.Release(); return default; } };
        await using var harness = await new ServerHarness(options => options.MaxConnections = 2, ("/chat", handler)).StartAsync();
        var first = await harness.OpenAsync();
        var second = harness.Connect(); // a handshake counts too
        Assert.Equal(2, harness.Server.Connections);
        var third = harness.Connect();
        string head = await third.HeadAsync();
        Assert.StartsWith("HTTP/1.1 503 ", head, StringComparison.Ordinal);
        Assert.Contains("Retry-After: ", head, StringComparison.Ordinal);
        await third.RestAsync();
        await first.SendCloseAsync(1000);
        await first.AllAsync();
        await first.EndAsync();
        await closed.WaitAsync(Patience);
        await Until(() => harness.Server.Connections == 1);
        await harness.OpenAsync();
        await second.EndAsync();
    }

    [Fact]
    public async Task Draining_says_1001_to_all_waits_and_accepts_no_more()
    {
        await using var harness = await new ServerHarness().StartAsync();
        var open = await harness.OpenAsync();
        var shaking = harness.Connect();
        var draining = harness.Server.DrainAsync(30 * Second);
        Assert.Equal("Close:1001 server shutting down", await open.NextAsync());
        Assert.Equal("reset", (await shaking.AllAsync())[^1]);
        Assert.Throws<IOException>(() => harness.Connect());
        Assert.False(draining.IsCompleted);
        await open.SendCloseAsync(1001);
        await open.AllAsync();
        await open.EndAsync();
        Assert.Equal(0, await draining.WaitAsync(Patience));
        Assert.Contains("Draining", Assert.Single(harness.Log.Endings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Draining_aborts_and_counts_what_is_left_at_the_deadline()
    {
        await using var harness = await new ServerHarness(options => options.Limits.CloseTimeout = 60 * Second).StartAsync();
        var polite = await harness.OpenAsync();
        var rude = await harness.OpenAsync();
        var ruder = await harness.OpenAsync();
        var draining = harness.Server.DrainAsync(10 * Second);
        Assert.StartsWith("Close:1001", await polite.NextAsync(), StringComparison.Ordinal);
        await polite.SendCloseAsync(1001);
        await polite.EndAsync();
        await Until(() => harness.Server.Connections == 2);
        harness.Time.Advance(11 * Second);
        Assert.Equal(2, await draining.WaitAsync(Patience));
        Assert.Equal("reset", (await rude.AllAsync())[^1]);
        Assert.Equal("reset", (await ruder.AllAsync())[^1]);
    }

    [Fact]
    public async Task Draining_can_be_cut_short_by_a_token()
    {
        await using var harness = await new ServerHarness().StartAsync();
        var rude = await harness.OpenAsync();
        using var stop = new CancellationTokenSource();
        var draining = harness.Server.DrainAsync(3600 * Second, stop.Token);
        await stop.CancelAsync();
        Assert.Equal(1, await draining.WaitAsync(Patience));
        Assert.Equal("reset", (await rude.AllAsync())[^1]);
    }

    [Fact]
    public async Task Disposing_aborts_all_and_the_handlers_hear_of_it()
    {
        var ends = new System.Collections.Concurrent.ConcurrentBag<EndReason>();
        var handler = new LambdaHandler { OnClosed = c => { ends.Add(c.EndReason); return default; } };
        var harness = await new ServerHarness(null, ("/chat", handler)).StartAsync();
        await harness.OpenAsync();
        await harness.OpenAsync();
        harness.Connect();
        await harness.DisposeAsync();
        Assert.Equal([EndReason.Draining, EndReason.Draining], ends);
    }

    [Fact]
    public async Task WaitAsync_drains_when_its_token_is_cancelled_and_returns_when_the_server_is_disposed()
    {
        await using var harness = await new ServerHarness().StartAsync();
        var open = await harness.OpenAsync();
        using var stop = new CancellationTokenSource();
        var waiting = harness.Server.WaitAsync(stop.Token);
        await stop.CancelAsync();
        Assert.StartsWith("Close:1001", await open.NextAsync(), StringComparison.Ordinal);
        await open.SendCloseAsync(1001);
        await open.EndAsync();
        await waiting.WaitAsync(Patience);

        var other = new ServerHarness();
        var running = other.Server.RunAsync();
        await other.DisposeAsync();
        await running.WaitAsync(Patience);
    }

    [Fact]
    public async Task Paths_are_mapped_before_the_start_and_a_server_starts_once()
    {
        await using var harness = new ServerHarness();
        Assert.Throws<ArgumentException>(() => harness.Server.Map("chat", LambdaHandler.Echo()));
        Assert.Throws<ArgumentException>(() => harness.Server.Map("/chat", LambdaHandler.Echo()));
        Assert.Throws<ArgumentNullException>(() => harness.Server.Map("/x", (WebSocketHandler)null!));
        Assert.Throws<ArgumentNullException>(() => harness.Server.Map("/x", (Func<WebSocketConnection, Task>)null!));
        Assert.Throws<ArgumentNullException>(() => harness.Server.Map("/x", (Func<WebSocketConnection, WebSocketMessage, ValueTask>)null!));
        Assert.Throws<ArgumentNullException>(() => harness.Server.Map(null!, LambdaHandler.Echo()));
        await harness.StartAsync();
        Assert.Throws<InvalidOperationException>(() => harness.Server.Map("/late", LambdaHandler.Echo()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => harness.Server.StartAsync().AsTask());
    }

    [Fact]
    public async Task Options_are_checked_when_set()
    {
        var options = new WebSocketServerOptions();
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Loops = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxConnections = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxConnectionsPerAddress = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxHeadBytes = 255);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.HandshakeTimeout = TimeSpan.Zero);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.HandshakeTimeout = TimeSpan.FromDays(1));
        await using var listener = new InMemoryListener();
        Assert.ThrowsAny<ArgumentException>(() => new WebSocketServer(new WebSocketServerOptions { Listener = listener, Subprotocols = ["not a token"] }));
        Assert.ThrowsAny<ArgumentException>(() => new WebSocketServer(new WebSocketServerOptions { Listener = listener, AllowedOrigins = ["no origin"] }));
    }

    [Fact]
    public async Task A_request_of_another_server_is_prepared_and_run_over_any_transport()
    {
        await using var harness = await new ServerHarness(options =>
        {
            options.Subprotocols = ["v1"];
            options.Compression = new PerMessageDeflateOptions();
        }, ("/rooms/{room}", new Gatekeeper(_ => null))).StartAsync();
        Assert.Null(harness.Server.Prepare(WebSocketRequest.Create("/other", [])));
        var upgrade = harness.Server.Prepare(WebSocketRequest.Create("/rooms/7?token=t", [new("Sec-WebSocket-Protocol", "v1"), new("Sec-WebSocket-Extensions", "permessage-deflate")]))!;
        Assert.Equal("v1", upgrade.Subprotocol);
        Assert.StartsWith("permessage-deflate", upgrade.Extensions, StringComparison.Ordinal);
        Assert.Equal("7", upgrade.Request.RouteValues["room"]);
        var (far, near) = InMemoryTransport.CreatePair(pool: harness.Pool);
        var running = upgrade.RunAsync(near);
        Assert.Equal(1, harness.Server.Connections);
        var peer = new RawPeer(far, S);
        Assert.Equal("Text:7|t|v1|True", await peer.NextAsync());
        await peer.SendCloseAsync(1000);
        Assert.Equal(["Close:1000", "end"], await peer.AllAsync());
        await peer.EndAsync();
        await running.WaitAsync(Patience);
        Assert.Equal(0, harness.Server.Connections);
        await peer.DisposeAsync();
    }

    /// <summary>Waits for what another thread is just about to do.</summary>
    internal static async Task Until(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Decides over upgrades, and answers opening and message with what it sees of the request.</summary>
    private sealed class Gatekeeper(Func<WebSocketRequest, UpgradeRefusal?> decide) : WebSocketHandler
    {
        public override async ValueTask<UpgradeRefusal?> OnUpgradeAsync(WebSocketRequest request)
        {
            await Task.Yield();
            return decide(request);
        }

        public override ValueTask OnOpenAsync(WebSocketConnection connection) => SayAsync(connection);

        public override ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message) => SayAsync(connection);

        private static ValueTask SayAsync(WebSocketConnection connection)
        {
            string token = connection.Request is not { } request ? "released" : request.TryGetQuery("token", out string? value) ? value : "";
            return connection.SendTextAsync(
                $"{connection.RouteValues.GetValueOrDefault("room")}|{token}|{connection.State ?? connection.Subprotocol}|{connection.IsCompressed}");
        }
    }

    /// <summary>A clock that stands still, and lets something happen when it is read.</summary>
    private sealed class Interrupted : TimeProvider
    {
        private readonly FakeTimeProvider _time = new();
        private int _reads = -1;

        public Action AtNextButOne { get; set => (field, _reads) = (value, 0); } = () => { };

        public override long TimestampFrequency => _time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => _time.GetUtcNow();

        public override long GetTimestamp()
        {
            if (_reads >= 0 && ++_reads == 2) AtNextButOne();
            return _time.GetTimestamp();
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => _time.CreateTimer(callback, state, dueTime, period);
    }
}
