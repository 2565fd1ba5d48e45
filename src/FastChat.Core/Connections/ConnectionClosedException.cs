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

    /// <summary>Why it ended, or is about to; <see cref="EndReason.None"/> for a send that was waiting when the close frame was written.</summary>
    public EndReason Reason { get; }

    /// <summary>The close code said or received; 1006 where none was.</summary>
    public CloseCode CloseCode { get; }
}
