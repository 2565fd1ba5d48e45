using System.Buffers;
using FastChat.Connections;
using FastChat.Core.Tests.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Protocol;
using FastChat.TestKit;
using FastChat.Transport;

namespace FastChat.Core.Tests.Transport;

/// <content>WebSockets of ours at both ends: what they do beyond messages in one frame.</content>
public abstract partial class TransportContractTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task WebSocket_messages_in_pieces_arrive_whole_both_ways_at_once()
    {
        var (server, client) = await WebSocketsAsync();
        await Task.WhenAll(SendAsync(server, 1), SendAsync(client, 2), ReceiveAsync(server, 2), ReceiveAsync(client, 1)).WaitAsync(Patience);
        await EndAsync(server, client);

        static byte[] Message(int seed, int number) => Frames.Pattern(number % 5 == 0 ? 300_000 : 7 * number, seed + number);

        static Task SendAsync(WebSocketConnection connection, int seed) => Task.Run(async () =>
        {
            for (int i = 0; i < 40; i++)
            {
                await using var message = connection.OpenMessage(WebSocketMessageKind.Binary);
                var rest = Message(seed, i).AsMemory();
                var random = new Random(i);
                while (rest.Length > 0 && random.Next(4) > 0)
                {
                    int length = random.Next(rest.Length + 1);
                    await message.WriteAsync(rest[..length]);
                    rest = rest[length..];
                }
                await message.CompleteAsync(rest);
            }
            await connection.SendTextAsync("done");
        });

        static Task ReceiveAsync(WebSocketConnection connection, int seed) => Task.Run(async () =>
        {
            int count = 0;
            await foreach (var message in connection.ReadAllAsync())
            {
                if (message.IsText) break;
                Assert.Equal(Message(seed, count++), message.Payload.ToArray());
            }
            Assert.Equal(40, count);
        });
    }

    [Fact]
    public async Task A_WebSocket_broadcast_reaches_everybody_in_order()
    {
        const int Messages = 50;
        var pairs = new List<(WebSocketConnection Server, WebSocketConnection Client)>();
        for (int i = 0; i < 8; i++) pairs.Add(await WebSocketsAsync());
        var receiving = pairs.Select(pair => Task.Run(async () =>
        {
            int count = 0;
            await foreach (var message in pair.Client.ReadAllAsync())
            {
                Assert.Equal(Frames.Pattern(count % 10 == 0 ? 30_000 : count, count), message.Payload.ToArray());
                if (++count == Messages) break;
            }
            Assert.Equal(Messages, count);
        })).ToArray();
        var servers = pairs.Select(pair => pair.Server).ToArray();
        await Task.Run(() =>
        {
            for (int i = 0; i < Messages; i++)
                Assert.Empty(servers.Broadcast(new WebSocketMessage(WebSocketMessageKind.Binary, new ReadOnlySequence<byte>(Frames.Pattern(i % 10 == 0 ? 30_000 : i, i)))));
        }).WaitAsync(Patience);
        await Task.WhenAll(receiving).WaitAsync(Patience);
        foreach (var (server, client) in pairs) await EndAsync(server, client);
    }

    private static async Task EndAsync(WebSocketConnection server, WebSocketConnection client)
    {
        await Task.WhenAll(server.DisposeAsync().AsTask(), client.DisposeAsync().AsTask()).WaitAsync(Patience);
        await Task.WhenAll(server.Completion, client.Completion).WaitAsync(Patience);
        Assert.Equal((CloseCode.NormalClosure, CloseCode.NormalClosure), (server.CloseCode, client.CloseCode));
    }

    private async Task<(WebSocketConnection Server, WebSocketConnection Client)> WebSocketsAsync()
    {
        var (server, client) = await PairAsync();
        return (Start(server, EndpointRole.Server), Start(client, EndpointRole.Client));

        WebSocketConnection Start(TransportConnection transport, EndpointRole role)
        {
            var settings = new ConnectionSettings
            {
                Role = role,
                Limits = new(),
                Logger = new RecordingLogger(),
                TimeProvider = _time,
                Heartbeat = new Heartbeat(_time, TimeSpan.FromSeconds(1)), // a timer of a clock that stands still
                Pool = Pool,
            };
            var connection = new WebSocketConnection(transport, settings, handler: null);
            connection.Start();
            return connection;
        }
    }
}
