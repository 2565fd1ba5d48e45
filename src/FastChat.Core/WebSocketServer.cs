using System.Net;
using FastChat.Connections;
using FastChat.Diagnostics;
using FastChat.Handshake;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using FastChat.Transport;
using FastChat.Transport.Epoll;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat;

/// <summary>
/// A WebSocket server (RFC 6455, RFC 7692) on a listening socket of its own. Map paths, start, and drain or dispose when done. Thread-safe
/// once started; mapping comes before.
/// </summary>
/// <example>
/// <code>
/// await using var server = new WebSocketServer(9001);
/// server.Map("/echo", (connection, message) => connection.SendAsync(message));
/// await server.RunAsync();
/// </code>
/// </example>
public sealed class WebSocketServer : IAsyncDisposable
{
    private readonly WebSocketServerOptions _options;
    private readonly RouteTable<WebSocketHandler> _routes = new();
    private readonly TransportListener _listener;
    private readonly ConnectionSettings _settings;
    private readonly ConnectionCounter _counter;
    private readonly UpgradeGate _gate;
    private readonly CompressionPool? _compression;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _started;
    private volatile bool _draining;
    private volatile bool _disposing;

    /// <summary>A server on 127.0.0.1 at this port (0: any free one), with the defaults otherwise.</summary>
    public WebSocketServer(int port) : this(new WebSocketServerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, port) })
    {
    }

    /// <summary>A server as the options say.</summary>
    /// <exception cref="ArgumentException">An origin or a subprotocol is malformed.</exception>
    /// <exception cref="PlatformNotSupportedException">Epoll was asked for where there is none.</exception>
    public WebSocketServer(WebSocketServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _logger = options.LoggerFactory?.CreateLogger("FastChat") ?? NullLogger.Instance;
        _counter = new ConnectionCounter(options.MaxConnections, options.MaxConnectionsPerAddress);
        var limits = options.Limits;
        var shortest = limits.Shortest < options.HandshakeTimeout ? limits.Shortest : options.HandshakeTimeout;
        _settings = new ConnectionSettings
        {
            Role = EndpointRole.Server,
            Limits = limits,
            Logger = _logger,
            TimeProvider = options.TimeProvider,
            Heartbeat = new Heartbeat(options.TimeProvider, shortest),
            Pool = options.Pool,
            OnEnded = connection => _counter.Remove(AddressOf(connection.RemoteEndPoint)),
        };
        var rules = new UpgradeRules(options.AllowedOrigins is { } origins ? new OriginPolicy(origins) : null, options.Subprotocols);
        _gate = new UpgradeGate(_routes, rules, options.Compression, new HttpHeadLimits(options.MaxHeadBytes), options.Fallback, options.TimeProvider, _logger);
        _compression = options.Compression is { } compression ? new CompressionPool(compression) : null;
        _listener = options.Listener ?? CreateListener(options);
        if (options.Tls is { } tls)
        {
            _listener = new TlsTransportListener(
                _listener, new TlsTransportOptions { Authentication = tls, HandshakeTimeout = options.HandshakeTimeout, Pool = options.Pool, TimeProvider = options.TimeProvider }, _logger);
        }
    }

    /// <summary>The address in use; after <see cref="StartAsync"/> with the real port.</summary>
    public EndPoint EndPoint => _listener.EndPoint;

    /// <summary>The port in use, for an IP address; else 0.</summary>
    public int Port => (EndPoint as IPEndPoint)?.Port ?? 0;

    /// <summary>Connections that are open, handshakes included.</summary>
    public int Connections => _counter.Count;

    /// <summary>
    /// The connections whose handshake is through and that have not ended, in no order: a copy, made for this call, of what the server keeps
    /// anyhow. Some may have ended before you look; others may not have got through their <see cref="WebSocketHandler.OnOpenAsync"/>.
    /// </summary>
    public IReadOnlyList<WebSocketConnection> GetConnections() => [.. _settings.Heartbeat.Watched().OfType<WebSocketConnection>()];

    /// <summary>Sends the messages of a path to a delegate, which is called inline; see <see cref="WebSocketHandler.OnMessageAsync"/>.</summary>
    /// <param name="path">"/echo", or with parameters: "/rooms/{room}" (<see cref="WebSocketConnection.RouteValues"/>).</param>
    /// <param name="onMessage">What to do with a message.</param>
    /// <exception cref="ArgumentException">The path is malformed or mapped already.</exception>
    /// <exception cref="InvalidOperationException">The server has started.</exception>
    public void Map(string path, Func<WebSocketConnection, WebSocketMessage, ValueTask> onMessage)
    {
        ArgumentNullException.ThrowIfNull(onMessage);
        Map(path, new DelegateHandler(onMessage));
    }

    /// <summary>
    /// Gives each connection of a path to a delegate that pulls its messages with <see cref="WebSocketConnection.ReadMessageAsync"/>; when
    /// it returns the connection is closed with 1000, when it throws, with 1011.
    /// </summary>
    /// <inheritdoc cref="Map(string, Func{WebSocketConnection, WebSocketMessage, ValueTask})"/>
    public void Map(string path, Func<WebSocketConnection, Task> onConnection)
    {
        ArgumentNullException.ThrowIfNull(onConnection);
        Map(path, new PullHandler(onConnection));
    }

    /// <summary>Gives the connections of a path to a handler.</summary>
    /// <inheritdoc cref="Map(string, Func{WebSocketConnection, WebSocketMessage, ValueTask})"/>
    public void Map(string path, WebSocketHandler handler)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(handler);
        if (Volatile.Read(ref _started) != 0) throw new InvalidOperationException("The server has started; map paths before.");
        _routes.Add(path, handler);
    }

    /// <summary>Binds and begins to accept.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be bound.</exception>
    /// <exception cref="IOException">The process has too few descriptors left to serve with.</exception>
    /// <exception cref="InvalidOperationException">Called twice.</exception>
    public ValueTask StartAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.Exchange(ref _started, 1) != 0) throw new InvalidOperationException("The server has started already.");
        _listener.Start(connection => _ = ServeAsync(connection));
        _logger.Listening(_listener.EndPoint);
        if (_listener.Room < _options.MaxConnections) _logger.DescriptorsFewerThanConnections(_options.MaxConnections, _listener.Room);
        return default;
    }

    /// <summary>Starts, and <see cref="WaitAsync">waits</see>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        await WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until the token is cancelled, and then drains for at most 5 s; or until the server is disposed.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _stopped.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await DrainAsync(TimeSpan.FromSeconds(5), CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Shuts down gracefully: accepts no more, closes every connection with 1001 behind what it has queued, waits, and aborts what is left.
    /// </summary>
    /// <param name="deadline">How long to wait.</param>
    /// <param name="cancellationToken">Ends the waiting early.</param>
    /// <returns>How many connections had to be aborted.</returns>
    public async Task<int> DrainAsync(TimeSpan deadline, CancellationToken cancellationToken = default)
    {
        _draining = true;
        await _listener.StopAcceptingAsync().ConfigureAwait(false);
        var watched = _settings.Heartbeat.Watched();
        _logger.Draining(watched.Length);
        foreach (var one in watched)
        {
            if (one is WebSocketConnection connection) connection.Close(CloseCode.GoingAway, "server shutting down", EndReason.Draining);
            else ((HandshakeWatch)one).GiveUp();
        }
        try
        {
            await _counter.WhenEmptyAsync().WaitAsync(deadline, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // With those whose handshake was just being accepted.
            var left = _settings.Heartbeat.Watched().OfType<WebSocketConnection>().ToArray();
            foreach (var connection in left) connection.AbortFor(EndReason.Draining);
            return left.Length;
        }
    }

    /// <summary>
    /// Aborts every connection, waits for their ends, for <see cref="WebSocketLimits.CloseTimeout"/> where a handler does not return, and
    /// frees everything. For a graceful end, <see cref="DrainAsync"/> first.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _draining = _disposing = true;
        await _listener.StopAcceptingAsync().ConfigureAwait(false);
        foreach (var one in _settings.Heartbeat.Watched())
        {
            if (one is WebSocketConnection connection) connection.AbortFor(EndReason.Draining);
            else ((HandshakeWatch)one).Abort();
        }
        try
        {
            await _counter.WhenEmptyAsync().WaitAsync(_settings.Limits.CloseTimeout, _options.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A handler that does not return holds its connection's end up; the listener's disposal takes the socket away all the same.
        }
        await _listener.DisposeAsync().ConfigureAwait(false);
        _settings.Heartbeat.Dispose();
        _compression?.Dispose();
        _stopped.TrySetResult();
    }

    /// <summary>
    /// For a request that another HTTP server received (HTTP/2, an upgrade on a kept-alive connection): whether it is for one of the mapped
    /// paths, and what to answer. The other server has checked the handshake itself.
    /// </summary>
    /// <returns>Null where no path matches.</returns>
    public AcceptedUpgrade? Prepare(WebSocketRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _gate.TryMatch(request, out var admission, out var error) && error == HandshakeError.None
            ? new AcceptedUpgrade(RunConnectionAsync, request, admission.Handler!, admission.Subprotocol, admission.Agreed, admission.Extensions)
            : null;
    }

    private Task RunConnectionAsync(TransportConnection transport, AcceptedUpgrade upgrade)
    {
        _counter.Add(AddressOf(transport.RemoteEndPoint));
        var admission = new UpgradeGate.Admission(UpgradeGate.Outcome.Admitted, upgrade.Handler, upgrade.Subprotocol, upgrade.Agreed, upgrade.Extensions);
        return Run(CreateConnection(transport, upgrade.Request, admission)).Completion;
    }

    private WebSocketConnection CreateConnection(TransportConnection transport, WebSocketRequest request, in UpgradeGate.Admission admission)
    {
        bool compressed = admission.Extensions is not null;
        var agreement = Agreement.Of(request.RouteValues, admission.Subprotocol,
            compressed ? _compression!.CreateInflater(admission.Agreed, isServer: true) : null,
            compressed ? _compression!.CreateDeflater(admission.Agreed, isServer: true) : null);
        return new WebSocketConnection(transport, _settings, admission.Handler is PullHandler pull ? pull.Create() : admission.Handler!, agreement, request) { State = request.State };
    }

    private WebSocketConnection Run(WebSocketConnection connection)
    {
        connection.Start();
        // Accepted just before: whoever ends the server did not see it.
        if (_disposing) connection.AbortFor(EndReason.Draining);
        else if (_draining) connection.Close(CloseCode.GoingAway, "server shutting down", EndReason.Draining);
        return connection;
    }

    private IPAddress? AddressOf(EndPoint? endPoint) => _counter.CountsByAddress ? (endPoint as IPEndPoint)?.Address : null;

    private TransportListener CreateListener(WebSocketServerOptions options)
    {
        bool epoll = options.Transport == TransportKind.Epoll || (options.Transport == TransportKind.Auto && EpollListener.IsSupported);
        return epoll
            ? new EpollListener(options.EndPoint, new EpollOptions { Loops = options.Loops, Pool = options.Pool, Logger = _logger, TimeProvider = options.TimeProvider })
            : new SocketTransportListener(options.EndPoint, new SocketTransportOptions { Pool = options.Pool, TimeProvider = options.TimeProvider }, _logger);
    }

    /// <summary>From the accepted connection to the end of its handshake; never throws.</summary>
    private async Task ServeAsync(TransportConnection transport)
    {
        transport.InlineContinuations = _options.HandlerScheduling == HandlerScheduling.Inline;
        var address = AddressOf(transport.RemoteEndPoint);
        if (!_counter.TryAdd(address))
        {
            await _gate.TurnAwayAsync(transport).ConfigureAwait(false);
            await transport.DisposeAsync().ConfigureAwait(false);
            return;
        }
        var watch = new HandshakeWatch(transport, _options.TimeProvider, _options.HandshakeTimeout);
        _settings.Heartbeat.Add(watch);
        if (_draining) watch.GiveUp(); // accepted just before: whoever drains did not see it
        var head = HttpRequestHead.Rent(_options.Pool);
        var request = new WebSocketRequest(head);
        UpgradeGate.Admission admission = default;
        try
        {
            admission = await _gate.AdmitAsync(transport, head, request, watch).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            _logger.HandshakeAbandoned(watch.Expired ? EndReason.HandshakeTimeout : EndReason.PeerVanished);
        }
        catch (Exception e)
        {
            _logger.AcceptedConnectionFailed(e);
        }
        _settings.Heartbeat.Remove(watch);
        if (admission.Outcome == UpgradeGate.Outcome.Admitted)
        {
            var connection = CreateConnection(transport, request, admission);
            Run(connection);
            connection.ReleaseRequest();
        }
        else
        {
            if (admission.Outcome == UpgradeGate.Outcome.Over) await transport.DisposeAsync().ConfigureAwait(false);
            request.Release();
            _counter.Remove(address);
        }
    }
}
