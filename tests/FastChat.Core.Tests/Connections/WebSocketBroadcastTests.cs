using System.Buffers;
using FastChat.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Core.Tests.Protocol.Compression;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Connections;

/// <summary>One message to many connections: who gets it, who does not, and that nobody waits for anybody.</summary>
public sealed class WebSocketBroadcastTests
{
    private const EndpointRole S = EndpointRole.Server;
    private static readonly TimeSpan Patience = ConnectionHarness.Patience;

    private static WebSocketMessage Binary(byte[] payload) => new(WebSocketMessageKind.Binary, new ReadOnlySequence<byte>(payload));

    [Fact]
    public async Task Everybody_gets_it_servers_and_clients_connections_alike()
    {
        await using var first = new ConnectionHarness();
        await using var second = new ConnectionHarness();
        await using var client = new ConnectionHarness(role: EndpointRole.Client);
        ConnectionHarness[] all = [first, second, client];
        var connections = all.Select(end => end.Connection).ToArray();
        Assert.Empty(connections.Broadcast("half \uD800 pair"));
        Assert.Empty(connections.Broadcast(new WebSocketMessage(WebSocketMessageKind.Text, SequenceReplay.SplitAt("in segments"u8.ToArray(), 3, 5))));
        Assert.Empty(connections.Broadcast(Binary([])));
        foreach (int size in (int[])[126, 5000, 50_000, 70_000])
        {
            byte[] payload = Frames.Pattern(size);
            Assert.Empty(connections.Broadcast(Binary(payload)));
            payload.AsSpan().Clear(); // the caller's again
        }
        foreach (var end in all)
        {
            Assert.Equal("Text:half \uFFFD pair", await end.Peer.NextAsync());
            Assert.Equal("Text:in segments", await end.Peer.NextAsync());
            Assert.Equal("Binary:", await end.Peer.NextAsync());
            foreach (int size in (int[])[126, 5000, 50_000, 70_000]) Assert.Equal(Frames.Pattern(size), (await end.Peer.FrameAsync()).Payload);
        }
        Assert.Empty(Array.Empty<WebSocketConnection>().Broadcast("to nobody"));
    }

    [Theory]
    [InlineData(SendQueuePolicy.Wait)]
    [InlineData(SendQueuePolicy.DropNewest)]
    [InlineData(SendQueuePolicy.Close)]
    public async Task A_peer_that_does_not_read_misses_what_its_queue_has_no_room_for_and_holds_up_nobody(SendQueuePolicy policy)
    {
        await using var slow = new ConnectionHarness(configure: limits => (limits.SendQueueBytes, limits.SendQueuePolicy) = (100, policy));
        await using var quick = new ConnectionHarness();
        WebSocketConnection[] connections = [slow.Connection, quick.Connection];
        slow.Transport.Hold();
        Assert.Empty(connections.Broadcast(Binary(new byte[60]))); // leaves, and is not taken
        Assert.Empty(connections.Broadcast("queued"));
        Assert.Equal([slow.Connection], connections.Broadcast(Binary(new byte[50])));
        Assert.Equal(policy == SendQueuePolicy.DropNewest ? 1 : 0, slow.Connection.DroppedMessages);
        Assert.Equal(policy != SendQueuePolicy.Close, slow.Connection.IsOpen);
        foreach (int size in (int[])[60, 6, 50]) Assert.Equal(size, (await quick.Peer.FrameAsync()).Payload.Length);
        slow.Transport.Release();
        Assert.Equal(60, (await slow.Peer.FrameAsync()).Payload.Length);
        Assert.Equal("Text:queued", await slow.Peer.NextAsync());
        if (policy == SendQueuePolicy.Close)
        {
            Assert.Equal("Close:1008 send queue full", await slow.Peer.NextAsync());
            Assert.Equal(EndReason.SendQueueFull, slow.Connection.EndReason);
            return;
        }
        Assert.Empty(connections.Broadcast("again"));
        Assert.Equal("Text:again", await slow.Peer.NextAsync());
    }

    [Fact]
    public async Task Those_that_are_closing_or_gone_are_told()
    {
        await using var closing = new ConnectionHarness();
        await using var gone = new ConnectionHarness();
        await using var open = new ConnectionHarness();
        await closing.Connection.CloseAsync();
        gone.Connection.Abort();
        Assert.Equal([closing.Connection, gone.Connection], new[] { closing.Connection, gone.Connection, open.Connection }.Broadcast("hello"));
        Assert.Equal("Text:hello", await open.Peer.NextAsync());
    }

