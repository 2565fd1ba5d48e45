namespace FastChat.Connections;

/// <summary>Why a connection ended, for logs and events; the wire only ever saw a close code.</summary>
public enum EndReason
{
    /// <summary>It is still open.</summary>
    None,
    /// <summary>The peer began the closing handshake.</summary>
    ClosedByPeer,
    /// <summary>This end began it (<see cref="WebSocketConnection.CloseAsync"/>).</summary>
    ClosedHere,
    /// <summary>The stream ended, or was reset, without a close frame (1006).</summary>
    PeerVanished,
    /// <summary>The peer broke a rule of RFC 6455 or RFC 7692.</summary>
    ProtocolError,
    /// <summary>The peer's text was not UTF-8, or its data did not inflate.</summary>
    InvalidPayload,
    /// <summary>A frame or message was over its limit.</summary>
    MessageTooBig,
    /// <summary>Nothing came from the peer in time after a ping.</summary>
    PongTimeout,
    /// <summary>The peer did not answer a close frame, or did not take it, in time.</summary>
    CloseTimeout,
    /// <summary>The handshake took too long.</summary>
    HandshakeTimeout,
    /// <summary>The peer did not read, and the send queue was full under <see cref="SendQueuePolicy.Close"/>.</summary>
    SendQueueFull,
    /// <summary>The handler threw.</summary>
    HandlerFailed,
    /// <summary><see cref="WebSocketConnection.Abort"/> was called.</summary>
    Aborted,
    /// <summary>The server is shutting down.</summary>
    Draining,
    /// <summary>A message sent in pieces (<see cref="MessageStream"/>) was disposed of before it was complete.</summary>
    MessageAbandoned,
}
