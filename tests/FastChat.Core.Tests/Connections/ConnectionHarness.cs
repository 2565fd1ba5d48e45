using System.Diagnostics;
using FastChat.Connections;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using FastChat.TestKit;
using FastChat.Transport;
using Microsoft.Extensions.Logging;

namespace FastChat.Core.Tests.Connections;

/// <summary>
/// One connection over a transport in memory, with a clock that stands still, a pool that finds leaks and a peer made of octets. Disposing
/// of it ends the connection where the test did not, and checks what must hold at every end.
/// </summary>
internal sealed class ConnectionHarness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Heartbeat _heartbeat;
    private readonly CompressionPool? _compression;

    public ConnectionHarness(WebSocketHandler? handler = null, Action<WebSocketLimits>? configure = null, EndpointRole role = EndpointRole.Server,
        int capacity = InMemoryTransport.DefaultCapacity, bool compressed = false, bool fragments = false)
    {
        var limits = new WebSocketLimits();
        configure?.Invoke(limits);
        var (far, near) = InMemoryTransport.CreatePair(capacity, Pool);
        Peer = new RawPeer(far, role) { SeesFragments = fragments };
        Transport = new GatedTransport(near);
        _heartbeat = new Heartbeat(Time, limits.Shortest);
        var settings = new ConnectionSettings { Role = role, Limits = limits, Logger = Log, TimeProvider = Time, Heartbeat = _heartbeat, Pool = Pool };
        var agreed = new PerMessageDeflateParameters(false, false, 15, 15);
        _compression = compressed ? new CompressionPool(new PerMessageDeflateOptions()) : null;
        bool server = role == EndpointRole.Server;
        Connection = new WebSocketConnection(Transport, settings, handler, _compression is null ? null
            : new Agreement(new Dictionary<string, string>(), null, _compression.CreateInflater(agreed, server), _compression.CreateDeflater(agreed, server)));
        Connection.Start();
    }

    public TrackingArrayPool Pool { get; } = new();

    public FakeTimeProvider Time { get; } = new();

    public RecordingLogger Log { get; } = new();

    public RawPeer Peer { get; }

    public GatedTransport Transport { get; }

    public WebSocketConnection Connection { get; }

    /// <summary>Waits until the connection listens again, which is after its handler has answered.</summary>
    public async Task ReadingAsync()
    {
        long start = Stopwatch.GetTimestamp();
        while (!Connection.IsReading)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience);
            await Task.Yield();
        }
    }

    /// <summary>Waits for the end, and says how it came: reason and close code.</summary>
    public async Task<(EndReason Reason, int Code)> EndedAsync()
    {
        await Connection.Completion.WaitAsync(Patience);
        return (Connection.EndReason, (int)Connection.CloseCode);
    }

    public async ValueTask DisposeAsync()
    {
        Transport.Release();
        if (!Connection.Completion.IsCompleted)
        {
            Peer.Transport.Abort();
            await Connection.DisposeAsync().AsTask().WaitAsync(Patience); // a reader of its messages is done
        }
        await Connection.Completion.WaitAsync(Patience);
        await Peer.DisposeAsync();
        Assert.NotEqual(EndReason.None, Connection.EndReason);
        Assert.NotEqual(CloseCode.None, Connection.CloseCode);
        Assert.False(Connection.IsOpen);
        Assert.True(Connection.Closed.IsCancellationRequested);
        Assert.Equal(0, _heartbeat.Count);
        var ending = Assert.Single(Log.Of(10));
        Assert.Equal(LogLevel.Debug, ending.Level);
        Assert.Contains(Connection.EndReason.ToString(), ending.Text, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ConnectionClosedException>(() => Connection.SendTextAsync("late").AsTask());
        Connection.Abort(); // any number of times, at any time
        Connection.Ping("late"u8);
        await Connection.CloseAsync();
        _heartbeat.Dispose();
        _compression?.Dispose();
        await WebSocketServerTests.Until(() => Pool.Outstanding == 0); // a send that waited has a copy until it hears of the end
        Pool.AssertNothingRented();
    }
}

/// <summary>A handler of lambdas that counts its calls.</summary>
internal sealed class LambdaHandler(Func<WebSocketConnection, WebSocketMessage, ValueTask>? onMessage = null) : WebSocketHandler
{
    public Func<WebSocketConnection, ValueTask>? OnOpen { get; init; }

    public Func<WebSocketConnection, ValueTask>? OnClosed { get; init; }

    public int Opened { get; private set; }

    public int Messages { get; private set; }

    public int ClosedCalls { get; private set; }

    public static LambdaHandler Echo() => new((connection, message) => connection.SendAsync(message));

    public override ValueTask OnOpenAsync(WebSocketConnection connection)
    {
        Opened++;
        return OnOpen?.Invoke(connection) ?? default;
    }

    public override ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message)
    {
        Messages++;
        return onMessage?.Invoke(connection, message) ?? default;
    }

    public override ValueTask OnClosedAsync(WebSocketConnection connection)
    {
        ClosedCalls++;
        return OnClosed?.Invoke(connection) ?? default;
    }
}
