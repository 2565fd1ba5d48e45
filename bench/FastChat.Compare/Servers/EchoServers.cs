using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FastChat.Compare.Servers;

/// <summary>The echo servers that are written with what .NET brings, run as processes of their own. They end when their input does.</summary>
internal static class EchoServers
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>ASP.NET Core as one would use it for this: Kestrel and its WebSockets.</summary>
    public static async Task RunKestrelAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        await using var app = builder.Build();
        app.UseWebSockets();
        app.Run(async context =>
        {
            if (!context.WebSockets.IsWebSocketRequest)
            {
                context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
                return;
            }
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await EchoAsync(socket);
        });
        await app.StartAsync();
        await WaitForEndOfInputAsync();
    }

    /// <summary>The in-box WebSocket on a raw socket, as cheap as it gets without Kestrel.</summary>
    public static async Task RunInBoxAsync(int port)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(4096);
        _ = AcceptAsync();
        await WaitForEndOfInputAsync();

        async Task AcceptAsync()
        {
            while (true)
            {
                var socket = await listener.AcceptAsync();
                socket.NoDelay = true;
                _ = ServeAsync(new NetworkStream(socket, ownsSocket: true));
            }
        }
    }

    private static async Task ServeAsync(NetworkStream stream)
    {
        await using var owned = stream;
        try
        {
            if (await ReadKeyAsync(stream) is not { } key) return;
#pragma warning disable CA5350 // RFC 6455 section 4.2.2 wants SHA-1
            string accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"));
            using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = TimeSpan.Zero });
            await EchoAsync(socket);
        }
        catch (IOException)
        {
            // The client is gone.
        }
    }

    /// <summary>The key of the one request; null where the client goes or sends nonsense.</summary>
    private static async Task<string?> ReadKeyAsync(NetworkStream stream)
    {
        const string name = "Sec-WebSocket-Key:";
        byte[] head = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            int length = 0;
            while (head.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
            {
                int n = length < head.Length ? await stream.ReadAsync(head.AsMemory(length)) : 0;
                if (n == 0) return null;
                length += n;
            }
            return Encoding.ASCII.GetString(head, 0, length).Split("\r\n").FirstOrDefault(l => l.StartsWith(name, StringComparison.OrdinalIgnoreCase))?[name.Length..].Trim();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(head);
        }
    }

    /// <summary>Sends every piece of a message on as it comes.</summary>
    private static async Task EchoAsync(WebSocket socket)
    {
        // Rented arrays are not cleared: what is never written to costs an idle connection no memory.
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                var piece = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (piece.MessageType == WebSocketMessageType.Close) break;
                await socket.SendAsync(buffer.AsMemory(0, piece.Count), piece.MessageType, piece.EndOfMessage, CancellationToken.None);
            }
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // The client is gone.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>On a thread of its own: reading standard input blocks, and with one CPU the pool begins with a single thread.</summary>
    private static Task WaitForEndOfInputAsync() => Task.Factory.StartNew(() =>
    {
        while (Console.In.ReadLine() is not null)
        {
        }
    }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
