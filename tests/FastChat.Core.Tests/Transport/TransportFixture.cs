using System.Net.Sockets;
using System.Threading.Channels;
using FastChat.TestKit;
using FastChat.Transport;

namespace FastChat.Core.Tests.Transport;

/// <summary>
/// A listener and connections of any transport: a derived class says how to listen and how to connect. Every buffer must be back in
/// <see cref="Pool"/> when a test ends.
/// </summary>
public abstract class TransportFixture : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<IAsyncDisposable> _open = [];
    private readonly Channel<TransportConnection> _accepted =
        Channel.CreateUnbounded<TransportConnection>();
    private TransportListener? _listener;

    protected TrackingArrayPool Pool { get; } = new();

    protected TransportListener Listener => _listener!;

    /// <summary>A listener on a free address of this machine whose connections take their buffers from <see cref="Pool"/>; not started.</summary>
    protected abstract TransportListener CreateListener();

    /// <summary>Connects to <paramref name="listener"/>; by default with the portable sockets.</summary>
    protected virtual Task<TransportConnection> ConnectToAsync(TransportListener listener) =>
        SocketTransport.ConnectAsync(listener.EndPoint, new SocketTransportOptions { Pool = Pool });

    /// <summary>Sees each of the server's ends before anything else does.</summary>
    protected virtual void OnAccepted(TransportConnection connection)
    {
    }

    public virtual ValueTask InitializeAsync()
    {
        _listener = CreateListener();
        _listener.Start(connection =>
        {
            OnAccepted(connection);
            _accepted.Writer.TryWrite(connection);
        });
        return default;
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var connection in _open) await connection.DisposeAsync().AsTask().WaitAsync(Patience);
        await Listener.DisposeAsync().AsTask().WaitAsync(Patience);
        while (_accepted.Reader.TryRead(out var forgotten)) await forgotten.DisposeAsync().AsTask().WaitAsync(Patience);
        Pool.AssertNothingRented();
    }

    protected async Task<(TransportConnection Server, TransportConnection Client)> PairAsync()
    {
        var client = await ConnectToAsync(Listener).WaitAsync(Patience);
        var server = await _accepted.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        _open.Add(client);
        _open.Add(server);
        return (server, client);
    }

    /// <summary>Whether the transport can tell a reset from an end. A Unix domain socket only does where bytes were left unread.</summary>
    protected virtual bool KnowsResets => Listener.EndPoint is not UnixDomainSocketEndPoint;

    /// <summary>Buffers that a listener may hold, however many connections it has: an event loop's own.</summary>
    protected virtual int BuffersOfListener => 0;
}
