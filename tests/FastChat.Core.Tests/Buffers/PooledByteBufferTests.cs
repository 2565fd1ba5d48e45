using System.Buffers;
using FastChat.Buffers;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Buffers;

public sealed class PooledByteBufferTests
{
    private readonly TrackingArrayPool _pool = new();

    [Fact]
    public void Nothing_is_rented_before_the_first_write_and_after_Clear()
    {
        var buffer = new PooledByteBuffer(_pool);
        Assert.True(buffer.TryWrite([]));
        Assert.True(buffer.WrittenSpan.IsEmpty);
        Assert.True(buffer.WrittenMemory.IsEmpty);
        Assert.Equal(0, _pool.Rents);
        Assert.True(buffer.TryWrite([1, 2, 3]));
        Assert.Equal(1, _pool.Outstanding);
        buffer.Clear();
        buffer.Clear();
        Assert.Equal(0, buffer.Length);
        Assert.True(buffer.TryWrite([4]));
        Assert.Equal([4], buffer.WrittenMemory.ToArray());
        buffer.Dispose();
        _pool.AssertNothingRented();
    }

    [Fact]
    public void Content_survives_growth()
    {
        using var buffer = new PooledByteBuffer(_pool);
        byte[] expected = new byte[100_000];
        new Random(1).NextBytes(expected);
        for (int at = 0, step = 1; at < expected.Length; at += step, step = Math.Min(step * 2 + 1, expected.Length - at))
            Assert.True(buffer.TryWrite(expected.AsSpan(at, step)));
        Assert.Equal(expected, buffer.WrittenMemory.ToArray());
        Assert.Equal(1, _pool.Outstanding);
        Assert.InRange(_pool.Rents, 2, 16);
    }

    [Fact]
    public void The_limit_is_checked_before_anything_is_rented()
    {
        using var buffer = new PooledByteBuffer(_pool, 10);
        Assert.False(buffer.TryWrite(new byte[11]));
        Assert.Throws<InvalidOperationException>(() => { buffer.GetSpan(11); });
        Assert.Equal(0, _pool.Rents);
        Assert.True(buffer.TryWrite(new byte[9]));
        Assert.Equal(1, buffer.Remaining);
        Assert.Equal(1, buffer.GetSpan().Length);
        Assert.Equal(1, buffer.GetMemory(1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(2));
        buffer.Advance(1);
        Assert.Equal(0, buffer.Remaining);
        Assert.Throws<InvalidOperationException>(() => { buffer.GetSpan(); });
        Assert.False(buffer.TryWrite([1]));
        Assert.Equal(10, buffer.Length);
    }

    [Fact]
    public void Truncate_forgets_the_end_only()
    {
        using var buffer = new PooledByteBuffer(_pool);
        buffer.TryWrite([1, 2, 3, 4]);
        buffer.Truncate(2);
        buffer.TryWrite([9]);
        Assert.Equal([1, 2, 9], buffer.WrittenSpan.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Truncate(4));
    }

    [Fact]
    public void Detach_hands_the_array_over()
    {
        var buffer = new PooledByteBuffer(_pool);
        Assert.Null(buffer.Detach(out int none));
        Assert.Equal(0, none);
        buffer.TryWrite([1, 2, 3]);
        byte[] array = buffer.Detach(out int length)!;
        Assert.Equal([1, 2, 3], array[..length]);
        Assert.Equal(0, buffer.Length);
        buffer.Clear();
        Assert.Equal(1, _pool.Outstanding);
        _pool.Return(array);
        _pool.AssertNothingRented();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void Impossible_limits_are_refused(int limit) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PooledByteBuffer(ArrayPool<byte>.Shared, limit));
}
