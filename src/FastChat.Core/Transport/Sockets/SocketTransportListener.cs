using System.Net;
using System.Net.Sockets;
using FastChat.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Transport;

/// <summary>Listens on TCP (IPv4, IPv6, or both on <see cref="IPAddress.IPv6Any"/>) or on a Unix domain socket, on any platform.</summary>
/// <remarks>
/// A port is held exclusively: a second listener on it fails. A port whose last connections are in TIME_WAIT can be bound again at once
/// (the runtime sets SO_REUSEADDR on Unix; its <see cref="SocketOptionName.ReuseAddress"/> would set SO_REUSEPORT too and is left alone).
/// The file of a Unix domain socket is removed when accepting stops; one left over by a process that is gone is replaced.
/// </remarks>
public sealed class SocketTransportListener : TransportListener
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly HashSet<SocketTransportConnection> _open = [];
    private readonly SocketTransportOptions _options;
    private readonly ILogger _logger;
    private readonly AcceptPauses _pauses;
    private readonly CancellationTokenSource _stop = new();
    private EndPoint _endPoint;
    private Socket? _socket;
    private DescriptorTable? _descriptors;
    private Task _accepting = Task.CompletedTask;
    private Action<TransportConnection>? _onAccepted;
    private bool _disposed;

    /// <summary>Makes a listener for <paramref name="endPoint"/>, which is not touched before <see cref="Start"/>.</summary>
    /// <param name="endPoint">An <see cref="IPEndPoint"/>, with port 0 for any free one, or a <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="options">How it runs; the defaults if null.</param>
    /// <param name="logger">Told of accepts that fail; nobody if null.</param>
    public SocketTransportListener(EndPoint endPoint, SocketTransportOptions? options = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        if (endPoint is not (IPEndPoint or UnixDomainSocketEndPoint))
            throw new ArgumentException("Only an IPEndPoint or a UnixDomainSocketEndPoint can be listened on.", nameof(endPoint));
        _endPoint = endPoint;
        _options = options ?? new SocketTransportOptions();
        _logger = logger ?? NullLogger.Instance;
        _pauses = new AcceptPauses(_logger, _options.TimeProvider);
    }

    /// <inheritdoc/>
    public override EndPoint EndPoint => _endPoint;

    internal override int Room => _descriptors?.Room ?? int.MaxValue;

    /// <summary>What tells how full the table of descriptors is; replaced by tests.</summary>
    internal Func<Socket, DescriptorTable> Descriptors { get; init; } = DescriptorTable.Of;

    /// <summary>What accepts a connection; replaced by tests to make it fail as a full descriptor table does.</summary>
    internal Func<Socket, CancellationToken, ValueTask<Socket>> Accept { get; set; } =
        static (socket, cancellationToken) => socket.AcceptAsync(cancellationToken);

    /// <inheritdoc/>
    public override void Start(Action<TransportConnection> onAccepted)
    {
        ArgumentNullException.ThrowIfNull(onAccepted);
        if (_socket is not null || _stop.IsCancellationRequested) throw new InvalidOperationException("A listener starts once.");
        _socket = ListenSocket.Bind(_endPoint, _options.Backlog, Descriptors, out _descriptors);
        _endPoint = _socket.LocalEndPoint ?? _endPoint;
        _onAccepted = onAccepted;
        _accepting = Task.Run(AcceptAllAsync);
    }

    /// <inheritdoc/>
    public override async ValueTask StopAcceptingAsync()
    {
        await _stop.CancelAsync();
        if (_socket is not null) ListenSocket.Close(_socket);
        await _accepting;
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await StopAcceptingAsync();
        SocketTransportConnection[] open;
        lock (_gate)
        {
            _disposed = true;
            open = [.. _open];
            _open.Clear();
        }
        foreach (var connection in open) connection.Abort();
    }

    private async Task AcceptAllAsync()
    {
        var pause = FirstPause;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (!_descriptors!.HasRoom())
                {
                    pause = await PauseAsync(0, pause);
                    continue;
                }
                var socket = await Accept(_socket!, _stop.Token);
                _pauses.End(_endPoint);
                _descriptors.Took((int)socket.Handle);
                pause = FirstPause;
                HandOut(socket);
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                _logger.AcceptedTooLate(_endPoint, e);
            }
            catch (SocketException e)
            {
                // Out of descriptors or memory, as a rule: the connection stays in the backlog and the next accept fails at once, so wait
                // for some to be freed.
                pause = await PauseAsync(e.NativeErrorCode, pause);
            }
        }
    }

    /// <returns>How long the next pause is, if it follows at once.</returns>
    private async Task<TimeSpan> PauseAsync(int error, TimeSpan pause)
    {
        _pauses.Begin(_endPoint, error);
        await Task.Delay(pause, _options.TimeProvider, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return pause * 2 < LongestPause ? pause * 2 : LongestPause;
    }

    private void HandOut(Socket socket)
    {
        SocketTransportConnection connection;
        try
        {
            connection = new SocketTransportConnection(socket, _options) { Disposed = Forget };
        }
        catch (SocketException e)
        {
            socket.Dispose();
            _logger.AcceptedTooLate(_endPoint, e);
            return;
        }
        bool late;
        lock (_gate)
        {
            late = _disposed;
            if (!late) _open.Add(connection);
        }
        if (late) connection.Abort();
        // On a thread of its own, so that what a handler does before it first waits delays no other connection.
        else ThreadPool.UnsafeQueueUserWorkItem(static state => state.Listener.Run(state.Connection), (Listener: this, Connection: connection), preferLocal: false);
    }

    private void Run(SocketTransportConnection connection)
    {
        try
        {
            _onAccepted!(connection);
        }
        catch (Exception e)
        {
            _logger.AcceptedConnectionFailed(e);
            connection.Abort();
        }
    }

    private void Forget(SocketTransportConnection connection)
    {
        lock (_gate) _open.Remove(connection);
    }
}
