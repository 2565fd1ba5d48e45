using FastChat.Connections;
using FastChat.Core.Tests.Connections;
using FastChat.Core.Tests.Handshake;
using FastChat.Protocol;
using FastChat.TestKit;
using FastChat.Transport;

namespace FastChat.Core.Tests;

/// <summary>A server without a network, on a clock that stands still, with a pool that must be whole again when it is gone.</summary>
internal sealed class ServerHarness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly InMemoryListener _listener;
    private readonly List<RawPeer> _peers = [];

    public ServerHarness(Action<WebSocketServerOptions>? configure = null, params (string Path, WebSocketHandler Handler)[] routes)
    {
        _listener = new InMemoryListener(pool: Pool);
        var options = new WebSocketServerOptions { Listener = _listener, Pool = Pool, TimeProvider = Time, LoggerFactory = Log };
        configure?.Invoke(options);
        Server = new WebSocketServer(options);
        foreach (var (path, handler) in routes) Server.Map(path, handler);
        if (routes.Length == 0) Server.Map("/chat", LambdaHandler.Echo());
    }

    public TrackingArrayPool Pool { get; } = new();

    public FakeTimeProvider Time { get; } = new();

    public RecordingLogger Log { get; } = new();

    public WebSocketServer Server { get; }

    public async Task<ServerHarness> StartAsync()
    {
        await Server.StartAsync();
        return this;
    }

    /// <summary>A connection that has said nothing yet.</summary>
    public RawPeer Connect()
    {
        var peer = new RawPeer(_listener.Connect(), EndpointRole.Server);
        _peers.Add(peer);
        return peer;
    }

    /// <summary>A connection and the answer to its request.</summary>
    public async Task<(RawPeer Peer, string Head)> AskAsync(byte[] request)
    {
        var peer = Connect();
        await peer.SendAsync(request);
        return (peer, await peer.HeadAsync());
    }

    /// <summary>An open WebSocket.</summary>
    public async Task<RawPeer> OpenAsync(string path = "/chat", params string[] headers)
    {
        var (peer, head) = await AskAsync(Heads.Of([$"GET {path} HTTP/1.1", .. Heads.Upgrade[1..], .. headers]));
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        Assert.Contains($"Sec-WebSocket-Accept: {Heads.SampleAccept}\r\n", head, StringComparison.Ordinal);
        return peer;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync().AsTask().WaitAsync(Patience);
        Assert.Equal(0, Server.Connections);
        foreach (var peer in _peers)
        {
            peer.Transport.Abort();
            await peer.DisposeAsync();
        }
        await Server.DisposeAsync().AsTask().WaitAsync(Patience); // idempotent
        await WebSocketServerTests.Until(() => Pool.Outstanding == 0); // a connection turned away is nobody's
        Pool.AssertNothingRented();
    }
}
