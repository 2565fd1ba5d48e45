using System.Buffers;
using FastChat.Connections;
using FastChat.Protocol;
using FastChat.TestKit;
using FastChat.Transport;

namespace FastChat.Core.Tests.Connections;

/// <summary>Two ends of ours against each other over one transport in memory, both talking at once.</summary>
public sealed class ConnectionPairTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(64 * 1024)]
    [InlineData(300)]
    public async Task Both_ends_send_to_each_other_without_end_and_nothing_is_torn_or_stuck(int capacity)
    {
        var pool = new TrackingArrayPool();
        var time = new FakeTimeProvider();
        using var heartbeat = new Heartbeat(time, TimeSpan.FromSeconds(1));
        var (clientTransport, serverTransport) = InMemoryTransport.CreatePair(capacity, pool);
        const int Count = 2000;
        var serverGot = new TaskCompletionSource();
        var clientGot = new TaskCompletionSource();
        var server = Make(serverTransport, EndpointRole.Server, Counting(serverGot));
        var client = Make(clientTransport, EndpointRole.Client, Counting(clientGot));
        server.Start();
        client.Start();
        var sending = new[] { server, client }.SelectMany(end => Enumerable.Range(0, 2).Select(part => Task.Run(async () =>
        {
            var random = new Random(part);
            for (int i = 0; i < Count / 2; i++)
            {
                byte[] payload = new byte[random.Next(3) == 0 ? random.Next(30_000) : random.Next(300)];
                payload.AsSpan().Fill((byte)i);
                await end.SendAsync(WebSocketMessageKind.Binary, payload.Length > 10_000 ? SequenceReplay.SplitAt(payload, 5000) : new ReadOnlySequence<byte>(payload));
                if (i % 10 == 0) end.Ping("?"u8);
            }
        })));
        await Task.WhenAll(sending).WaitAsync(Patience);
        await Task.WhenAll(serverGot.Task, clientGot.Task).WaitAsync(Patience);
        await Task.WhenAll(server.CloseAsync().AsTask(), client.CloseAsync().AsTask()).WaitAsync(Patience);
        await Task.WhenAll(server.Completion, client.Completion).WaitAsync(Patience);
        Assert.Equal((CloseCode.NormalClosure, CloseCode.NormalClosure), (server.CloseCode, client.CloseCode));
        pool.AssertNothingRented();

        WebSocketConnection Make(TransportConnection transport, EndpointRole role, WebSocketHandler handler) => new(transport,
            new ConnectionSettings { Role = role, Limits = new() { SendQueueBytes = 40_000 }, Logger = new RecordingLogger(), TimeProvider = time, Heartbeat = heartbeat, Pool = pool }, handler);

        static WebSocketHandler Counting(TaskCompletionSource all)
        {
            int received = 0;
            return new LambdaHandler((connection, message) =>
            {
                byte[] bytes = message.Payload.ToArray();
                if (bytes.AsSpan().ContainsAnyExcept(bytes.Length > 0 ? bytes[0] : (byte)0)) all.TrySetException(new InvalidOperationException("torn"));
                if (++received == Count) all.TrySetResult();
                return default;
            });
        }
    }

    [Fact]
    public async Task An_answer_that_comes_while_a_large_message_is_being_written_does_not_tear_it()
    {
        var pool = new TrackingArrayPool();
        var time = new FakeTimeProvider();
        using var heartbeat = new Heartbeat(time, TimeSpan.FromSeconds(1));
        var (far, near) = InMemoryTransport.CreatePair(pool: pool);
        var settings = new ConnectionSettings { Role = EndpointRole.Server, Limits = new(), Logger = new RecordingLogger(), TimeProvider = time, Heartbeat = heartbeat, Pool = pool };
        var connection = new WebSocketConnection(near, settings, new LambdaHandler((c, m) => c.SendTextAsync("answer")));
        connection.Start();
        var peer = new RawPeer(far, EndpointRole.Server);
        // The peer talks back at the first bytes of what it gets.
        var got = new List<byte>();
        var talking = TalkBackAsync();
        byte[] payload = Protocol.Frames.Pattern(30_000);
        await connection.SendAsync(WebSocketMessageKind.Binary, SequenceReplay.SplitAt(payload, 10_000, 20_000)).AsTask().WaitAsync(Patience);
        await talking.WaitAsync(Patience);
        Assert.Equal(payload, got[4..30_004]);
        Assert.Equal("answer"u8.ToArray(), got[30_006..]);
        connection.Abort();
        await connection.Completion.WaitAsync(Patience);
        await peer.DisposeAsync();
        pool.AssertNothingRented();

        async Task TalkBackAsync()
        {
            bool talked = false;
            while (got.Count < 30_012)
            {
                var result = await far.Input.ReadAsync();
                got.AddRange(result.Buffer.ToArray());
                far.Input.AdvanceTo(result.Buffer.End);
                if (!talked && (talked = true)) await peer.SendTextAsync("question");
            }
        }
    }
}
