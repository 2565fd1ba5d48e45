using System.Threading.RateLimiting;
using FastChat.Chat;
using FastChat.Server.Auth.RateLimits;
using FastChat.TestKit;

namespace FastChat.Server.Tests.Auth.RateLimits;

public sealed class UserRateLimiterTests
{
    private readonly FakeTimeProvider _time = new();

    private UserRateLimiter Limiter(int perMinute = 100, int perHour = 1000, int maxUsers = 100_000) =>
        new(new RateLimitOptions { PerMinute = perMinute, PerHour = perHour, MaxUsers = maxUsers }, _time);

    [Fact]
    public void A_hundred_a_minute_pass_and_the_next_waits_until_the_minute_has_passed()
    {
        var limiter = Limiter();
        for (int left = 99; left >= 0; left--)
        {
            var passed = limiter.Check("ada");
            Assert.Equal((true, 100, left, 0), (passed.Allowed, passed.Limit, passed.Remaining, passed.RetryAfterSeconds));
        }
        var refused = limiter.Check("ada");
        Assert.Equal(new RateLimitDecision(false, 100, 0, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)), refused);
        Assert.True(limiter.Check("bob").Allowed);

        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(1, limiter.Check("ada").RetryAfterSeconds);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(99, limiter.Check("ada").Remaining);
    }

    [Fact]
    public void A_thousand_an_hour_pass()
    {
        var limiter = Limiter();
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(limiter.Check("ada").Allowed);
            if (i % 100 == 99)
                _time.Advance(TimeSpan.FromMinutes(1));
        }
        var refused = limiter.Check("ada");
        Assert.Equal((false, 1000, 0), (refused.Allowed, refused.Limit, refused.Remaining));
        Assert.Equal(TimeSpan.FromMinutes(50), refused.RetryAfter);
        _time.Advance(TimeSpan.FromMinutes(50));
        for (int i = 0; i < 100; i++)
            Assert.True(limiter.Check("ada").Allowed);
        Assert.False(limiter.Check("ada").Allowed);
    }

    [Fact]
    public void No_minute_holds_more_than_a_minutes_worth_wherever_it_begins()
    {
        var limiter = Limiter(perMinute: 10, perHour: 100_000);
        var passed = new List<TimeSpan>();
        for (var at = TimeSpan.Zero; at < TimeSpan.FromMinutes(10); at += TimeSpan.FromMilliseconds(700))
        {
            if (limiter.Check("ada").Allowed)
                passed.Add(at);
            _time.Advance(TimeSpan.FromMilliseconds(700));
        }
        // To within a sixtieth: the width of a step.
        Assert.All(passed, from => Assert.InRange(
            passed.Count(at => at >= from && at < from + TimeSpan.FromSeconds(59)), 1, 10));
        Assert.InRange(passed.Count, 90, 101);
    }

    [Fact]
    public void Whoever_waits_as_told_is_let_in_and_not_a_moment_earlier()
    {
        var limiter = Limiter(perMinute: 7, perHour: 40);
        for (int i = 0; i < 2000; i++)
        {
            var decision = limiter.Check("ada");
            if (decision.Allowed)
            {
                _time.Advance(TimeSpan.FromMilliseconds(i * 37 % 4000));
                continue;
            }
            _time.Advance(decision.RetryAfter - TimeSpan.FromTicks(1));
            Assert.False(limiter.Check("ada", 0) is { Remaining: > 0 });
            _time.Advance(TimeSpan.FromTicks(1));
            Assert.True(limiter.Check("ada").Allowed);
        }
    }

    [Fact]
    public void What_is_refused_costs_nothing()
    {
        var limiter = Limiter(perMinute: 2, perHour: 3);
        for (int i = 0; i < 50; i++)
            limiter.Check("ada");
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(limiter.Check("ada").Allowed);
        Assert.Equal(3, limiter.Check("ada").Limit);
    }

    [Fact]
    public void The_nearest_limit_is_the_one_told_of()
    {
        var limiter = Limiter(perMinute: 5, perHour: 6);
        Assert.Equal((5, 4), (limiter.Check("ada") is var one ? one.Limit : 0, one.Remaining));
        _time.Advance(TimeSpan.FromMinutes(1));
        for (int i = 0; i < 4; i++)
            limiter.Check("ada");
        _time.Advance(TimeSpan.FromMinutes(1));
        var last = limiter.Check("ada");
        Assert.Equal((true, 6, 0), (last.Allowed, last.Limit, last.Remaining));
        Assert.Equal(TimeSpan.FromMinutes(58), last.Reset);
    }

    [Fact]
    public void Users_are_bounded_and_the_idlest_go_first()
    {
        var limiter = Limiter(perMinute: 1, maxUsers: 100);
        for (int i = 0; i < 1000; i++)
        {
            limiter.Check($"user {i}");
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.InRange(limiter.CountedUsers, 1, 100);
        }
        Assert.False(limiter.Check("user 999").Allowed);
        Assert.True(limiter.Check("user 0").Allowed);
    }

    [Fact]
    public void The_idle_are_forgotten()
    {
        var limiter = Limiter();
        for (int i = 0; i < 50; i++)
            limiter.Check($"user {i}");
        _time.Advance(TimeSpan.FromHours(1) + TimeSpan.FromTicks(1));
        limiter.Check("somebody new");
        Assert.Equal(1, limiter.CountedUsers);
    }

    [Fact]
    public async Task Threads_together_get_no_more_than_one_would()
    {
        var limiter = Limiter(maxUsers: 4);
        int passed = 0;
        await Parallel.ForAsync(0, 2000, (i, _) =>
        {
            if (limiter.Check("ada").Allowed)
                Interlocked.Increment(ref passed);
            return default;
        }).WaitAsync(Hosting.TestServer.Patience);
        Assert.Equal(100, passed);
    }

    [Fact]
    public async Task The_engine_asks_the_same_counters()
    {
        var limiter = Limiter(perMinute: 1);
        IChatRateLimiter sockets = limiter;
        Assert.Equal(RateDecision.Allowed, await sockets.AcquireAsync("ada"));
        Assert.False(limiter.Check("ada").Allowed);
        Assert.Equal(new RateDecision(false, TimeSpan.FromMinutes(1)), await sockets.AcquireAsync("ada"));
    }

    [Fact]
    public async Task It_speaks_the_interface_of_the_framework()
    {
        PartitionedRateLimiter<string> limiter = Limiter(perMinute: 2);
        using (var lease = limiter.AttemptAcquire("ada"))
            Assert.True(lease.IsAcquired);
        using (var lease = await limiter.AcquireAsync("ada", 1))
            Assert.True(lease.IsAcquired);
        Assert.Equal(0, limiter.GetStatistics("ada")!.CurrentAvailablePermits);
        using var refused = limiter.AttemptAcquire("ada");
        Assert.False(refused.IsAcquired);
        Assert.True(refused.TryGetMetadata(MetadataName.RetryAfter, out var after));
        Assert.Equal(TimeSpan.FromMinutes(1), after);
        Assert.Throws<ArgumentOutOfRangeException>(() => limiter.AttemptAcquire("ada", 3));
    }
}
