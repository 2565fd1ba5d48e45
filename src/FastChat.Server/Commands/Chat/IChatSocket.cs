using System.Net.WebSockets;

namespace FastChat.Server.Commands.Chat;

/// <summary>A WebSocket as the terminal client needs it: whole text messages. One sender and one receiver at a time.</summary>
internal interface IChatSocket : IAsyncDisposable
{
    /// <summary>Sends a text message.</summary>
    Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken);

    /// <summary>Returns the next message; null when the peer has closed.</summary>
    /// <exception cref="WebSocketException">The connection broke, or a message is too large.</exception>
    Task<byte[]?> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>Why the peer closed, where it said so.</summary>
    string? CloseReason { get; }
}

/// <summary>An <see cref="IChatSocket"/> over the runtime's client.</summary>
internal sealed class ClientChatSocket : IChatSocket
{
    private const int MaxMessageBytes = 4 << 20;
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);
    private readonly ClientWebSocket _socket = new();

    private ClientChatSocket()
    {
    }

    public string? CloseReason => _socket.CloseStatusDescription;

    /// <summary>Connects. The token travels in a header, so that no log of addresses holds it.</summary>
    public static async Task<IChatSocket> ConnectAsync(Uri address, string token, CancellationToken cancellationToken)
    {
        var connection = new ClientChatSocket();
        try
        {
            connection._socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
            await connection._socket.ConnectAsync(address, cancellationToken);
            return connection;
        }
        catch
        {
            connection._socket.Dispose();
            throw;
        }
    }

    public Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, cancellationToken).AsTask();

    public async Task<byte[]?> ReceiveAsync(CancellationToken cancellationToken)
    {
        using var message = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            var received = await _socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
            if (received.MessageType == WebSocketMessageType.Close)
                return null;
            message.Write(buffer, 0, received.Count);
            if (message.Length > MaxMessageBytes)
                throw new WebSocketException("The server sent a message that is too large.");
            if (received.EndOfMessage)
                return message.ToArray();
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (_socket)
        {
            if (_socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived))
                return;
            using var timeout = new CancellationTokenSource(CloseTimeout);
            try
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException)
            {
                // Gone already: nothing is left to close.
            }
        }
    }
}
