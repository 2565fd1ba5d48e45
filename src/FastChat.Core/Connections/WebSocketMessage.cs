using System.Buffers;
using System.Text;
using FastChat.Protocol;

namespace FastChat.Connections;

/// <summary>Text or bytes (RFC 6455 section 5.6).</summary>
public enum WebSocketMessageKind
{
    /// <summary>UTF-8 text, validated.</summary>
    Text = Opcode.Text,
    /// <summary>Bytes.</summary>
    Binary = Opcode.Binary,
}

/// <summary>
/// A message received whole. Its payload lies in the connection's receive buffer: it is valid until the handler's task completes, or until
/// the next <see cref="WebSocketConnection.ReadMessageAsync"/>; copy what is to live longer.
/// </summary>
public readonly struct WebSocketMessage(WebSocketMessageKind kind, ReadOnlySequence<byte> payload)
{
    /// <summary>Text or binary.</summary>
    public WebSocketMessageKind Kind { get; } = kind;

    /// <summary>The payload, unmasked and inflated; for text it is valid UTF-8. Mostly one segment; large messages come in several.</summary>
    public ReadOnlySequence<byte> Payload { get; } = payload;

    /// <summary>Whether this is text.</summary>
    public bool IsText => Kind == WebSocketMessageKind.Text;

    /// <summary>The payload as a string. Allocates it.</summary>
    public string GetText() => Encoding.UTF8.GetString(Payload);
}
