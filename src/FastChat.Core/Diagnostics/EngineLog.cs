using FastChat.Connections;
using FastChat.Protocol;
using Microsoft.Extensions.Logging;

namespace FastChat.Diagnostics;

/// <summary>What the engine says. Detail about a peer's mistakes goes here, never onto the wire.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(1, LogLevel.Critical, "An event loop failed and has ended; its connections are aborted.")]
    public static partial void LoopFailed(this ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Warning, "A turn of the event loop took {Milliseconds} ms: a handler blocks. Use HandlerScheduling.ThreadPool or make it await.")]
    public static partial void LoopStalled(this ILogger logger, long milliseconds);

    [LoggerMessage(3, LogLevel.Warning, "Accepting on {EndPoint} failed with error {Error}; it is tried again until it succeeds. Connections wait meanwhile.")]
    public static partial void AcceptFailed(this ILogger logger, System.Net.EndPoint endPoint, int error);

    [LoggerMessage(5, LogLevel.Warning, "Descriptors run out (ulimit -n, LimitNOFILE): new connections on {EndPoint} wait until some are closed.")]
    public static partial void DescriptorsShort(this ILogger logger, System.Net.EndPoint endPoint);

    [LoggerMessage(6, LogLevel.Information, "Connections on {EndPoint} are accepted again.")]
    public static partial void AcceptsAgain(this ILogger logger, System.Net.EndPoint endPoint);

    [LoggerMessage(7, LogLevel.Warning, "MaxConnections is {MaxConnections}, but descriptors (ulimit -n, LimitNOFILE) are left for {Room} connections; more will wait to be accepted.")]
    public static partial void DescriptorsFewerThanConnections(this ILogger logger, int maxConnections, int room);

    [LoggerMessage(4, LogLevel.Error, "Serving an accepted connection failed.")]
    public static partial void AcceptedConnectionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(10, LogLevel.Debug, "Connection {Id} ended: {Reason}, close code {CloseCode}, rule {Rule}.")]
    public static partial void ConnectionEnded(this ILogger logger, long id, EndReason reason, CloseCode closeCode, FrameError rule);

    [LoggerMessage(11, LogLevel.Error, "The handler of connection {Id} failed; it is closed with 1011.")]
    public static partial void HandlerFailed(this ILogger logger, Exception exception, long id);

    [LoggerMessage(12, LogLevel.Debug, "A handshake was refused: {Status}, {Rule}.")]
    public static partial void HandshakeRefused(this ILogger logger, int status, string rule);

    [LoggerMessage(13, LogLevel.Debug, "A connection ended before its handshake was complete: {Reason}.")]
    public static partial void HandshakeAbandoned(this ILogger logger, EndReason reason);

    [LoggerMessage(16, LogLevel.Error, "Receiving on connection {Id} failed unexpectedly; it is aborted.")]
    public static partial void ConnectionFailed(this ILogger logger, Exception exception, long id);

    [LoggerMessage(17, LogLevel.Error, "A callback on the Closed token of connection {Id} threw.")]
    public static partial void CallbackFailed(this ILogger logger, Exception exception, long id);

    [LoggerMessage(18, LogLevel.Error, "A handler failed to decide on an upgrade, or its refusal cannot be sent; it is answered 500.")]
    public static partial void UpgradeHandlerFailed(this ILogger logger, Exception exception);

    [LoggerMessage(14, LogLevel.Information, "Listening on {EndPoint}.")]
    public static partial void Listening(this ILogger logger, System.Net.EndPoint endPoint);

    [LoggerMessage(15, LogLevel.Information, "Draining {Connections} connections.")]
    public static partial void Draining(this ILogger logger, int connections);
}
