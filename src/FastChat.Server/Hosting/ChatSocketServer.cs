using FastChat.Protocol.Compression;

namespace FastChat.Server.Hosting;

/// <summary>
/// The WebSocket server with the chat on its paths. With a <see cref="SharedPort"/> it listens, once Kestrel starts; without one it serves
/// only what Kestrel hands it (TLS, HTTP/2, another application's port).
/// </summary>
internal sealed class ChatSocketServer : IAsyncDisposable
{
    public ChatSocketServer(FastChatOptions options, ChatSocketHandler handler, SharedPort? port, TimeProvider time, ILoggerFactory loggers)
    {
        Handler = handler;
        var server = new WebSocketServerOptions
        {
            Limits = options.Sockets,
            MaxConnections = options.MaxConnections,
            MaxConnectionsPerAddress = options.MaxConnectionsPerAddress,
            MaxHeadBytes = ServerHost.MaxHeadBytes,
            HandshakeTimeout = options.HandshakeTimeout,
            Compression = options.Compression ? new PerMessageDeflateOptions() : null,
            TimeProvider = time,
            LoggerFactory = loggers,
        };
        if (port is not null)
            (server.EndPoint, server.Fallback) = (port.EndPoint, port.HandOn);
        else
            server.Loops = 1;
        Server = new WebSocketServer(server);
        foreach (string path in ChatSocketHandler.Paths)
            Server.Map(path, handler);
    }

    public WebSocketServer Server { get; }

    public ChatSocketHandler Handler { get; }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
