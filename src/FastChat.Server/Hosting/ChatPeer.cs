using FastChat.Chat;
using FastChat.Connections;
using FastChat.Protocol;

namespace FastChat.Server.Hosting;

/// <summary>A WebSocket connection as the chat sees it.</summary>
internal sealed class ChatPeer(WebSocketConnection connection) : IChatPeer
{
    // Less than this under way is a peer that keeps up: waiting for each chunk's system call would cost more than it puts together.
    private const int LowWater = 16 * 1024;

    public ValueTask SendTextAsync(ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken = default) =>
        connection.SendTextAsync(utf8, cancellationToken);

    public ValueTask WaitForRoomAsync(CancellationToken cancellationToken = default) =>
        connection.QueuedBytes < LowWater ? default : new(connection.FlushedAsync(cancellationToken));

    public ValueTask CloseAsync(int code, string reason) => connection.CloseAsync((CloseCode)code, reason);
}
