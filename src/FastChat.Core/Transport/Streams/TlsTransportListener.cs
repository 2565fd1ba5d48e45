using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using FastChat.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Transport;

/// <summary>How a <see cref="TlsTransportListener"/> shakes hands. Read when a connection is accepted.</summary>
public sealed class TlsTransportOptions
{
    private TimeSpan _handshakeTimeout = TimeSpan.FromSeconds(10);
    private int _maxPendingHandshakes = 1024;

    /// <summary>Certificate, protocols, client certificates. ALPN is set to http/1.1 where it is not set: a WebSocket begins with that.</summary>
    public required SslServerAuthenticationOptions Authentication { get; set; }

    /// <summary>How long a handshake may take; 10 s, above 0.</summary>
    public TimeSpan HandshakeTimeout
    {
        get => _handshakeTimeout;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            _handshakeTimeout = value;
        }
    }

    /// <summary>Handshakes under way at once; a connection beyond them is dropped. 1,024, at least 1: each holds some 20 KiB and asks for a signature.</summary>
    public int MaxPendingHandshakes
    {
        get => _maxPendingHandshakes;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            _maxPendingHandshakes = value;
        }
    }

    /// <summary>Where buffers come from and return to.</summary>
    public ArrayPool<byte> Pool { get; set; } = ArrayPool<byte>.Shared;

    /// <summary>The clock of the handshake's time limit.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}

/// <summary>TLS for the connections of any other listener. Handshakes run on the thread pool, never on the thread that accepts.</summary>
/// <remarks>Connections are handed out once their handshake is done, on a thread pool thread; one that fails is closed and logged at Debug.</remarks>
public sealed class TlsTransportListener : TransportListener
{
    private readonly TransportListener _inner;
    private readonly TlsTransportOptions _options;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly HashSet<TlsConnection> _open = [];
    private readonly CancellationTokenSource _closed = new();
    private Action<TransportConnection>? _onAccepted;
    private int _handshakes;
    private long _failures;
    private bool _disposed;

    /// <summary>Makes a listener of <paramref name="inner"/>, which it owns.</summary>
    /// <param name="inner">What accepts; not started.</param>
    /// <param name="options">Certificate and limits.</param>
    /// <param name="logger">Told of handshakes that fail; nobody if null.</param>
    public TlsTransportListener(TransportListener inner, TlsTransportOptions options, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(options);
        _inner = inner;
        _options = options;
        _logger = logger ?? NullLogger.Instance;
        options.Authentication.ApplicationProtocols ??= [SslApplicationProtocol.Http11];
    }

    /// <inheritdoc/>
    public override EndPoint EndPoint => _inner.EndPoint;

    internal override int Room => _inner.Room;

    /// <summary>Handshakes that failed, ran out of time or were one too many, since the start.</summary>
    public long FailedHandshakes => Interlocked.Read(ref _failures);

    /// <inheritdoc/>
    public override void Start(Action<TransportConnection> onAccepted)
    {
        ArgumentNullException.ThrowIfNull(onAccepted);
        _onAccepted = onAccepted;
        _inner.Start(connection => _ = ServeAsync(connection));
    }

    /// <summary>Accepts no more; handshakes under way and accepted connections go on. Idempotent.</summary>
    public override ValueTask StopAcceptingAsync() => _inner.StopAcceptingAsync();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        TlsConnection[] open;
        lock (_gate)
        {
            _disposed = true;
            open = [.. _open];
        }
        await _inner.StopAcceptingAsync();
        await _closed.CancelAsync();
        foreach (var connection in open) connection.Abort();
        await _inner.DisposeAsync();
    }

    /// <summary>From the accepted connection to its TLS connection; never throws.</summary>
    private async Task ServeAsync(TransportConnection inner)
    {
        if (Interlocked.Increment(ref _handshakes) > _options.MaxPendingHandshakes)
        {
            _logger.TlsHandshakesFull(inner.RemoteEndPoint, _options.MaxPendingHandshakes);
            await DropAsync(inner);
            return;
        }
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        TlsConnection connection;
        try
        {
            connection = await AuthenticateAsync(inner);
        }
        catch (OperationCanceledException) when (!_closed.IsCancellationRequested)
        {
            _logger.TlsHandshakeTimedOut(inner.RemoteEndPoint, _options.HandshakeTimeout);
            await DropAsync(inner);
            return;
        }
        catch (Exception e)
        {
            // Whatever a peer's bytes, or a callback of the options, make of it: the peer is told by a TLS alert, if that was possible.
            _logger.TlsHandshakeFailed(inner.RemoteEndPoint, e);
            await DropAsync(inner);
            return;
        }
        Interlocked.Decrement(ref _handshakes);
        await HandOutAsync(connection);
    }

    private async Task<TlsConnection> AuthenticateAsync(TransportConnection inner)
    {
        using var timeout = new CancellationTokenSource(_options.HandshakeTimeout, _options.TimeProvider);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _closed.Token);
        return await TlsTransport.AuthenticateAsync(inner, _options.Pool, (stream, cancellationToken) =>
            stream.AuthenticateAsServerAsync(_options.Authentication, cancellationToken), stop.Token);
    }

    private async Task HandOutAsync(TlsConnection connection)
    {
        bool late;
        lock (_gate)
        {
            late = _disposed;
            if (!late) _open.Add(connection);
        }
        connection.Disposed = Forget;
        if (!late)
        {
            try
            {
                _onAccepted!(connection);
                return;
            }
            catch (Exception e)
            {
                _logger.AcceptedConnectionFailed(e);
            }
        }
        connection.Abort();
        await connection.DisposeAsync();
    }

    private async Task DropAsync(TransportConnection inner)
    {
        Interlocked.Increment(ref _failures);
        Interlocked.Decrement(ref _handshakes);
        await inner.DisposeAsync();
    }

    private void Forget(TlsConnection connection)
    {
        lock (_gate) _open.Remove(connection);
    }
}
