using System.Buffers;
using System.Net;

namespace FastChat.Transport;

/// <summary>A listener without a network: <see cref="Connect"/> gives the client end and hands the other to the accepting callback.</summary>
/// <param name="capacity">As for <see cref="InMemoryTransport.CreatePair"/>, for each connection.</param>
/// <param name="pool">As for <see cref="InMemoryTransport.CreatePair"/>, for each connection.</param>
public sealed class InMemoryListener(int capacity = InMemoryTransport.DefaultCapacity, ArrayPool<byte>? pool = null) : TransportListener
{
    private readonly Lock _gate = new();
    private readonly HashSet<InMemoryConnection> _open = [];
    private Action<TransportConnection>? _onAccepted;

    /// <inheritdoc/>
    public override EndPoint EndPoint { get; } = new InMemoryEndPoint();

    /// <inheritdoc/>
    public override void Start(Action<TransportConnection> onAccepted)
    {
        ArgumentNullException.ThrowIfNull(onAccepted);
        lock (_gate) _onAccepted = onAccepted;
    }

    /// <summary>Connects: the accepting callback has run on this thread, up to its first await, when this returns the client's end.</summary>
    /// <exception cref="IOException">Nobody listens.</exception>
    public TransportConnection Connect()
    {
        var (client, server) = InMemoryTransport.CreatePair(capacity, pool);
        var accepted = (InMemoryConnection)server;
        Action<TransportConnection> onAccepted;
        lock (_gate)
        {
            onAccepted = _onAccepted ?? throw new IOException("Connection refused: nobody listens.");
            _open.Add(accepted);
        }
        accepted.Disposed = Forget;
        onAccepted(accepted);
        return client;
    }

    /// <inheritdoc/>
    public override ValueTask StopAcceptingAsync()
    {
        lock (_gate) _onAccepted = null;
        return default;
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        InMemoryConnection[] open;
        lock (_gate)
        {
            _onAccepted = null;
            open = [.. _open];
            _open.Clear();
        }
        foreach (var connection in open) connection.Abort();
        return default;
    }

    private void Forget(InMemoryConnection connection)
    {
        lock (_gate) _open.Remove(connection);
    }
}
