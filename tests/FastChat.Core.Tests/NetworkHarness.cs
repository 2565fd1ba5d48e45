using System.Net.Sockets;
using System.Net.WebSockets;
using FastChat.Connections;
using FastChat.Core.Tests.Connections;
using FastChat.Core.Tests.Handshake;
using FastChat.Protocol;
using FastChat.TestKit;
using FastChat.Transport;
using FastChat.Transport.Epoll;

namespace FastChat.Core.Tests;

/// <summary>A server on a real socket of this machine, with a pool that must be whole again when it is gone.</summary>
internal sealed class NetworkHarness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private NetworkHarness(TransportKind kind, Action<WebSocketServerOptions>? configure, (string Path, WebSocketHandler Handler)[] routes)
    {
        Assert.SkipUnless(kind != TransportKind.Epoll || EpollListener.IsSupported, "epoll is a Linux facility.");
        var options = new WebSocketServerOptions { Transport = kind, Loops = 2, Pool = Pool, LoggerFactory = Log };
        options.Limits.MaxMessageBytes = options.Limits.MaxFrameBytes = 16 << 20;
        configure?.Invoke(options);
        Server = new WebSocketServer(options);
        foreach (var (path, handler) in routes) Server.Map(path, handler);
        if (routes.Length == 0) Server.Map("/echo", LambdaHandler.Echo());
    }

    /// <summary>The transports that a server can run on.</summary>
    public static TheoryData<TransportKind> Kinds => [TransportKind.Epoll, TransportKind.Sockets];

    public TrackingArrayPool Pool { get; } = new();

    public RecordingLogger Log { get; } = new();

    public WebSocketServer Server { get; }

    public static async Task<NetworkHarness> StartAsync(TransportKind kind, Action<WebSocketServerOptions>? configure = null, params (string Path, WebSocketHandler Handler)[] routes)
    {
        var harness = new NetworkHarness(kind, configure, routes);
        await harness.Server.StartAsync();
        return harness;
    }

    /// <summary>Connects the runtime's own client.</summary>
    public async Task<ClientWebSocket> ConnectAsync(string path = "/echo", Action<ClientWebSocketOptions>? configure = null, HttpMessageInvoker? invoker = null)
    {
        var client = new ClientWebSocket();
        client.Options.Proxy = null;
        configure?.Invoke(client.Options);
        await client.ConnectAsync(new Uri($"ws://127.0.0.1:{(Server.Port > 0 ? Server.Port : 80)}{path}"), invoker, CancellationToken.None).WaitAsync(Patience);
        return client;
    }

    /// <summary>Connects a socket and asks for an upgrade, no more.</summary>
    public async Task<Socket> KnockAsync(string path = "/echo", params byte[][] more)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Server.EndPoint).WaitAsync(Patience);
        await SendAsync(socket, [.. Heads.Of([$"GET {path} HTTP/1.1", .. Heads.Upgrade[1..]]), .. more.SelectMany(m => m)]);
        return socket;
    }

    /// <summary>An open connection whose other end is made of octets.</summary>
    public async Task<RawPeer> OpenAsync(string path = "/echo")
    {
        var transport = await SocketTransport.ConnectAsync(Server.EndPoint).WaitAsync(Patience);
        var peer = new RawPeer(transport, EndpointRole.Server);
        await peer.SendAsync(Heads.Of([$"GET {path} HTTP/1.1", .. Heads.Upgrade[1..]]));
        Assert.StartsWith("HTTP/1.1 101 ", await peer.HeadAsync(), StringComparison.Ordinal);
        return peer;
    }

    public static async Task SendAsync(Socket socket, byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;) sent += await socket.SendAsync(bytes.AsMemory(sent)).AsTask().WaitAsync(Patience);
    }

    /// <summary>Everything the server sends up to its end; a reset is an end too.</summary>
    public static async Task<byte[]> ReadToEndAsync(Socket socket)
    {
        var all = new MemoryStream();
        byte[] buffer = new byte[65536];
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory()).AsTask().WaitAsync(Patience) is var count and > 0) all.Write(buffer, 0, count);
        }
        catch (SocketException)
        {
        }
        return all.ToArray();
    }

    public static async Task<byte[]> ReceiveAsync(ClientWebSocket client, WebSocketMessageType expected)
    {
        var message = new MemoryStream();
        byte[] buffer = new byte[65536];
        while (true)
        {
            var result = await client.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(Patience);
            Assert.Equal(expected, result.MessageType);
            message.Write(buffer, 0, result.Count);
            if (result.EndOfMessage) return message.ToArray();
        }
    }

    /// <summary>Sends a message and checks that it comes back.</summary>
    public static async Task EchoAsync(ClientWebSocket client, byte[] message, WebSocketMessageType type)
    {
        await client.SendAsync(message, type, true, CancellationToken.None).WaitAsync(Patience);
        byte[] echo = await ReceiveAsync(client, type);
        Assert.True(message.AsSpan().SequenceEqual(echo), $"{message.Length} bytes came back as {echo.Length} others");
    }

    /// <summary>Closes from the client's side and waits for the answer.</summary>
    public static async Task CloseAsync(ClientWebSocket client)
    {
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, client.CloseStatus);
        client.Dispose();
    }

    /// <summary>Valid text of exactly so many bytes, of characters of every length.</summary>
    public static byte[] Text(int size)
    {
        byte[] text = new byte[size];
        var unit = "aé€😀"u8;
        int at = 0;
        for (; at + unit.Length <= size; at += unit.Length) unit.CopyTo(text.AsSpan(at));
        text.AsSpan(at).Fill((byte)'z');
        return text;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync().AsTask().WaitAsync(Patience);
        await WebSocketServerTests.Until(() => Server.Connections == 0 && Pool.Outstanding == 0);
        Pool.AssertNothingRented();
        Assert.DoesNotContain(Log.Lines, line => line.Id is 1 or 4 or 16 or 17);
    }
}
