using System.Buffers;
using System.IO.Compression;
using FastChat.Buffers;
using FastChat.Protocol.Compression;
using FastChat.TestKit;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.Core.Tests.Protocol.Compression;

public sealed class DeflateRoundTripTests
{
    public static TheoryData<int> WindowBits => [.. Enumerable.Range(8, 8)];

    [Theory]
    [MemberData(nameof(WindowBits))]
    public void Each_end_understands_the_other_with_every_parameter(int serverBits)
    {
        byte[][] messages = [DeflateSamples.Json(300), DeflateSamples.Json(5000), [], DeflateSamples.Noise(600), DeflateSamples.Json(300)];
        for (int clientBits = 8; clientBits <= 15; clientBits++)
            foreach (bool serverForgets in new[] { false, true })
                foreach (bool clientForgets in new[] { false, true })
                {
                    var agreed = new PerMessageDeflateParameters(serverForgets, clientForgets, serverBits, clientBits);
                    using var pool = new CompressionPool(new() { Threshold = 0 });
                    using (MessageDeflater server = pool.CreateDeflater(agreed, isServer: true))
                    using (MessageInflater client = pool.CreateInflater(agreed, isServer: false))
                        Exchange(server, client, messages);
                    Assert.Equal(serverForgets ? 1 : 0, pool.IdleDeflaters(serverBits));
                    Assert.Equal(1, pool.IdleInflaters);
                    using (MessageDeflater client = pool.CreateDeflater(agreed, isServer: false))
                    using (MessageInflater server = pool.CreateInflater(agreed, isServer: true))
                        Exchange(client, server, messages);
                }
    }

    [Theory]
    [MemberData(nameof(WindowBits))]
    public void No_reference_leaves_the_window_at_any_level(int windowBits)
    {
        byte[][] messages = [DeflateSamples.Json(300), DeflateSamples.Json(20_000), DeflateSamples.Noise(3000), new byte[9000], DeflateSamples.Json(20_000, 2)];
        foreach (bool keeps in new[] { false, true })
            for (int level = 1; level <= 9; level++)
                for (int memoryLevel = 1; memoryLevel <= 9; memoryLevel += 4)
                {
                    using var pool = new CompressionPool(new() { CompressionLevel = level, MemoryLevel = memoryLevel, Threshold = 0 });
                    using var deflater = new MessageDeflater(pool, windowBits, keeps, threshold: 0);
                    var stream = new List<byte>();
                    var expected = new List<byte>();
                    foreach (byte[] message in messages)
                    {
                        if (DeflateSamples.Compress(deflater, message) is not { } compressed) continue;
                        expected.AddRange(message);
                        if (!keeps) Assert.Equal(message, DeflateSamples.InflateStrictly([.. compressed, 0, 0, 0xff, 0xff], windowBits));
                        stream.AddRange(compressed);
                        stream.AddRange([0, 0, 0xff, 0xff]);
                    }
                    if (keeps) Assert.Equal(expected, DeflateSamples.InflateStrictly([.. stream], windowBits));
                    Assert.NotEmpty(expected);
                }
    }

    [Fact]
    public void The_strict_inflater_notices_a_reference_beyond_its_window()
    {
        byte[] far = [.. DeflateSamples.Noise(300), .. DeflateSamples.Noise(300)];
        byte[] compressed = DeflateSamples.CompressWithDeflateStream(far);
        Assert.True(compressed.Length < 400);
        Assert.Null(DeflateSamples.InflateStrictly(compressed, 8));
        Assert.Equal(far, DeflateSamples.InflateStrictly(compressed, 9));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_runtimes_stream_inflates_what_we_compress(bool keeps)
    {
        using var pool = new CompressionPool(new());
        using var deflater = new MessageDeflater(pool, 15, keeps, threshold: 0);
        var sent = (from message in DeflateSamples.Messages()
                    let compressed = DeflateSamples.Compress(deflater, message)
                    where compressed is not null
                    select (message, compressed)).ToList();
        Assert.InRange(sent.Count, 5, 11);
        byte[][] inflated = DeflateSamples.InflateWithDeflateStream(sent.Select(s => (s.compressed, s.message.Length)));
        Assert.Equal(sent.Select(s => s.message), inflated);
        if (!keeps)
            foreach (var (message, compressed) in sent)
                Assert.Equal(message, DeflateSamples.InflateWithDeflateStream([(compressed, message.Length)])[0]);
    }

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.Optimal)]
    [InlineData(CompressionLevel.SmallestSize)]
    public void We_inflate_what_the_runtimes_stream_compresses(CompressionLevel level)
    {
        using var pool = new CompressionPool(new());
        using var inflater = new MessageInflater(pool, 15, keepsWindow: false);
        foreach (byte[] message in DeflateSamples.Messages().Where(m => m.Length > 0))
            foreach (int piece in new[] { int.MaxValue, 1000, 1 })
            {
                using var output = new PooledByteBuffer(ArrayPool<byte>.Shared);
                foreach (byte[] part in DeflateSamples.CompressWithDeflateStream(message, level).Chunk(piece))
                    Assert.Equal(InflateStatus.Ok, inflater.Append(part, endOfMessage: false, output));
                Assert.Equal(InflateStatus.Ok, inflater.Append([], endOfMessage: true, output));
                Assert.True(output.WrittenSpan.SequenceEqual(message));
            }
    }

    [Fact]
    public void Any_messages_come_through_whatever_their_pieces()
    {
        var arrays = new TrackingArrayPool();
        using var pool = new CompressionPool(new());
        Prop.ForAll<byte[][], bool, byte>((messages, keeps, seed) =>
        {
            var random = new Random(seed);
            int bits = random.Next(8, 16);
            using var deflater = new MessageDeflater(pool, bits, keeps, threshold: 0);
            using var inflater = new MessageInflater(pool, bits, keeps);
            foreach (byte[] some in messages ?? [])
            {
                // Some of it twice, for there to be something to refer to.
                byte[] message = [.. some ?? [], .. some ?? [], .. DeflateSamples.Json(random.Next(100), seed)];
                using var compressed = new PooledByteBuffer(arrays);
                using var output = new PooledByteBuffer(arrays, message.Length);
                int cut = random.Next(message.Length + 1);
                if (!deflater.TryCompress(SequenceReplay.SplitAt(message, cut, random.Next(cut, message.Length + 1)), compressed)) continue;
                cut = random.Next(compressed.Length + 1);
                Assert.Equal(InflateStatus.Ok, inflater.Append(compressed.WrittenSpan[..cut], endOfMessage: false, output));
                Assert.Equal(InflateStatus.Ok, inflater.Append(compressed.WrittenSpan[cut..], endOfMessage: true, output));
                Assert.True(output.WrittenSpan.SequenceEqual(message));
            }
        }).QuickCheckThrowOnFailure();
        arrays.AssertNothingRented();
    }

    private static void Exchange(MessageDeflater deflater, MessageInflater inflater, byte[][] messages)
    {
        foreach (byte[] message in messages)
        {
            if (DeflateSamples.Compress(deflater, message) is not { } compressed) continue;
            using var output = new PooledByteBuffer(ArrayPool<byte>.Shared);
            Assert.Equal(InflateStatus.Ok, inflater.Append(compressed, endOfMessage: true, output));
            Assert.True(output.WrittenSpan.SequenceEqual(message));
        }
    }
}
