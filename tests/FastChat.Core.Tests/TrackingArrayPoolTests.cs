using FastChat.TestKit;

namespace FastChat.Core.Tests;

public sealed class TrackingArrayPoolTests
{
    [Fact]
    public void A_leak_is_found()
    {
        var pool = new TrackingArrayPool();
        byte[] array = pool.Rent(10);
        Assert.Throws<InvalidOperationException>(pool.AssertNothingRented);
        pool.Return(array);
        pool.AssertNothingRented();
        Assert.Equal(10, pool.PeakBytes);
    }

    [Fact]
    public void A_second_return_and_a_foreign_array_throw()
    {
        var pool = new TrackingArrayPool();
        byte[] array = pool.Rent(10);
        pool.Return(array);
        Assert.Throws<InvalidOperationException>(() => pool.Return(array));
        Assert.Throws<InvalidOperationException>(() => pool.Return(new byte[10]));
    }

    [Fact]
    public void A_write_after_the_return_is_found()
    {
        var pool = new TrackingArrayPool();
        byte[] array = pool.Rent(10);
        pool.Return(array);
        array[9] = 0;
        Assert.Throws<InvalidOperationException>(pool.AssertNothingRented);
    }
}
