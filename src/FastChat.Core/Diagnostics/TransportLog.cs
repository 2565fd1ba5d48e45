using System.Net;
using Microsoft.Extensions.Logging;

namespace FastChat.Diagnostics;

/// <summary>What transports log besides <see cref="EngineLog"/>. A peer's failure is Debug: anybody can cause as many as they like.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(3001, LogLevel.Debug, "A connection to {EndPoint} was gone before it was accepted.")]
    public static partial void AcceptedTooLate(this ILogger logger, EndPoint endPoint, Exception exception);

    [LoggerMessage(3002, LogLevel.Debug, "TLS handshake with {Peer} failed.")]
    public static partial void TlsHandshakeFailed(this ILogger logger, EndPoint? peer, Exception exception);

    [LoggerMessage(3003, LogLevel.Debug, "TLS handshake with {Peer} took longer than {Timeout}.")]
    public static partial void TlsHandshakeTimedOut(this ILogger logger, EndPoint? peer, TimeSpan timeout);

    [LoggerMessage(3004, LogLevel.Debug, "A connection of {Peer} is dropped: {Limit} TLS handshakes are pending.")]
    public static partial void TlsHandshakesFull(this ILogger logger, EndPoint? peer, int limit);
}
