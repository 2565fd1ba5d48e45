using System.Net;

namespace FastChat.Transport;

/// <summary>Accepts connections on one address and hands each to the callback given to <see cref="Start"/>.</summary>
public abstract class TransportListener : IAsyncDisposable
{
    /// <summary>The address in use; after <see cref="Start"/> with the port the kernel chose where 0 was asked for.</summary>
    public abstract EndPoint EndPoint { get; }

    /// <summary>How many connections the process has descriptors for, once it listens.</summary>
    internal virtual int Room => int.MaxValue;

    /// <summary>
    /// Binds, listens and calls <paramref name="onAccepted"/> once a connection, on the thread that will drive it: the callback must
    /// return quickly (at its first real await) and must not throw. From then on it owns the connection.
    /// </summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be bound.</exception>
    /// <exception cref="IOException">The process has too few descriptors left to serve with.</exception>
    public abstract void Start(Action<TransportConnection> onAccepted);

    /// <summary>Accepts no more and closes the listening socket; accepted connections go on. Idempotent.</summary>
    public abstract ValueTask StopAcceptingAsync();

    /// <summary>Stops accepting, aborts the connections still open, and ends the threads of this listener.</summary>
    public abstract ValueTask DisposeAsync();
}
