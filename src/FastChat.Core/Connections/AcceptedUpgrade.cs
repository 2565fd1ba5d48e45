using FastChat.Handshake;
using FastChat.Protocol.Compression;
using FastChat.Transport;

namespace FastChat.Connections;

/// <summary>A request that has been matched to a handler, and what to answer it; made by <see cref="WebSocketServer.Prepare"/>.</summary>
public sealed class AcceptedUpgrade
{
    private readonly Func<TransportConnection, AcceptedUpgrade, Task> _run;

    internal AcceptedUpgrade(Func<TransportConnection, AcceptedUpgrade, Task> run, WebSocketRequest request, WebSocketHandler handler, string? subprotocol, PerMessageDeflateParameters agreed, string? extensions)
    {
        _run = run;
        Request = request;
        Handler = handler;
        Subprotocol = subprotocol;
        Agreed = agreed;
        Extensions = extensions;
    }

    /// <summary>The request.</summary>
    public WebSocketRequest Request { get; }

    /// <summary>
    /// The value of the answer's Sec-WebSocket-Accept (RFC 6455 section 4.2.2); null where the request has no valid Sec-WebSocket-Key, as over
    /// HTTP/2 (RFC 8441 section 5).
    /// </summary>
    public string? Accept => field ??= AcceptKey.Of(Request.Head);

    /// <summary>The value of the answer's Sec-WebSocket-Protocol; null for none.</summary>
    public string? Subprotocol { get; }

    /// <summary>The value of the answer's Sec-WebSocket-Extensions; null for none.</summary>
    public string? Extensions { get; }

    internal WebSocketHandler Handler { get; }

    internal PerMessageDeflateParameters Agreed { get; }

    /// <summary>Serves the connection, whose handshake has been answered, until it has ended. Never throws; disposes of the transport.</summary>
    public Task RunAsync(TransportConnection transport) => _run(transport, this);
}
