using System.Buffers;
using FastChat.Buffers;
using FastChat.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Core.Tests.Protocol.Compression;
using FastChat.Protocol;
using FastChat.Protocol.Compression;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Connections;

/// <summary>Messages in pieces among whole ones, from many threads, compressed and not, read back by a reader of ours.</summary>
public sealed class MessagePiecesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(EndpointRole.Server, 64 * 1024, false)]
    [InlineData(EndpointRole.Server, 700, false)]
    [InlineData(EndpointRole.Client, 700, false)]
    [InlineData(EndpointRole.Server, 64 * 1024, true)]
    [InlineData(EndpointRole.Client, 700, true)]
    internal async Task Whole_messages_and_those_in_pieces_come_through_from_many_threads(EndpointRole role, int capacity, bool compressed)
    {
        const int Senders = 6, Each = 150;
        await using var end = new ConnectionHarness(role: role, capacity: capacity, compressed: compressed, configure: limits => limits.SendQueueBytes = 60_000);
        var receiving = ReceiveAsync(end, role == EndpointRole.Server ? EndpointRole.Client : EndpointRole.Server, compressed, Senders, Each);
        var sending = Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            var random = new Random(sender);
            for (int i = 0; i < Each; i++)
            {
                byte[] message = Message(sender, i);
                if (random.Next(2) == 0)
                {
                    await end.Connection.SendAsync(WebSocketMessageKind.Text, new ReadOnlySequence<byte>(message));
                    continue;
                }
                await using var stream = end.Connection.OpenMessage(WebSocketMessageKind.Text);
                int at = 0;
                while (random.Next(5) > 0)
                {
                    byte[] piece = message[at..random.Next(at, message.Length + 1)];
                    await stream.WriteAsync(piece);
                    piece.AsSpan().Fill(0xEE); // the caller's again
                    at += piece.Length;
                    if (random.Next(4) == 0) await Task.Yield();
                }
                await stream.CompleteAsync(message.AsMemory(at));
            }
        }));
        await Task.WhenAll(sending).WaitAsync(Patience);
        await receiving.WaitAsync(Patience);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_compressed_message_can_be_read_up_to_each_piece(bool keepsWindow)
    {
        using var pool = new CompressionPool(new());
        var arrays = new TrackingArrayPool();
        using (var deflater = new MessageDeflater(pool, 15, keepsWindow, threshold: 0))
        using (var inflater = new MessageInflater(pool, 15, keepsWindow))
        {
            for (int round = 0; round < 3; round++)
            {
                using var output = new PooledByteBuffer(arrays);
                byte[][] pieces = [DeflateSamples.Json(1000, round), "x"u8.ToArray(), DeflateSamples.Noise(70_000), DeflateSamples.Json(1000, round)];
                int length = 0;
                for (int i = 0; i < pieces.Length; i++)
                {
                    // The last piece ends the message, or in one round nothing does.
                    Exchange(pieces[i], endOfMessage: i == pieces.Length - 1 && round != 1);
                    length += pieces[i].Length;
                    Assert.Equal(length, output.Length);
                }
                if (round == 1) Assert.InRange(Exchange([], endOfMessage: true), 0, 5);
                Assert.Equal(pieces.SelectMany(p => p), output.WrittenSpan.ToArray());

                int Exchange(byte[] piece, bool endOfMessage)
                {
                    using var compressed = new PooledByteBuffer(arrays);
                    deflater.Append(SequenceReplay.SplitAt(piece, piece.Length / 2), endOfMessage, compressed);
                    Assert.Equal(InflateStatus.Ok, inflater.Append(compressed.WrittenSpan, endOfMessage, output));
                    return compressed.Length;
                }
            }
            // No compressor is kept beyond the message that does not keep its window.
            Assert.Equal(keepsWindow ? 0 : 1, pool.IdleDeflaters(15));
        }
        arrays.AssertNothingRented();
    }

    [Theory]
    [InlineData(300, true)]
    [InlineData(10, false)]
    public async Task The_first_piece_decides_whether_a_message_is_compressed(int first, bool isCompressed)
    {
        await using var end = new ConnectionHarness(compressed: true, fragments: true);
        await using var message = end.Connection.OpenMessage(WebSocketMessageKind.Text);
        await message.WriteAsync(new byte[first]);
        await message.WriteAsync(new byte[1000]);
        await message.CompleteAsync();
        long sent = 0;
        for (int i = 0; i < 3; i++) sent += (await end.Peer.FrameAsync()).Payload.Length;
        if (isCompressed) Assert.InRange(sent, 1, 60);
        else Assert.Equal(first + 1000, sent);
    }

    [Fact]
    public async Task A_compressor_in_use_by_a_message_goes_with_its_connection()
    {
        await using var end = new ConnectionHarness(compressed: true, fragments: true);
        await using var message = end.Connection.OpenMessage(WebSocketMessageKind.Text);
        await message.WriteAsync(new byte[1000]);
        end.Connection.Abort();
        await Assert.ThrowsAsync<ConnectionClosedException>(() => message.CompleteAsync().AsTask());
    }

    private static byte[] Message(int sender, int number)
    {
        var random = new Random((sender * 1000) + number);
        string text = $"{sender}/{number}/" + string.Concat(Enumerable.Repeat("a€😀 ", random.Next(3) == 0 ? random.Next(5000) : random.Next(60)));
        return System.Text.Encoding.UTF8.GetBytes(text);
    }

    private static async Task ReceiveAsync(ConnectionHarness end, EndpointRole role, bool compressed, int senders, int each)
    {
        var transport = end.Peer.Transport;
        using var pool = new CompressionPool(new());
        using var inflater = compressed ? pool.CreateInflater(new(false, false, 15, 15), isServer: role == EndpointRole.Server) : null;
        using var reader = new MessageReader(role, 1 << 20, 1 << 20, ArrayPool<byte>.Shared, inflater);
        int[] next = new int[senders];
        for (int received = 0; received < senders * each;)
        {
            var result = await transport.Input.ReadAsync();
            var buffer = result.Buffer;
            while (reader.Read(ref buffer, out var payload) is var found and not ReadEvent.NeedMore)
            {
                Assert.Equal((ReadEvent.Message, FrameError.None), (found, reader.Error));
                byte[] message = payload.ToArray();
                int sender = message[0] - '0';
                Assert.Equal(Message(sender, next[sender]++), message);
                received++;
            }
            reader.Release();
            transport.Input.AdvanceTo(buffer.Start, buffer.End);
            Assert.False(result.IsCompleted);
        }
    }
}
