using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using FastChat.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Protocol;
using FastChat.TestKit;
using FastChat.Transport;

namespace FastChat.Core.Tests.Connections;

/// <summary>Sending: wholeness and order under load, the bounded queue, control frames beside it, cancellation.</summary>
public sealed class ConnectionSendTests
{
    private const EndpointRole S = EndpointRole.Server;
    private static readonly TimeSpan Patience = ConnectionHarness.Patience;

    [Theory]
    [InlineData(EndpointRole.Server, 64 * 1024, false)]
    [InlineData(EndpointRole.Server, 700, false)]
    [InlineData(EndpointRole.Client, 64 * 1024, false)]
    [InlineData(EndpointRole.Server, 64 * 1024, true)]
    internal async Task Messages_of_many_threads_arrive_whole_and_each_threads_in_order(EndpointRole role, int capacity, bool compressed)
    {
        const int Senders = 8, Each = 1000;
        await using var end = new ConnectionHarness(role: role, capacity: capacity, compressed: compressed, configure: limits => limits.SendQueueBytes = 300_000);
        var receiving = ReceiveAsync(end.Peer.Transport, role == S ? EndpointRole.Client : EndpointRole.Server, compressed, Senders, Senders * Each);
        var sending = Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            var random = new Random(sender);
            for (int i = 0; i < Each; i++)
            {
                // Evenly over the orders of magnitude: 0 B to 200 KiB.
                int size = random.Next(20) == 0 ? 0 : (int)Math.Pow(2, random.NextDouble() * Math.Log2(200 * 1024));
                byte[] payload = size == 0 ? [] : Numbered(Math.Max(size, 6), sender, i);
                var sequence = size > 1000 && random.Next(2) == 0 ? SequenceReplay.SplitAt(payload, size / 3, size / 2) : new ReadOnlySequence<byte>(payload);
                await end.Connection.SendAsync(WebSocketMessageKind.Binary, sequence);
                payload.AsSpan().Fill(0xEE); // the caller's again
            }
        }));
        await Task.WhenAll(sending).WaitAsync(Patience * 4);
        await receiving.WaitAsync(Patience * 4);
    }

    private static byte[] Numbered(int size, int sender, int number)
    {
        byte[] payload = Frames.Pattern(size, sender + number);
        payload[0] = (byte)sender;
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(1), number);
        return payload;
    }

    private static async Task ReceiveAsync(TransportConnection transport, EndpointRole role, bool compressed, int senders, int count)
    {
        using var pool = new FastChat.Protocol.Compression.CompressionPool(new());
        using var inflater = compressed ? pool.CreateInflater(new(false, false, 15, 15), isServer: role == EndpointRole.Server) : null;
        using var reader = new MessageReader(role, 1 << 20, 1 << 20, ArrayPool<byte>.Shared, inflater);
        int[] next = new int[senders];
        int random = 0, received = 0;
        while (received < count)
        {
            var result = await transport.Input.ReadAsync();
            var buffer = result.Buffer;
            while (reader.Read(ref buffer, out var payload) is var found and not ReadEvent.NeedMore)
            {
                Assert.Equal(ReadEvent.Message, found);
                received++;
                if (payload.IsEmpty) continue;
                byte[] message = payload.ToArray();
                int sender = message[0], number = BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(1));
                Assert.InRange(number, next[sender], 999); // empty ones cannot be told apart
                next[sender] = number + 1;
                Assert.True(message.AsSpan().SequenceEqual(Numbered(message.Length, sender, number)), $"message {number} of {sender} is not whole");
                random ^= number;
            }
            reader.Release();
            transport.Input.AdvanceTo(buffer.Start, buffer.End);
            Assert.False(result.IsCompleted);
        }
    }

    [Fact]
    public async Task Sends_go_out_at_once_while_the_peer_takes_them()
    {
        await using var end = new ConnectionHarness();
        await end.Connection.SendTextAsync("a");
        await end.Connection.SendBinaryAsync(new byte[] { 1, 2 });
        await end.Connection.SendTextAsync("c"u8.ToArray());
        await end.Connection.SendTextAsync("half \uD800 pair");
        Assert.Equal(0, end.Connection.QueuedBytes);
        Assert.Equal("Text:a", await end.Peer.NextAsync());
        Assert.Equal("Binary:0102", await end.Peer.NextAsync());
        Assert.Equal("Text:c", await end.Peer.NextAsync());
        Assert.Equal("Text:half \uFFFD pair", await end.Peer.NextAsync());
        Assert.Equal(4, end.Transport.Flushes);
    }

    [Theory]
    [InlineData(898, true)]
    [InlineData(899, false)]
    public async Task The_queue_is_full_at_its_exact_limit(int size, bool fits)
    {
        await using var end = new ConnectionHarness(configure: limits => limits.SendQueueBytes = 1000);
        end.Transport.Hold();
        await end.Connection.SendBinaryAsync(new byte[100]); // a frame of 102 that the peer does not take
        Assert.Equal(102, end.Connection.QueuedBytes);
        var send = end.Connection.SendBinaryAsync(new byte[size]).AsTask();
        Assert.Equal(fits, send.IsCompleted);
        end.Transport.Release();
        await send.WaitAsync(Patience);
        Assert.Equal(100, (await end.Peer.FrameAsync()).Payload.Length);
        Assert.Equal(size, (await end.Peer.FrameAsync()).Payload.Length);
    }

    [Fact]
    public async Task An_empty_queue_takes_one_message_of_any_size()
    {
        await using var end = new ConnectionHarness(configure: limits => limits.SendQueueBytes = 1);
        end.Transport.Hold();
        await end.Connection.SendBinaryAsync(new byte[500_000]).AsTask().WaitAsync(Patience);
        var next = end.Connection.SendTextAsync("").AsTask();
        Assert.False(next.IsCompleted);
        end.Transport.Release();
        Assert.Equal(500_000, (await end.Peer.FrameAsync()).Payload.Length);
        Assert.Equal("Text:", await end.Peer.NextAsync());
        await next.WaitAsync(Patience);
    }

    [Fact]
    public async Task Waiting_sends_go_out_in_order_once_there_is_room()
    {
        await using var end = new ConnectionHarness(configure: limits => limits.SendQueueBytes = 20);
        end.Transport.Hold();
        var sends = Enumerable.Range(0, 50).Select(i => end.Connection.SendTextAsync($"message {i}").AsTask()).ToArray();
        Assert.Contains(sends, send => !send.IsCompleted);
        end.Transport.Release();
        for (int i = 0; i < 50; i++) Assert.Equal($"Text:message {i}", await end.Peer.NextAsync());
        await Task.WhenAll(sends).WaitAsync(Patience);
        Assert.Equal(0, end.Connection.QueuedBytes);
    }

    [Fact]
    public async Task A_send_that_waits_is_not_forgotten_when_the_queue_before_it_goes_out_in_one_go()
    {
        // What is queued goes out with a flush that completes at once, so that no completion comes to wake the next in line.
        await using var end = new ConnectionHarness(configure: limits => limits.SendQueueBytes = 1000);
        end.Transport.Hold();
        await end.Connection.SendBinaryAsync(new byte[501]);
        await end.Connection.SendBinaryAsync(new byte[400]);
        var waiting = end.Connection.SendBinaryAsync(new byte[700]).AsTask();
        var last = end.Connection.SendTextAsync("last").AsTask();
        end.Transport.Release();
        foreach (int size in (int[])[501, 400, 700]) Assert.Equal(size, (await end.Peer.FrameAsync()).Payload.Length);
        Assert.Equal("Text:last", await end.Peer.NextAsync());
        await waiting.WaitAsync(Patience);
        await last.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_send_that_waits_is_not_forgotten_when_the_flush_completes_within_a_turn()
    {
        ConnectionHarness? harness = null;
        var handler = new LambdaHandler((_, _) =>
        {
            harness!.Transport.Release(); // the peer reads while a message is being handled
            return default;
        });
        await using var end = harness = new ConnectionHarness(handler, limits => limits.SendQueueBytes = 1000);
        end.Transport.Hold();
        await end.Connection.SendBinaryAsync(new byte[501]);
        await end.Connection.SendBinaryAsync(new byte[400]);
        var waiting = end.Connection.SendBinaryAsync(new byte[700]).AsTask();
        await end.Peer.SendTextAsync("go");
        foreach (int size in (int[])[501, 400, 700]) Assert.Equal(size, (await end.Peer.FrameAsync()).Payload.Length);
        await waiting.WaitAsync(Patience);
    }

    [Fact]
    public async Task DropNewest_drops_and_counts_what_does_not_fit()
    {
        await using var end = new ConnectionHarness(configure: limits => (limits.SendQueueBytes, limits.SendQueuePolicy) = (100, SendQueuePolicy.DropNewest));
        end.Transport.Hold();
        await end.Connection.SendTextAsync("first");
        await end.Connection.SendBinaryAsync(new byte[200]);
        await end.Connection.SendTextAsync("second");
        await end.Connection.SendBinaryAsync(new byte[200]);
        Assert.Equal(2, end.Connection.DroppedMessages);
        end.Transport.Release();
        await end.Connection.SendTextAsync("third");
        foreach (string text in (string[])["first", "second", "third"]) Assert.Equal($"Text:{text}", await end.Peer.NextAsync());
        Assert.Equal(2, end.Connection.DroppedMessages);
    }

    [Fact]
    public async Task Close_closes_with_1008_when_the_queue_is_full()
    {
        await using var end = new ConnectionHarness(configure: limits => (limits.SendQueueBytes, limits.SendQueuePolicy) = (100, SendQueuePolicy.Close));
        end.Transport.Hold();
        await end.Connection.SendTextAsync("first");
        var failure = await Assert.ThrowsAsync<ConnectionClosedException>(() => end.Connection.SendBinaryAsync(new byte[200]).AsTask());
        Assert.Equal((EndReason.SendQueueFull, CloseCode.PolicyViolation), (failure.Reason, failure.CloseCode));
        Assert.False(end.Connection.IsOpen);
        end.Transport.Release();
        await end.Peer.SendCloseAsync(1008);
        Assert.Equal(["Text:first", "Close:1008 send queue full", "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.SendQueueFull, 1008), await end.EndedAsync());
    }

    [Fact]
    public async Task A_peer_that_takes_nothing_after_a_full_queue_is_cut_off()
    {
        await using var end = new ConnectionHarness(configure: limits => (limits.SendQueueBytes, limits.SendQueuePolicy) = (100, SendQueuePolicy.Close));
        end.Transport.Hold();
        await end.Connection.SendTextAsync("first");
        await Assert.ThrowsAsync<ConnectionClosedException>(() => end.Connection.SendBinaryAsync(new byte[200]).AsTask());
        end.Time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal((EndReason.SendQueueFull, 1008), await end.EndedAsync());
    }

    [Fact]
    public async Task Control_frames_are_outside_the_quota()
    {
        await using var end = new ConnectionHarness(configure: limits => (limits.SendQueueBytes, limits.SendQueuePolicy) = (200, SendQueuePolicy.DropNewest));
        end.Transport.Hold();
        await end.Connection.SendBinaryAsync(new byte[100]);
        for (int i = 0; i < 20; i++) end.Connection.Ping(new byte[100]);
        await end.Connection.SendTextAsync("fits all the same");
        await end.Connection.SendBinaryAsync(new byte[100]); // and this does not
        Assert.Equal(1, end.Connection.DroppedMessages);
        await end.Connection.CloseAsync();
        end.Transport.Release();
        Assert.Equal(Opcode.Binary, (await end.Peer.FrameAsync()).Opcode);
        for (int i = 0; i < 20; i++) Assert.Equal(Opcode.Ping, (await end.Peer.FrameAsync()).Opcode);
        Assert.Equal("Text:fits all the same", await end.Peer.NextAsync());
        Assert.Equal("Close:1000", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task A_ping_of_more_than_125_bytes_is_refused()
    {
        await using var end = new ConnectionHarness();
        Assert.Throws<ArgumentOutOfRangeException>(() => end.Connection.Ping(new byte[126]));
        end.Connection.Ping(new byte[125]);
        Assert.Equal(125, (await end.Peer.FrameAsync()).Payload.Length);
    }

    [Fact]
    public async Task A_flood_of_pings_is_answered_by_the_last_pong_alone_and_queues_nothing()
    {
        var through = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var end = new ConnectionHarness(new LambdaHandler((_, _) =>
        {
            through.SetResult();
            return default;
        }));
        end.Transport.Hold();
        await end.Connection.SendTextAsync("not taken yet");
        long queued = end.Connection.QueuedBytes;
        for (int i = 0; i < 100; i++)
            await end.Peer.SendAsync([.. Enumerable.Range(0, 100).Select(n => Frames.Ping(S, Encoding.ASCII.GetBytes($"{i} {n} {new string('x', 90)}")))]);
        await end.Peer.SendTextAsync("that was all");
        await through.Task.WaitAsync(Patience);
        Assert.Equal(queued, end.Connection.QueuedBytes);
        Assert.InRange(end.Pool.PeakBytes, 0, 200_000);
        await end.Connection.SendTextAsync("behind");
        end.Transport.Release();
        Assert.Equal("Text:not taken yet", await end.Peer.NextAsync());
        Assert.Equal([$"Pong:99 99 {new string('x', 90)}", "Text:behind"], new[] { await end.Peer.NextAsync(), await end.Peer.NextAsync() }.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_send_taken_back_leaves_no_trace()
    {
        await using var end = new ConnectionHarness(configure: limits => limits.SendQueueBytes = 10);
        end.Transport.Hold();
        await end.Connection.SendTextAsync("0123456789");
        using var stop = new CancellationTokenSource();
        var first = end.Connection.SendTextAsync("first, waits", CancellationToken.None).AsTask();
        byte[] payload = "second, is taken back"u8.ToArray();
        var second = end.Connection.SendTextAsync(payload, stop.Token).AsTask();
        var third = end.Connection.SendTextAsync("third, waits", stop.Token).AsTask();
        var fourth = end.Connection.SendTextAsync("fourth, waits").AsTask();
        await stop.CancelAsync();
        foreach (var send in (Task[])[second, third])
        {
            var canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send.WaitAsync(Patience));
            Assert.Equal(stop.Token, canceled.CancellationToken);
        }
        payload.AsSpan().Fill((byte)'x');
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => end.Connection.SendTextAsync("fifth", stop.Token).AsTask());
        end.Transport.Release();
        foreach (string text in (string[])["0123456789", "first, waits", "fourth, waits"]) Assert.Equal($"Text:{text}", await end.Peer.NextAsync());
        await Task.WhenAll(first, fourth).WaitAsync(Patience);
        await end.Connection.SendTextAsync("sixth");
        Assert.Equal("Text:sixth", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task A_close_fails_the_sends_that_wait()
    {
        await using var end = new ConnectionHarness(configure: limits => limits.SendQueueBytes = 10);
        end.Transport.Hold();
        await end.Connection.SendTextAsync("0123456789");
        var waiting = end.Connection.SendTextAsync("waits").AsTask();
        await end.Connection.CloseAsync((CloseCode)3000);
        var failure = await Assert.ThrowsAsync<ConnectionClosedException>(() => waiting.WaitAsync(Patience));
        Assert.Equal((CloseCode)3000, failure.CloseCode);
        end.Transport.Release();
        await end.Peer.SendCloseAsync(3000);
        Assert.Equal(["Text:0123456789", "Close:3000", "end"], await end.Peer.AllAsync());
    }

    [Fact]
    public async Task Sends_taken_back_at_random_among_others_lose_and_break_nothing()
    {
        await using var end = new ConnectionHarness(capacity: 2000, configure: limits => limits.SendQueueBytes = 5000);
        const int Senders = 4, Each = 500;
        var accepted = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var sending = Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            var random = new Random(sender);
            for (int i = 0; i < Each; i++)
            {
                string text = $"{sender}/{i} {new string('x', random.Next(3000))}";
                using var stop = new CancellationTokenSource();
                var send = end.Connection.SendTextAsync(Encoding.ASCII.GetBytes(text), stop.Token).AsTask();
                if (random.Next(2) == 0) _ = Task.Run(stop.Cancel);
                try
                {
                    await send.WaitAsync(Patience);
                    accepted.Enqueue(text);
                }
                catch (OperationCanceledException)
                {
                }
            }
        })).ToArray();
        var received = new List<string>();
        var receiving = Task.Run(async () =>
        {
            while (await end.Peer.NextAsync() is var frame && frame != "Text:done") received.Add(frame[5..]);
        });
        await Task.WhenAll(sending).WaitAsync(Patience * 2);
        await end.Connection.SendTextAsync("done").AsTask().WaitAsync(Patience);
        await receiving.WaitAsync(Patience);
        Assert.Equal(accepted.Order(), received.Order());
    }
}
