using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using FastChat.Transport;
using Microsoft.AspNetCore.Connections;

namespace FastChat.Server.Hosting;

/// <summary>
/// The connections of the one port that are none of the WebSocket server's: it accepts them all, and hands these, bytes unread, to
/// Kestrel, which takes them from here as if it had accepted them itself.
/// </summary>
/// <param name="endPoint">Where to listen; port 0 for any free one.</param>
internal sealed class SharedPort(IPEndPoint endPoint)
{
    // Kestrel's accept loop must not run on the event loop that hands a connection on.
    private readonly Channel<TransportConnection> _handedOn = Channel.CreateUnbounded<TransportConnection>(
        new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = false });

    public IPEndPoint EndPoint => endPoint;

    public ChannelReader<TransportConnection> HandedOn => _handedOn.Reader;

    /// <summary>Takes a connection over, on the thread that read its head. Never blocks.</summary>
    public void HandOn(TransportConnection connection)
    {
        connection.InlineContinuations = false;
        if (!_handedOn.Writer.TryWrite(connection))
            connection.Abort();
    }

    /// <summary>No more will come: Kestrel's accepting ends behind those that wait.</summary>
    public void Close() => _handedOn.Writer.TryComplete();
}

/// <summary>Has Kestrel listen on the <see cref="SharedPort"/>; other addresses are left to its own transport.</summary>
internal sealed class SharedPortFactory(SharedPort port, ChatSocketServer sockets) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint.Equals(port.EndPoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        try
        {
            await sockets.Server.StartAsync(cancellationToken);
            return new SharedPortListener(port, sockets.Server.EndPoint);
        }
        catch (Exception e) when (Problem(e) is { } problem)
        {
            throw new IOException($"Cannot listen on {endpoint}: {problem}", e);
        }
    }

    /// <summary>Why an address cannot be listened on, in a sentence; null where the exception says something else.</summary>
    public static string? Problem(Exception exception) => exception switch
    {
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } => "another program has this port.",
        SocketException => exception.Message + ".",
        IOException => exception.Message,
        _ => null,
    };
}

/// <summary>Kestrel's view of the shared port.</summary>
internal sealed class SharedPortListener(SharedPort port, EndPoint endPoint) : IConnectionListener
{
    public EndPoint EndPoint => endPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await port.HandedOn.WaitToReadAsync(cancellationToken))
        {
            if (port.HandedOn.TryRead(out var connection))
                return new SharedPortConnection(connection);
        }
        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        port.Close();
        return default;
    }

    // The socket is the WebSocket server's, which outlives Kestrel.
    public ValueTask DisposeAsync()
    {
        port.Close();
        return default;
    }
}
