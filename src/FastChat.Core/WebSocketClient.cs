using System.Collections.ObjectModel;
using System.Net.Security;
using FastChat.Connections;
using FastChat.Handshake;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using FastChat.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat;

/// <summary>
/// Opens WebSocket connections (RFC 6455 section 4.1). One client serves any number of connections, which share its timer and compressors;
/// thread-safe. Redirects are not followed.
/// </summary>
/// <example>
/// <code>
/// await using var client = new WebSocketClient();
/// await using var connection = await client.ConnectAsync(new Uri("ws://127.0.0.1:9001/echo"));
/// await connection.SendTextAsync("hello");
/// Console.WriteLine((await connection.ReadMessageAsync())?.GetText());
/// </code>
/// </example>
public sealed class WebSocketClient : IAsyncDisposable
{
    private readonly WebSocketClientOptions _options;
    private readonly ClientHandshakeOptions _handshake;
    private readonly ConnectionSettings _settings;
    private readonly CompressionPool? _compression;

    /// <summary>A client as the options say; the defaults if null.</summary>
    /// <exception cref="ArgumentException">A header or a subprotocol is malformed, or the handshake's own.</exception>
    public WebSocketClient(WebSocketClientOptions? options = null)
    {
        _options = options ??= new WebSocketClientOptions();
        _handshake = new ClientHandshakeOptions(options.Subprotocols, PerMessageDeflateNegotiation.Offer(options.Compression), options.Headers);
        _compression = options.Compression is { } compression ? new CompressionPool(compression) : null;
        _settings = new ConnectionSettings
        {
            Role = EndpointRole.Client,
            Limits = options.Limits,
            Logger = options.LoggerFactory?.CreateLogger("FastChat") ?? NullLogger.Instance,
            TimeProvider = options.TimeProvider,
            Heartbeat = new Heartbeat(options.TimeProvider, options.Limits.Shortest),
            Pool = options.Pool,
        };
    }

    /// <summary>Connects. The connection's messages are pulled with <see cref="WebSocketConnection.ReadMessageAsync"/>, or go to a handler.</summary>
    /// <param name="uri">ws or wss.</param>
    /// <param name="handler">Gets the messages; null to pull them.</param>
    /// <param name="cancellationToken">Gives up connecting.</param>
    /// <exception cref="WebSocketConnectException">The server cannot be reached, or did not agree to the handshake.</exception>
    /// <exception cref="ArgumentException">The URI does not name a WebSocket.</exception>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    public async Task<WebSocketConnection> ConnectAsync(Uri uri, WebSocketHandler? handler = null, CancellationToken cancellationToken = default)
    {
        ClientHandshake.CheckUri(uri);
        using var timeout = new CancellationTokenSource(_options.ConnectTimeout, _options.TimeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        TransportConnection? transport = null;
        try
        {
            transport = await OpenAsync(uri, both.Token).ConfigureAwait(false);
            return await HandshakeAsync(transport, uri, handler, both.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (transport is not null)
            {
                transport.Abort();
                await transport.DisposeAsync().ConfigureAwait(false);
            }
            cancellationToken.ThrowIfCancellationRequested();
            if (e is WebSocketConnectException) throw;
            if (timeout.IsCancellationRequested) throw new WebSocketConnectException($"{uri.Host} did not answer within {_options.ConnectTimeout.TotalSeconds:0.#} s.", 0, e);
            if (e is IOException or System.Net.Sockets.SocketException or System.Security.Authentication.AuthenticationException)
                throw new WebSocketConnectException($"{uri.Host}: {e.Message}", 0, e);
            throw;
        }
    }

    /// <summary>Frees the timer and the compressors. Connections that are open must have ended.</summary>
    public ValueTask DisposeAsync()
    {
        _settings.Heartbeat.Dispose();
        _compression?.Dispose();
        return default;
    }

    private async ValueTask<TransportConnection> OpenAsync(Uri uri, CancellationToken cancellationToken)
    {
        if (_options.Connect is { } connect) return await connect(uri, cancellationToken).ConfigureAwait(false);
        var transport = await SocketTransport.ConnectAsync(uri, new SocketTransportOptions { Pool = _options.Pool, TimeProvider = _options.TimeProvider }, cancellationToken).ConfigureAwait(false);
        if (uri.Scheme is not ("wss" or "https")) return transport;
        var tls = new SslClientAuthenticationOptions { TargetHost = uri.IdnHost };
        _options.ConfigureTls?.Invoke(tls);
        return await TlsTransport.ConnectAsync(transport, tls, _options.Pool, cancellationToken).ConfigureAwait(false);
    }

    private async Task<WebSocketConnection> HandshakeAsync(TransportConnection transport, Uri uri, WebSocketHandler? handler, CancellationToken cancellationToken)
    {
        using var handshake = new ClientHandshake(uri, _handshake, _options.Pool);
        handshake.WriteRequest(transport.Output);
        await transport.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var result = await transport.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var status = handshake.TryRead(result.Buffer, out var consumed);
            transport.Input.AdvanceTo(consumed, status == HeadReadStatus.Complete ? consumed : result.Buffer.End);
            if (status == HeadReadStatus.Complete) break;
            if (status == HeadReadStatus.NeedMore && !result.IsCompleted) continue;
            if (status == HeadReadStatus.NeedMore) handshake.InputEnded();
            throw new WebSocketConnectException(handshake.ErrorMessage, handshake.StatusCode);
        }
        string[] answers = handshake.Extensions is { } extensions ? [extensions] : [];
        var negotiated = PerMessageDeflateNegotiation.CheckAnswer(answers, _options.Compression, out var agreed);
        if (negotiated == NegotiationResult.Invalid)
            throw new WebSocketConnectException($"The server answered with extensions that were not offered: {handshake.Extensions}.", handshake.StatusCode);
        bool compressed = negotiated == NegotiationResult.Agreed;
        var agreement = Agreement.Of(ReadOnlyDictionary<string, string>.Empty, handshake.Subprotocol,
            compressed ? _compression!.CreateInflater(agreed, isServer: false) : null,
            compressed ? _compression!.CreateDeflater(agreed, isServer: false) : null);
        var connection = new WebSocketConnection(transport, _settings, handler, agreement);
        connection.Start();
        return connection;
    }
}
