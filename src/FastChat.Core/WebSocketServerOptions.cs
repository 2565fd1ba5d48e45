using System.Buffers;
using System.Net;
using System.Net.Security;
using FastChat.Connections;
using FastChat.Protocol.Compression;
using FastChat.Transport;
using Microsoft.Extensions.Logging;

namespace FastChat;

/// <summary>How a server moves bytes.</summary>
public enum TransportKind
{
    /// <summary>Epoll where there is one (Linux), else sockets.</summary>
    Auto,
    /// <summary>An epoll loop per core, receive to send on one thread. Linux only.</summary>
    Epoll,
    /// <summary>The runtime's sockets; everywhere.</summary>
    Sockets,
}

/// <summary>What a <see cref="WebSocketServer"/> is made of. Every limit is finite; values are checked when set. Not to be changed once the server has been made.</summary>
public sealed class WebSocketServerOptions
{
    private int _loops = Environment.ProcessorCount;
    private int _maxConnections = 15_000;
    private int _maxConnectionsPerAddress = 15_000;
    private int _maxHeadBytes = 8 * 1024;
    private TimeSpan _handshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Where to listen: an <see cref="IPEndPoint"/> (port 0: any free one) or a <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>. Default 127.0.0.1, port 0.</summary>
    public EndPoint EndPoint { get; set; } = new IPEndPoint(IPAddress.Loopback, 0);

    /// <summary>How bytes are moved. Default <see cref="TransportKind.Auto"/>.</summary>
    public TransportKind Transport { get; set; }

    /// <summary>Event loops (threads) of the epoll transport. Default: one per core.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 1 to 1024.</exception>
    public int Loops
    {
        get => _loops;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1024);
            _loops = value;
        }
    }

    /// <summary>Where handlers run. Default <see cref="HandlerScheduling.Inline"/>.</summary>
    public HandlerScheduling HandlerScheduling { get; set; }

    /// <summary>The limits of each connection.</summary>
    public WebSocketLimits Limits { get; set; } = new();

    /// <summary>Connections at one time, handshakes included; a further one is answered 503. Default 15,000: mind the process's limit of descriptors.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public int MaxConnections
    {
        get => _maxConnections;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _maxConnections = value;
        }
    }

    /// <summary>The same for each remote IP address. Default 15,000: behind a proxy all come from one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public int MaxConnectionsPerAddress
    {
        get => _maxConnectionsPerAddress;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _maxConnectionsPerAddress = value;
        }
    }

    /// <summary>The longest request head in bytes; a longer one is answered 431. Default 8 KiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 256 to 1 MiB.</exception>
    public int MaxHeadBytes
    {
        get => _maxHeadBytes;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 256);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1 << 20);
            _maxHeadBytes = value;
        }
    }

    /// <summary>How long a handshake may take from the accepted connection to the complete head; then 408. Default 10 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or more than an hour.</exception>
    public TimeSpan HandshakeTimeout
    {
        get => _handshakeTimeout;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromHours(1));
            _handshakeTimeout = value;
        }
    }

    /// <summary>permessage-deflate for clients that offer it; null, the default, is without.</summary>
    public PerMessageDeflateOptions? Compression { get; set; }

    /// <summary>
    /// Origins whose pages may connect, "https://chat.example.org" say; null, the default, allows all. With a list, a browser's request
    /// from elsewhere is refused with 403 (cross-site WebSocket hijacking); requests without an Origin, which no browser makes, pass.
    /// </summary>
    public IReadOnlyList<string>? AllowedOrigins { get; set; }

    /// <summary>Subprotocols that the server speaks, the one it likes best first.</summary>
    public IReadOnlyList<string> Subprotocols { get; set; } = [];

    /// <summary>TLS for all connections; null, the default, is plain.</summary>
    public SslServerAuthenticationOptions? Tls { get; set; }

    /// <summary>
    /// Takes over connections whose request is no upgrade to a mapped path, with their bytes unread: for an HTTP server behind the same
    /// port. It owns the connection then and must not block. Null, the default: 426 or 404.
    /// </summary>
    public Action<TransportConnection>? Fallback { get; set; }

    /// <summary>What to log with; category "FastChat".</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The clock of timeouts and keep-alive.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Where buffers come from.</summary>
    internal ArrayPool<byte> Pool { get; set; } = ArrayPool<byte>.Shared;

    /// <summary>A listener of the application's own (tests: in memory) instead of one made from the options above.</summary>
    internal TransportListener? Listener { get; set; }
}
