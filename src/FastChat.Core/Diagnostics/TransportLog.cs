using System.Net;
using Microsoft.Extensions.Logging;

namespace FastChat.Diagnostics;

/// <summary>What transports log. A peer's failure is Debug: anybody can cause as many as he likes.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(2001, LogLevel.Warning, "Accepting on {EndPoint} failed ({Reason}); trying again in {Delay}.")]
    public static partial void AcceptFailed(ILogger logger, EndPoint endPoint, string reason, TimeSpan delay, Exception exception);

    [LoggerMessage(2002, LogLevel.Debug, "A connection to {EndPoint} was gone before it was accepted.")]
    public static partial void AcceptedTooLate(ILogger logger, EndPoint endPoint, Exception exception);

    [LoggerMessage(2003, LogLevel.Error, "The handler of accepted connections on {EndPoint} threw; the connection is dropped.")]
    public static partial void HandlerThrew(ILogger logger, EndPoint endPoint, Exception exception);

    [LoggerMessage(2004, LogLevel.Debug, "TLS handshake with {Peer} failed.")]
    public static partial void TlsHandshakeFailed(ILogger logger, EndPoint? peer, Exception exception);

    [LoggerMessage(2005, LogLevel.Debug, "TLS handshake with {Peer} took longer than {Timeout}.")]
    public static partial void TlsHandshakeTimedOut(ILogger logger, EndPoint? peer, TimeSpan timeout);

    [LoggerMessage(2006, LogLevel.Debug, "A connection of {Peer} is dropped: {Limit} TLS handshakes are pending.")]
    public static partial void TlsHandshakesFull(ILogger logger, EndPoint? peer, int limit);
}
