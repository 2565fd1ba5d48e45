using System.Buffers;
using FastChat.Buffers;
using FastChat.Protocol.Compression;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Protocol.Compression;

public sealed class MessageDeflaterTests : IDisposable
{
    private readonly CompressionPool _pool = new(new PerMessageDeflateOptions { Threshold = 100 });
    private readonly TrackingArrayPool _arrays = new();

    public void Dispose()
    {
        _arrays.AssertNothingRented();
        _pool.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Below_the_threshold_nothing_is_compressed(bool keeps)
    {
        using MessageDeflater deflater = _pool.CreateDeflater(new(!keeps, !keeps, 15, 15), isServer: true);
        using var output = new PooledByteBuffer(_arrays);
        Assert.Equal(100, deflater.Threshold);
        Assert.Equal(keeps, deflater.KeepsWindow);
        Assert.False(deflater.TryCompress(new byte[99], output));
        Assert.False(deflater.TryCompress(SequenceReplay.Chunks(new byte[99], 10), output));
        Assert.Equal(0, output.Length);
        Assert.True(deflater.TryCompress(new byte[100], output));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nothing_is_not_compressed_even_without_a_threshold(bool keeps)
    {
        using var deflater = new MessageDeflater(_pool, 15, keeps, threshold: 0);
        using var output = new PooledByteBuffer(_arrays);
        for (int i = 0; i < 2; i++)
        {
            Assert.False(deflater.TryCompress(ReadOnlySpan<byte>.Empty, output));
            Assert.False(deflater.TryCompress(SequenceReplay.Join([[], [], []]), output));
            Assert.Equal(0, output.Length);
            Assert.True(deflater.TryCompress(new byte[100], output));
            output.Clear();
        }
    }

    [Fact]
    public void What_does_not_get_smaller_is_left_alone_unless_the_window_is_kept()
    {
        byte[] noise = DeflateSamples.Noise(50_000);
        using var output = new PooledByteBuffer(_arrays);
        output.TryWrite("head"u8);
        using (var forgetting = new MessageDeflater(_pool, 15, keepsWindow: false, threshold: 0))
        {
            Assert.False(forgetting.TryCompress(noise, output));
            Assert.Equal("head"u8.ToArray(), output.WrittenSpan.ToArray());
        }
        using var keeping = new MessageDeflater(_pool, 15, keepsWindow: true, threshold: 0);
        Assert.True(keeping.TryCompress(noise, output));
        Assert.InRange(output.Length, noise.Length, noise.Length + 100);
    }

    [Fact]
    public void What_is_compressed_stands_behind_what_was_there()
    {
        using var deflater = new MessageDeflater(_pool, 15, keepsWindow: false, threshold: 0);
        using var output = new PooledByteBuffer(_arrays);
        output.TryWrite("head"u8);
        byte[] message = DeflateSamples.Json(1000);
        Assert.True(deflater.TryCompress(message, output));
        Assert.Equal("head"u8.ToArray(), output.WrittenSpan[..4].ToArray());
        Assert.Equal(DeflateSamples.Compress(deflater, message), output.WrittenSpan[4..].ToArray());
    }

    [Fact]
    public void Without_a_window_every_message_stands_alone_and_a_kept_window_makes_repetitions_small()
    {
        byte[] message = DeflateSamples.Json(1000);
        using var forgetting = new MessageDeflater(_pool, 15, keepsWindow: false, threshold: 0);
        Assert.Equal(DeflateSamples.Compress(forgetting, message), DeflateSamples.Compress(forgetting, message));
        using var keeping = new MessageDeflater(_pool, 15, keepsWindow: true, threshold: 0);
        int first = DeflateSamples.Compress(keeping, message)!.Length;
        int second = DeflateSamples.Compress(keeping, message)!.Length;
        Assert.True(second < first / 5, $"{first}, then {second}");
    }

    [Fact]
    public void Segments_make_no_difference_to_what_arrives()
    {
        byte[] message = DeflateSamples.Json(400);
        using var deflater = new MessageDeflater(_pool, 15, keepsWindow: false, threshold: 0);
        foreach (ReplayedSequence replayed in SequenceReplay.Cuts(message))
        {
            using var output = new PooledByteBuffer(_arrays);
            Assert.True(deflater.TryCompress(replayed.Bytes, output), replayed.How);
            Assert.Equal(message, DeflateSamples.InflateStrictly(output.WrittenSpan, 15));
        }
    }

    [Fact]
    public void An_output_that_is_too_small_throws_and_spoils_no_other_compressor()
    {
        byte[] message = DeflateSamples.Json(20_000);
        foreach (bool keeps in new[] { false, true })
        {
            using var deflater = new MessageDeflater(_pool, 15, keeps, threshold: 0);
            using var output = new PooledByteBuffer(_arrays, 500);
            Assert.Throws<InvalidOperationException>(() => deflater.TryCompress(message, output));
            Assert.Equal(0, _pool.IdleDeflaters(15));
            output.Truncate(0);
            if (keeps) Assert.Throws<ObjectDisposedException>(() => deflater.TryCompress(message, output));
            else Assert.Equal(message, DeflateSamples.InflateStrictly(DeflateSamples.Compress(deflater, message)!, 15));
            while (_pool.IdleDeflaters(15) > 0) _pool.RentDeflater(15).Dispose();
        }
    }

    [Fact]
    public void After_Dispose_it_throws()
    {
        var deflater = new MessageDeflater(_pool, 15, keepsWindow: true, threshold: 0);
        deflater.Dispose();
        deflater.Dispose();
        using var output = new PooledByteBuffer(_arrays);
        Assert.Throws<ObjectDisposedException>(() => deflater.TryCompress(new byte[10], output));
    }

    [Fact]
    public void Outputs_of_every_size_take_what_fits()
    {
        // Room that ends in the middle of a flush makes zlib be called again; what comes out must stay one whole message.
        byte[] message = DeflateSamples.Json(600);
        using var deflater = new MessageDeflater(_pool, 15, keepsWindow: false, threshold: 0);
        int length = DeflateSamples.Compress(deflater, message)!.Length;
        for (int before = 0; before < 600; before++)
        {
            using var output = new PooledByteBuffer(_arrays);
            output.TryWrite(new byte[before]);
            Assert.True(deflater.TryCompress(message, output));
            Assert.InRange(output.Length - before, length, length + 5);
            Assert.Equal(message, DeflateSamples.InflateStrictly(output.WrittenSpan[before..], 15));
        }
    }
}
