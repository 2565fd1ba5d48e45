using System.Net.Sockets;
using System.Net.WebSockets;
using FastChat.Connections;
using FastChat.Core.Tests.Connections;
using FastChat.Core.Tests.Protocol.Compression;
using FastChat.Protocol.Compression;
using static FastChat.Core.Tests.NetworkHarness;

namespace FastChat.Core.Tests;

/// <summary>Messages in pieces and to many connections, against the runtime's own client, over each transport.</summary>
public sealed class WebSocketServerMessagesTests
{
    public static TheoryData<TransportKind, HandlerScheduling, bool> Ways => WebSocketServerNetworkTests.Ways;

    public static TheoryData<TransportKind> Kinds => NetworkHarness.Kinds;

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task The_runtimes_client_gets_each_piece_as_it_leaves_and_then_the_end(TransportKind kind, HandlerScheduling scheduling, bool deflate)
    {
        foreach (bool takeover in (bool[])[false, true])
        {
            var next = new SemaphoreSlim(0);
            byte[][] pieces = [DeflateSamples.Json(40), [.. DeflateSamples.Json(4000), .. "€"u8[..1]], "€"u8[1..].ToArray()];
            await using var harness = await StartAsync(kind, options =>
            {
                options.HandlerScheduling = scheduling;
                options.Compression = deflate ? new PerMessageDeflateOptions { ServerContextTakeover = takeover, Threshold = 30 } : null;
            }, ("/pieces", new LambdaHandler(async (connection, _) =>
            {
                await using (var message = connection.OpenMessage(WebSocketMessageKind.Text))
                {
                    foreach (byte[] piece in pieces)
                    {
                        await message.WriteAsync(piece);
                        Assert.True(await next.WaitAsync(Patience)); // the client has it
                    }
                    await message.CompleteAsync();
                }
                await connection.SendTextAsync("afterwards");
            })));
            var client = await harness.ConnectAsync("/pieces", options => options.DangerousDeflateOptions = deflate ? new() : null);
            for (int round = 0; round < 2; round++)
            {
                await client.SendAsync("go"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None).WaitAsync(Patience);
                byte[] buffer = new byte[10_000];
                foreach (byte[] piece in pieces)
                {
                    int got = 0;
                    while (got < piece.Length)
                    {
                        var part = await client.ReceiveAsync(buffer.AsMemory(got), CancellationToken.None).AsTask().WaitAsync(Patience);
                        Assert.False(part.EndOfMessage);
                        got += part.Count;
                    }
                    Assert.Equal(piece, buffer[..got]);
                    next.Release();
                }
                Assert.Empty(await ReceiveAsync(client, WebSocketMessageType.Text));
                Assert.Equal("afterwards"u8.ToArray(), await ReceiveAsync(client, WebSocketMessageType.Text));
            }
            await CloseAsync(client);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_server_lists_its_connections_and_a_room_hears_what_one_of_them_says(TransportKind kind)
    {
        WebSocketServer? server = null;
        await using var harness = await StartAsync(kind, options => options.Compression = new PerMessageDeflateOptions(), ("/room", new LambdaHandler((_, message) =>
        {
            Assert.Empty(server!.GetConnections().Broadcast(message));
            return default;
        })));
        server = harness.Server;
        Assert.Empty(server.GetConnections());
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await silent.ConnectAsync(server.EndPoint).WaitAsync(Patience);
        await WebSocketServerTests.Until(() => server.Connections == 1); // its handshake is counted, and not listed
        var clients = new List<ClientWebSocket>();
        for (int i = 0; i < 20; i++) clients.Add(await harness.ConnectAsync("/room", options => options.DangerousDeflateOptions = i % 2 == 0 ? new() : null));
        await WebSocketServerTests.Until(() => server.GetConnections().Count == clients.Count);
        Assert.All(server.GetConnections(), connection => Assert.True(connection.IsOpen));
        byte[] text = DeflateSamples.Json(2000);
        foreach (var speaker in (ClientWebSocket[])[clients[0], clients[1]])
        {
            await speaker.SendAsync(text, WebSocketMessageType.Text, true, CancellationToken.None).WaitAsync(Patience);
            foreach (var client in clients) Assert.Equal(text, await ReceiveAsync(client, WebSocketMessageType.Text));
        }
        foreach (var client in clients) await CloseAsync(client);
        await WebSocketServerTests.Until(() => server.GetConnections().Count == 0);
    }
}
