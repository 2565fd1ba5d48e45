using FastChat.Buffers;
using FastChat.Protocol.Compression;

namespace FastChat.Core.Tests.Protocol.Compression;

public sealed class CompressionPoolTests
{
    [Fact]
    public void The_native_library_is_there() => Assert.True(NativeZLib.IsSupported);

    [Fact]
    public void Idle_states_are_bounded()
    {
        using var pool = new CompressionPool(new());
        var deflaters = Enumerable.Range(0, 3 * Environment.ProcessorCount).Select(_ => pool.RentDeflater(15)).ToList();
        var inflaters = Enumerable.Range(0, 6 * Environment.ProcessorCount).Select(_ => pool.RentInflater(15)).ToList();
        deflaters.ForEach(d => pool.Return(d, 15));
        inflaters.ForEach(pool.Return);
        Assert.Equal(Environment.ProcessorCount, pool.IdleDeflaters(15));
        Assert.Equal(4 * Environment.ProcessorCount, pool.IdleInflaters);
        Assert.Equal(0, pool.IdleDeflaters(14));
        using var output = new PooledByteBuffer(System.Buffers.ArrayPool<byte>.Shared);
        Assert.Throws<ObjectDisposedException>(() => deflaters[^1].Compress([1], ZFlush.Full, output));
        Assert.Throws<ObjectDisposedException>(() => inflaters[^1].Reset(15));
    }

    [Fact]
    public void A_disposed_pool_keeps_nothing_and_frees_what_comes_back()
    {
        var pool = new CompressionPool(new());
        Inflater idle = pool.RentInflater(15), late = pool.RentInflater(15);
        pool.Return(idle);
        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => idle.Reset(15));
        pool.Return(late);
        Assert.Equal(0, pool.IdleInflaters);
        Assert.Throws<ObjectDisposedException>(() => late.Reset(15));
    }

    [Fact]
    public void A_pooled_decompressor_gets_the_window_that_is_asked_for()
    {
        using var pool = new CompressionPool(new());
        byte[] far = [.. DeflateSamples.Noise(300), .. DeflateSamples.Noise(300)];
        byte[] compressed = DeflateSamples.CompressWithDeflateStream(far);
        byte[] room = new byte[1];
        foreach ((int bits, bool fits) in new[] { (15, true), (8, false), (9, true), (8, false), (15, true) })
        {
            Inflater inflater = pool.RentInflater(bits);
            ReadOnlySpan<byte> input = compressed;
            int made = 0;
            InflateStep step;
            while ((step = inflater.Inflate(ref input, room, out int written)) == InflateStep.More && written > 0) made++;
            Assert.Equal(fits, step == InflateStep.More && made == far.Length);
            pool.Return(inflater);
            Assert.Equal(1, pool.IdleInflaters);
        }
    }

    [Fact]
    public void States_that_nobody_disposed_of_are_finalised_without_harm()
    {
        WeakReference[] lost = Lose();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.All(lost, reference => Assert.False(reference.IsAlive));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference[] Lose() => [new(new Deflater(15, 1, 8)), new(new Inflater(15))];
    }

    [Fact]
    public async Task One_pool_serves_many_threads()
    {
        using var pool = new CompressionPool(new() { Threshold = 0 });
        var agreed = new PerMessageDeflateParameters(true, true, 15, 12);
        Task[] threads = [.. Enumerable.Range(0, 8).Select(seed => Task.Run(() =>
        {
            using MessageDeflater deflater = pool.CreateDeflater(agreed, isServer: true);
            using MessageInflater inflater = pool.CreateInflater(agreed, isServer: false);
            using var compressed = new PooledByteBuffer(System.Buffers.ArrayPool<byte>.Shared);
            using var output = new PooledByteBuffer(System.Buffers.ArrayPool<byte>.Shared);
            for (int i = 0; i < 300; i++)
            {
                byte[] message = DeflateSamples.Json(500 + i, seed);
                compressed.Truncate(0);
                output.Truncate(0);
                Assert.True(deflater.TryCompress(message, compressed));
                Assert.Equal(InflateStatus.Ok, inflater.Append(compressed.WrittenSpan, endOfMessage: true, output));
                Assert.True(output.WrittenSpan.SequenceEqual(message));
            }
        }))];
        await Task.WhenAll(threads).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.InRange(pool.IdleDeflaters(15), 1, Environment.ProcessorCount);
    }
}
