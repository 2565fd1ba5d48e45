using System.Buffers;
using System.Text;

namespace FastChat.Connections;

/// <summary>One message to many connections.</summary>
public static class WebSocketBroadcast
{
    /// <summary>
    /// Sends a message to each of the connections and waits for none: the frame is made once, and copied to each queue that has room. Safe
    /// from any thread; what a connection is sent from one thread keeps its order.
    /// </summary>
    /// <remarks>
    /// It is compressed once for all connections that negotiated permessage-deflate without context takeover, and goes uncompressed to the
    /// others. A connection that is in the middle of a message in pieces gets it afterwards.
    /// </remarks>
    /// <param name="connections">The receivers: a room of your own, or <see cref="WebSocketServer.GetConnections"/>.</param>
    /// <param name="message">Text (which must be valid UTF-8) or bytes, valid until this returns: a message just received, say.</param>
    /// <returns>
    /// Those that did not get it, because they are closing or gone, or because their send queue is full: under
    /// <see cref="SendQueuePolicy.Close"/> they are being closed for that, under <see cref="SendQueuePolicy.DropNewest"/> it is counted, under
    /// <see cref="SendQueuePolicy.Wait"/> nothing happens to them. Empty, and not allocated, where all did.
    /// </returns>
    public static IReadOnlyList<WebSocketConnection> Broadcast(this IEnumerable<WebSocketConnection> connections, WebSocketMessage message)
    {
        ArgumentNullException.ThrowIfNull(connections);
        List<WebSocketConnection>? missed = null;
        using var frame = new BroadcastFrame(message, ArrayPool<byte>.Shared);
        foreach (var connection in connections)
            if (!connection.Offer(frame)) (missed ??= []).Add(connection);
        return missed ?? (IReadOnlyList<WebSocketConnection>)[];
    }

    /// <summary>Sends text to each of the connections and waits for none. A lone surrogate goes out as U+FFFD.</summary>
    /// <inheritdoc cref="Broadcast(IEnumerable{WebSocketConnection}, WebSocketMessage)"/>
    public static IReadOnlyList<WebSocketConnection> Broadcast(this IEnumerable<WebSocketConnection> connections, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        byte[] utf8 = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            int length = Encoding.UTF8.GetBytes(text, utf8);
            return Broadcast(connections, new WebSocketMessage(WebSocketMessageKind.Text, new ReadOnlySequence<byte>(utf8, 0, length)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(utf8);
        }
    }
}
