using System.Net;
using FastChat.Connections;

namespace FastChat.Core.Tests.Connections;

public sealed class ConnectionCounterTests
{
    private static readonly IPAddress A = IPAddress.Parse("192.0.2.1"), B = IPAddress.Parse("2001:db8::1");

    [Fact]
    public void All_together_and_each_address_have_their_limit()
    {
        var counter = new ConnectionCounter(3, 2);
        Assert.True(counter.CountsByAddress);
        Assert.True(counter.TryAdd(A));
        Assert.True(counter.TryAdd(A));
        Assert.False(counter.TryAdd(A));
        Assert.Equal(2, counter.Count);
        Assert.True(counter.TryAdd(B));
        Assert.False(counter.TryAdd(B));
        Assert.False(counter.TryAdd(null));
        counter.Remove(A);
        Assert.True(counter.TryAdd(B));
        Assert.Equal(3, counter.Count);
    }

    [Fact]
    public void What_another_server_has_admitted_counts_though_it_is_over_the_limits()
    {
        var counter = new ConnectionCounter(3, 1);
        counter.Add(A);
        counter.Add(A);
        Assert.False(counter.TryAdd(A));
        counter.Remove(A);
        Assert.False(counter.TryAdd(A));
        counter.Remove(A);
        Assert.True(counter.TryAdd(A));
        Assert.Equal(1, counter.Count);
    }

    [Fact]
    public async Task It_tells_when_the_last_is_gone()
    {
        await new ConnectionCounter(3, 3).WhenEmptyAsync().WaitAsync(TimeSpan.FromSeconds(30));
        var counter = new ConnectionCounter(3, 3);
        Assert.True(counter.TryAdd(A));
        Assert.True(counter.TryAdd(null));
        var empty = counter.WhenEmptyAsync();
        counter.Remove(A);
        Assert.False(empty.IsCompleted);
        counter.Remove(null);
        await empty.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Counts_are_exact_under_contention()
    {
        var counter = new ConnectionCounter(50, 20);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(() =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                var address = (i + n) % 2 == 0 ? A : B;
                if (!counter.TryAdd(address)) continue;
                Assert.InRange(counter.Count, 1, 58); // those that are just being refused are in it
                counter.Remove(address);
            }
        }))).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, counter.Count);
        for (int i = 0; i < 20; i++) Assert.True(counter.TryAdd(A));
        Assert.False(counter.TryAdd(A));
    }
}
