using Microsoft.Extensions.Logging;

namespace FastChat.Server.Auth;

/// <summary>What authentication tells the log: never a token, a key or a claim.</summary>
internal static partial class AuthLog
{
    [LoggerMessage(2001, LogLevel.Information, "Read {Count} verification keys from {Source}.")]
    public static partial void KeysRead(ILogger logger, string source, int count);

    [LoggerMessage(2002, LogLevel.Warning, "Could not read verification keys from {Source}; the last good ones stay in force. {Reason}")]
    public static partial void KeysNotRead(ILogger logger, string source, string reason);

    [LoggerMessage(2003, LogLevel.Debug, "Refused a peer: {Failure}.")]
    public static partial void Refused(ILogger logger, AuthFailure failure);

    [LoggerMessage(2004, LogLevel.Warning, "The token library failed on a token that had passed our checks: {Type}.")]
    public static partial void LibraryFailed(ILogger logger, string type);
}