    [Theory]
    [InlineData(SendQueuePolicy.Wait)]
    [InlineData(SendQueuePolicy.DropNewest)]
    [InlineData(SendQueuePolicy.Close)]
    public async Task In_the_middle_of_a_message_in_pieces_it_comes_afterwards_as_far_as_there_is_room(SendQueuePolicy policy)
    {
        await using var end = new ConnectionHarness(fragments: true, configure: limits => (limits.SendQueueBytes, limits.SendQueuePolicy) = (1000, policy));
        await using var message = end.Connection.OpenMessage(WebSocketMessageKind.Text);
        await message.WriteAsync("a"u8.ToArray());
        byte[] payload = "afterwards"u8.ToArray();
        Assert.Empty(new[] { end.Connection }.Broadcast(Binary(payload)));
        payload.AsSpan().Clear();
        if (policy != SendQueuePolicy.Close) Assert.Equal([end.Connection], new[] { end.Connection }.Broadcast(Binary(new byte[1000])));
        await message.CompleteAsync("b"u8.ToArray());
        Assert.Equal("Text+:a", await end.Peer.NextAsync());
        Assert.Equal("Continuation:b", await end.Peer.NextAsync());
        Assert.Equal("afterwards"u8.ToArray(), (await end.Peer.FrameAsync()).Payload);
    }

    [Fact]
    public async Task A_connection_that_ends_before_its_turn_gives_back_what_waited()
    {
        await using var end = new ConnectionHarness(fragments: true);
        await using var message = end.Connection.OpenMessage(WebSocketMessageKind.Text);
        await message.WriteAsync("a"u8.ToArray());
        Assert.Equal("Text+:a", await end.Peer.NextAsync()); // nothing is left of it in the transport
        Assert.Empty(new[] { end.Connection }.Broadcast("never sent"));
        Assert.NotEqual(0, end.Pool.Outstanding);
        end.Connection.Abort();
        await WebSocketServerTests.Until(() => end.Pool.Outstanding == 0);
    }

    [Fact]
    public void It_is_compressed_once_for_those_who_keep_no_window_and_whose_window_is_large_enough()
    {
        using var pool = new CompressionPool(new());
        using var first = Deflater(15);
        using var same = Deflater(15);
        using var smaller = Deflater(10);
        using var keeping = new MessageDeflater(pool, 15, keepsWindow: true, threshold: 256);
        byte[] text = DeflateSamples.Json(5000);
        using var frame = new BroadcastFrame(Binary(text), ArrayPool<byte>.Shared);
        var plain = frame.For(null);
        Assert.Equal(text, plain[4..].ToArray());
        Assert.Equal(plain, frame.For(keeping));
        var compressed = frame.For(first);
        Assert.Equal(0xC2, compressed.Span[0]); // FIN, RSV1, binary
        Assert.Equal(text, DeflateSamples.InflateStrictly(compressed.Span[4..], 15));
        Assert.Equal(compressed, frame.For(same));
        Assert.Equal(plain, frame.For(smaller));

        using var small = new BroadcastFrame(Binary(new byte[255]), ArrayPool<byte>.Shared);
        Assert.Equal(small.For(null), small.For(first));
        using var noise = new BroadcastFrame(Binary(DeflateSamples.Noise(5000)), ArrayPool<byte>.Shared);
        Assert.Equal(noise.For(null), noise.For(first));
        Assert.Equal(noise.For(null), noise.For(smaller));

        MessageDeflater Deflater(int bits) => new(pool, bits, keepsWindow: false, threshold: 256);
    }

    [Fact]
    public async Task Broadcasts_from_many_threads_among_other_messages_keep_each_threads_order()
    {
        const int Senders = 4, Each = 300;
        await using var one = new ConnectionHarness(capacity: 700, configure: limits => limits.SendQueueBytes = 1 << 24);
        await using var two = new ConnectionHarness(configure: limits => limits.SendQueueBytes = 1 << 24);
        ConnectionHarness[] ends = [one, two];
        var connections = ends.Select(end => end.Connection).ToArray();
        var receiving = ends.Select(end => Task.Run(async () =>
        {
            int[] next = new int[Senders];
            for (int i = 0; i < Senders * Each; i++)
            {
                byte[] payload = (await end.Peer.FrameAsync()).Payload;
                Assert.Equal(Numbered(payload[0], next[payload[0]]++), payload);
            }
        })).ToArray();
        var sending = Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            for (int i = 0; i < Each; i++)
            {
                if (i % 3 > 0) Assert.Empty(connections.Broadcast(Binary(Numbered(sender, i))));
                else foreach (var connection in connections) await connection.SendBinaryAsync(Numbered(sender, i));
            }
        }));
        await Task.WhenAll(sending).WaitAsync(Patience);
        await Task.WhenAll(receiving).WaitAsync(Patience);

        static byte[] Numbered(int sender, int number) => [(byte)sender, .. Frames.Pattern(new Random(number).Next(2) == 0 ? 20 : 9000, sender + number)];
    }
}
