using System.Buffers;
using FastChat.Protocol;
using Microsoft.Extensions.Logging;

namespace FastChat.Connections;

/// <summary>What all connections of one server or client have in common; made once.</summary>
internal sealed class ConnectionSettings
{
    public required EndpointRole Role { get; init; }

    public required WebSocketLimits Limits { get; init; }

    public required ILogger Logger { get; init; }

    public required TimeProvider TimeProvider { get; init; }

    public required Heartbeat Heartbeat { get; init; }

    /// <summary>The longest message that may come in one frame, in octets.</summary>
    public int MaxWholeFrame => field > 0 ? field : field = (int)Math.Min(Limits.MaxFrameBytes, Limits.MaxMessageBytes);

    /// <summary>Called with each connection at its very end.</summary>
    public Action<WebSocketConnection>? OnEnded { get; init; }

    public ArrayPool<byte> Pool { get; init; } = ArrayPool<byte>.Shared;

    /// <summary>Payloads from this size on are passed to the transport as they lie instead of being copied behind their header.</summary>
    public int DirectFrom { get; init; } = 8 * 1024;
}
