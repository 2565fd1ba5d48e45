using FastChat.Server.Hosting;
using FastChat.TestKit;

namespace FastChat.Server.Tests.Hosting;

public sealed class MemoryTrimTests
{
    private readonly FakeTimeProvider _time = new();
    private long _allocated = 1 << 30;
    private int _collections;

    [Fact]
    public async Task Memory_is_given_back_once_when_a_busy_time_is_over()
    {
        using var trim = await StartAsync();
        TickAfter(MemoryTrim.Worthwhile);
        Assert.Equal(0, _collections); // busy
        TickAfter(MemoryTrim.Quiet - 1);
        Assert.Equal(1, _collections);
        TickAfter(0);
        Assert.Equal(1, _collections); // nothing new to give back
        TickAfter(MemoryTrim.Worthwhile);
        TickAfter(MemoryTrim.Quiet);
        Assert.Equal(1, _collections); // still busy
        TickAfter(0);
        Assert.Equal(2, _collections);
    }

    [Fact]
    public async Task A_little_is_not_worth_the_pause()
    {
        using var trim = await StartAsync();
        for (int i = 0; i < 7; i++)
            TickAfter(MemoryTrim.Quiet - 1);
        Assert.Equal(0, _collections);
        TickAfter(MemoryTrim.Quiet - 1);
        Assert.Equal(0, _collections);
        TickAfter(MemoryTrim.Quiet - 1);
        Assert.Equal(1, _collections);
    }

    [Fact]
    public async Task It_ends_with_the_host()
    {
        using var trim = await StartAsync();
        await trim.StopAsync(CancellationToken.None);
        TickAfter(MemoryTrim.Worthwhile);
        TickAfter(0);
        Assert.Equal(0, _collections);
    }

    private async Task<MemoryTrim> StartAsync()
    {
        var trim = new MemoryTrim(_time, () => _allocated, () => _collections++);
        await trim.StartAsync(CancellationToken.None);
        return trim;
    }

    private void TickAfter(long bytes)
    {
        _allocated += bytes;
        _time.Advance(MemoryTrim.Tick);
    }
}
