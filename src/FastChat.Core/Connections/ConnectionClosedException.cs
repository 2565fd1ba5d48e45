using FastChat.Protocol;

namespace FastChat.Connections;

/// <summary>Thrown by a send on a connection that is closed, closing or lost.</summary>
public sealed class ConnectionClosedException : IOException
{
    internal ConnectionClosedException(EndReason reason, CloseCode closeCode)
        : base($"The WebSocket connection is closed ({reason}, {(int)closeCode}).")
    {
        Reason = reason;
        CloseCode = closeCode;
    }

    /// <summary>Why it ended; <see cref="EndReason.None"/> while a closing handshake is under way.</summary>
    public EndReason Reason { get; }

    /// <summary>The close code said or received; 1006 where none was.</summary>
    public CloseCode CloseCode { get; }
}
