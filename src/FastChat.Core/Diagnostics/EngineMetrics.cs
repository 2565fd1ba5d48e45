using System.Diagnostics.Metrics;

namespace FastChat.Diagnostics;

/// <summary>What the engine counts, on the meter "FastChat". Nothing is counted per message while nobody listens.</summary>
internal static class EngineMetrics
{
    private static readonly Meter Meter = new("FastChat");

    public static readonly UpDownCounter<long> Connections = Meter.CreateUpDownCounter<long>("fastchat.connections", "{connection}", "WebSocket connections now open.");
    public static readonly Counter<long> ConnectionsEnded = Meter.CreateCounter<long>("fastchat.connections.ended", "{connection}", "Connections that ended, by reason.");
    public static readonly Counter<long> HandshakesRefused = Meter.CreateCounter<long>("fastchat.handshakes.refused", "{handshake}", "Upgrades refused, by status.");
    public static readonly Counter<long> MessagesReceived = Meter.CreateCounter<long>("fastchat.messages.received", "{message}", "Data messages received.");
    public static readonly Counter<long> MessagesSent = Meter.CreateCounter<long>("fastchat.messages.sent", "{message}", "Data messages accepted for sending.");
    public static readonly Counter<long> BytesReceived = Meter.CreateCounter<long>("fastchat.bytes.received", "By", "Bytes received, framing and all.");
    public static readonly Counter<long> BytesSent = Meter.CreateCounter<long>("fastchat.bytes.sent", "By", "Bytes handed to the transport, framing and all.");
    public static readonly Counter<long> MessagesDropped = Meter.CreateCounter<long>("fastchat.messages.dropped", "{message}", "Messages dropped because a send queue was full.");
    public static readonly Histogram<long> SendQueueDepth = Meter.CreateHistogram<long>("fastchat.send_queue.depth", "By", "Bytes queued on a connection when a send found its queue not empty.");
    public static readonly Counter<long> LoopStalls = Meter.CreateCounter<long>("fastchat.loop.stalls", "{stall}", "Turns of an event loop that took longer than the stall threshold.");
}
