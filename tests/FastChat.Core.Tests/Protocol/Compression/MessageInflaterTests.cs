using FastChat.Buffers;
using FastChat.Protocol.Compression;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Protocol.Compression;

public sealed class MessageInflaterTests : IDisposable
{
    private readonly CompressionPool _pool = new(new PerMessageDeflateOptions());
    private readonly TrackingArrayPool _arrays = new();

    public void Dispose()
    {
        _arrays.AssertNothingRented();
        _pool.Dispose();
    }

    public static TheoryData<string, string, string> Shapes => new()
    {
        { "one block (RFC 7692 section 7.2.3.1)", "f248cdc9c90700", "Hello" },
        { "stored block (7.2.3.3)", "000500faff48656c6c6f00", "Hello" },
        { "BFINAL (7.2.3.4)", "f348cdc9c9070000", "Hello" },
        { "BFINAL, its empty block left out", "f348cdc9c90700", "Hello" },
        { "data after BFINAL", "f348cdc9c90700f248cdc9c90700", "HelloHello" },
        { "BFINAL twice", "f348cdc9c90700f348cdc9c9070000", "HelloHello" },
        { "two blocks (7.2.3.5)", "f24805000000ffffcac9c90700", "Hello" },
        { "an empty message (7.2.3.6)", "00", "" },
        { "an empty message of no octets", "", "" },
        { "an empty message of two blocks", "000000ffff00", "" },
        { "an empty final block", "0300", "" },
        { "empty block with BFINAL whose tail was stripped", "01", "" },
        { "empty block of fixed codes", "0200", "" },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_shape_of_a_message_is_inflated_whole_split_at_every_index_and_octet_by_octet(string shape, string hex, string expected)
    {
        byte[] compressed = Convert.FromHexString(hex);
        foreach (bool keeps in new[] { false, true })
            foreach (byte[][] pieces in Cuts(compressed))
            {
                using var inflater = new MessageInflater(_pool, 15, keeps);
                for (int message = 0; message < 2; message++)
                    Assert.Equal((shape, InflateStatus.Ok, expected), (shape, Inflate(inflater, pieces, out string text), text));
            }
    }

    [Theory]
    [InlineData("reserved block type", "0700")]
    [InlineData("stored block whose length and complement disagree", "000500000048656c6c6f00")]
    [InlineData("reference to before the first octet", "f200110000")]
    [InlineData("over-subscribed code lengths", "04e0ffffffffffffffffffff")]
    [InlineData("malformed after good data", "f248cdc9c9070007ffff")]
    [InlineData("malformed after BFINAL", "f348cdc9c9070007")]
    [InlineData("the tail was not stripped", "f248cdc9c907000000ffff")]
    [InlineData("not deflate at all", "48656c6c6f2c2074686973206973206e6f206465666c6174652073747265616d")]
    [InlineData("cut off", "f248cd")]
    [InlineData("a stored block cut off", "000500faff4865")]
    public void Malformed_data_end_in_a_status_that_sticks(string shape, string hex)
    {
        foreach (bool keeps in new[] { false, true })
            foreach (byte[][] pieces in Cuts(Convert.FromHexString(hex)))
            {
                using var inflater = new MessageInflater(_pool, 15, keeps);
                Assert.Equal((shape, InflateStatus.InvalidData), (shape, Inflate(inflater, pieces, out _)));
                Assert.Equal(InflateStatus.InvalidData, Inflate(inflater, [Convert.FromHexString("f248cdc9c90700")], out _));
            }
    }

    [Fact]
    public void A_message_cut_off_anywhere_is_invalid()
    {
        byte[] message = DeflateSamples.Json(3000);
        byte[] compressed = DeflateSamples.CompressWithDeflateStream(message);
        foreach (bool keeps in new[] { false, true })
            for (int length = 1; length < compressed.Length; length++)
            {
                using var inflater = new MessageInflater(_pool, 15, keeps);
                var status = Inflate(inflater, [compressed[..length]], out string text);
                // With the window kept, a cut through the table of codes that begins a block shows with the next message only.
                if (!keeps || text.Length > 0) Assert.Equal((keeps, length, InflateStatus.InvalidData), (keeps, length, status));
            }
    }

    [Fact]
    public void A_kept_window_is_referred_to_and_one_that_is_not_kept_is_gone()
    {
        byte[] first = Convert.FromHexString("f248cdc9c90700");
        byte[] reference = Convert.FromHexString("f200110000");
        using var keeping = new MessageInflater(_pool, 15, keepsWindow: true);
        foreach (byte[] compressed in new[] { first, reference, Convert.FromHexString("00"), [], reference })
        {
            Assert.Equal(InflateStatus.Ok, Inflate(keeping, [compressed], out string text));
            Assert.Equal(compressed.Length < 2 ? "" : "Hello", text);
        }
        using var forgetting = new MessageInflater(_pool, 15, keepsWindow: false);
        Assert.Equal(InflateStatus.Ok, Inflate(forgetting, [first], out _));
        Assert.Equal(InflateStatus.InvalidData, Inflate(forgetting, [reference], out _));
    }

    [Fact]
    public void What_is_new_after_a_piece_can_be_seen_at_once()
    {
        using var inflater = new MessageInflater(_pool, 15, keepsWindow: false);
        using var output = new PooledByteBuffer(_arrays);
        var lengths = new List<int>();
        foreach (byte octet in Convert.FromHexString("f248cdc9c90700"))
        {
            Assert.Equal(InflateStatus.Ok, inflater.Append([octet], endOfMessage: false, output));
            lengths.Add(output.Length);
        }
        Assert.Equal([0, 1, 2, 3, 4, 5, 5], lengths);
        Assert.Equal(InflateStatus.Ok, inflater.Append([], endOfMessage: true, output));
        Assert.Equal("Hello"u8.ToArray(), output.WrittenSpan.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(65_536)]
    [InlineData(1_000_003)]
    public void A_message_of_exactly_the_limit_is_welcome_and_one_octet_more_is_too_big(int limit)
    {
        foreach (int size in new[] { limit, limit + 1 })
            foreach (int piece in new[] { 7, int.MaxValue })
            {
                using var inflater = new MessageInflater(_pool, 15, keepsWindow: true);
                using var output = new PooledByteBuffer(_arrays, limit);
                byte[] compressed = DeflateSamples.CompressWithDeflateStream(new byte[size]);
                var status = InflateStatus.Ok;
                foreach (byte[] part in compressed.Chunk(piece)) status = inflater.Append(part, endOfMessage: false, output);
                if (status == InflateStatus.Ok) status = inflater.Append([], endOfMessage: true, output);
                Assert.Equal(size > limit ? InflateStatus.TooBig : InflateStatus.Ok, status);
                Assert.Equal(limit, output.Length);
                if (size > limit) Assert.Equal(InflateStatus.TooBig, inflater.Append([], endOfMessage: true, output));
            }
    }

    [Fact]
    public void A_bomb_costs_no_more_memory_than_the_limit()
    {
        byte[] bomb = DeflateSamples.CompressWithDeflateStream(new byte[64 << 20]);
        using var inflater = new MessageInflater(_pool, 15, keepsWindow: false);
        using var output = new PooledByteBuffer(_arrays, 100_000);
        Assert.Equal(InflateStatus.TooBig, inflater.Append(bomb, endOfMessage: true, output));
        // While the buffer grows for the last time the smaller array is out, too.
        Assert.InRange(_arrays.PeakBytes, 100_000, 200_000);
        Assert.Equal(1, _pool.IdleInflaters);
    }

    [Fact]
    public void Native_state_is_held_only_while_a_message_is_under_way_or_a_window_kept()
    {
        byte[] hello = Convert.FromHexString("f248cdc9c90700");
        using var output = new PooledByteBuffer(_arrays);
        using (var forgetting = new MessageInflater(_pool, 15, keepsWindow: false))
        {
            forgetting.Append([], endOfMessage: true, output);
            Assert.Equal(0, _pool.IdleInflaters);
            forgetting.Append(hello, endOfMessage: true, output);
            Assert.Equal(1, _pool.IdleInflaters);
            forgetting.Append(hello, endOfMessage: false, output);
            Assert.Equal(0, _pool.IdleInflaters);
        }
        Assert.Equal(1, _pool.IdleInflaters);
        using (var keeping = new MessageInflater(_pool, 15, keepsWindow: true))
        {
            keeping.Append(hello, endOfMessage: true, output);
            Assert.Equal(0, _pool.IdleInflaters);
        }
        Assert.Equal(1, _pool.IdleInflaters);
    }

    [Fact]
    public void Random_octets_end_in_a_status()
    {
        var random = new Random(11);
        var seen = new HashSet<InflateStatus>();
        byte[] good = DeflateSamples.CompressWithDeflateStream(DeflateSamples.Json(2000));
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = round % 2 == 0 ? DeflateSamples.Noise(random.Next(1, 60), round) : good.ToArray();
            if (round % 2 != 0)
                for (int flips = random.Next(1, 4); flips > 0; flips--) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            using var inflater = new MessageInflater(_pool, random.Next(8, 16), keepsWindow: random.Next(2) == 0);
            using var output = new PooledByteBuffer(_arrays, random.Next(5000));
            int cut = random.Next(bytes.Length + 1);
            var first = inflater.Append(bytes.AsSpan(0, cut), endOfMessage: false, output);
            var second = inflater.Append(bytes.AsSpan(cut), endOfMessage: true, output);
            if (first != InflateStatus.Ok) Assert.Equal(first, second);
            seen.Add(second);
            // Whatever came before, the next connection gets a clean decompressor.
            using var next = new MessageInflater(_pool, 15, keepsWindow: false);
            Assert.Equal(InflateStatus.Ok, Inflate(next, [Convert.FromHexString("f248cdc9c90700")], out string text));
            Assert.Equal("Hello", text);
        }
        Assert.Equal(3, seen.Count);
    }

    [Fact]
    public void After_Dispose_nothing_is_inflated_any_more()
    {
        var inflater = new MessageInflater(_pool, 15, keepsWindow: false);
        inflater.Dispose();
        Assert.Equal(InflateStatus.InvalidData, Inflate(inflater, [[0]], out _));
        Assert.Equal(0, _pool.IdleInflaters);
    }

    private InflateStatus Inflate(MessageInflater inflater, byte[][] pieces, out string text)
    {
        using var output = new PooledByteBuffer(_arrays, 100_000);
        var status = InflateStatus.Ok;
        for (int i = 0; i < pieces.Length; i++) status = inflater.Append(pieces[i], i == pieces.Length - 1, output);
        text = System.Text.Encoding.Latin1.GetString(output.WrittenSpan);
        return status;
    }

    private static IEnumerable<byte[][]> Cuts(byte[] bytes)
    {
        yield return [bytes];
        for (int at = 0; at <= bytes.Length; at++) yield return [bytes[..at], bytes[at..]];
        yield return [.. bytes.Select(b => new[] { b }), []];
    }
}
