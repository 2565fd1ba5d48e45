using System.Net;
using FastChat.Transport;
using Microsoft.AspNetCore.Connections;

namespace FastChat.Server.Hosting;

/// <summary>
/// The port of TLS, of which Kestrel has every connection. Listened on as the shared one is: Kestrel's own transport tries again at once,
/// and for ever, when accepting fails for want of descriptors.
/// </summary>
internal sealed class TlsPortFactory(IPEndPoint endPoint, TimeProvider time, ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint.Equals(endPoint);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = new SocketTransportListener(endpoint, new SocketTransportOptions { TimeProvider = time }, loggers.CreateLogger("FastChat"));
        var port = new SharedPort(endPoint);
        try
        {
            listener.Start(port.HandOn);
            return new(new TlsPortListener(port, listener));
        }
        catch (Exception e) when (SharedPortFactory.Problem(e) is { } problem)
        {
            throw new IOException($"Cannot listen on {endpoint}: {problem}", e);
        }
    }

    private sealed class TlsPortListener(SharedPort port, SocketTransportListener listener) : IConnectionListener
    {
        private readonly SharedPortListener _handedOn = new(port, listener.EndPoint);

        public EndPoint EndPoint => listener.EndPoint;

        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => _handedOn.AcceptAsync(cancellationToken);

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await listener.StopAcceptingAsync();
            port.Close();
        }

        public async ValueTask DisposeAsync()
        {
            port.Close();
            await listener.DisposeAsync();
        }
    }
}
