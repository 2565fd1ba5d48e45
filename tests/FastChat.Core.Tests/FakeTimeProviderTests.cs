using FastChat.TestKit;

namespace FastChat.Core.Tests;

public sealed class FakeTimeProviderTests
{
    [Fact]
    public void Timers_fire_in_the_order_of_their_due_time()
    {
        var time = new FakeTimeProvider();
        var fired = new List<string>();
        using var late = time.CreateTimer(_ => fired.Add("late"), null, TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan);
        using var early = time.CreateTimer(_ => fired.Add("early"), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        time.Advance(TimeSpan.FromSeconds(2.5));
        Assert.Equal(["early", "late", "early"], fired);
    }
}
