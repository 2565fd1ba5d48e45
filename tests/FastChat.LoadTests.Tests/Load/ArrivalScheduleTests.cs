using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Tests.Load;

public class ArrivalScheduleTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_rate_is_even_distances()
    {
        var arrivals = new ArrivalSchedule([new Phase(2 * Second, 4, 4)]).Arrivals().ToArray();
        Assert.Equal([0, 250, 500, 750, 1000, 1250, 1500, 1750], arrivals.Select(a => a.Due.TotalMilliseconds));
        Assert.Equal(Enumerable.Range(0, 8), arrivals.Select(a => a.Index));
    }

    [Fact]
    public void A_number_at_a_rate_is_exactly_that_number()
    {
        foreach (int count in (int[])[1, 7, 1000, 9_999])
            foreach (double rate in (double[])[0.3, 7, 333, 12_345])
                Assert.Equal(count, ArrivalSchedule.Of(count, rate).Arrivals().Count());
    }

    [Fact]
    public void A_ramp_comes_closer_and_closer()
    {
        var schedule = new ArrivalSchedule([new Phase(10 * Second, 0, 20)]);
        double[] due = [.. schedule.Arrivals().Select(a => a.Due.TotalSeconds)];
        Assert.Equal(100, due.Length);
        // Half of the arrivals of a ramp from 0 come in its last 1 - sqrt(1/2).
        Assert.Equal(10 * Math.Sqrt(0.5), due[50], 3);
        for (int i = 2; i < due.Length; i++) Assert.True(due[i] - due[i - 1] < due[i - 1] - due[i - 2], $"{i}");
    }

    [Fact]
    public void Phases_follow_each_other_and_name_their_arrivals()
    {
        var arrivals = new ArrivalSchedule([new(Second, 10, 10, "before"), new(Second, 100, 100, "spike"), new(Second, 0, 0, "rest"), new(Second, 10, 10, "after")]).Arrivals().ToArray();
        Assert.Equal([10, 100, 10], arrivals.CountBy(a => a.Phase.Name).Select(c => c.Value));
        Assert.All(arrivals.Where(a => a.Phase.Name == "spike"), a => Assert.InRange(a.Due.TotalSeconds, 1, 2));
        Assert.Equal(3, arrivals.First(a => a.Phase.Name == "after").Due.TotalSeconds, 6);
    }

    [Fact]
    public void Arrivals_at_random_are_as_many_on_average_and_the_same_for_the_same_seed()
    {
        ArrivalSchedule Schedule(int seed) => new([new Phase(100 * Second, 50, 50)], seed);
        var gaps = Schedule(1).Arrivals().Zip(Schedule(1).Arrivals().Skip(1), (a, b) => (b.Due - a.Due).TotalSeconds).ToArray();
        Assert.InRange(gaps.Length, 4_700, 5_300);
        // A Poisson process: the deviation of its gaps is their mean.
        double mean = gaps.Average(), deviation = Math.Sqrt(gaps.Average(g => (g - mean) * (g - mean)));
        Assert.InRange(deviation / mean, 0.9, 1.1);
        Assert.Equal(Schedule(1).Arrivals(), Schedule(1).Arrivals());
        Assert.NotEqual(Schedule(1).Arrivals().First(), Schedule(2).Arrivals().First());
    }

    [Fact]
    public void The_beginning_of_a_schedule_is_its_beginning()
    {
        var schedule = new ArrivalSchedule([new(Second, 10, 20, "a"), new(Second, 20, 20, "b")]);
        var first = schedule.First(1.5 * Second);
        Assert.Equal(1.5 * Second, first.Duration);
        Assert.Equal(schedule.Arrivals().Where(a => a.Due < 1.5 * Second).Select(a => a.Due), first.Arrivals().Select(a => a.Due));
        Assert.Empty(schedule.First(TimeSpan.Zero).Arrivals());
        Assert.Equal(schedule.Arrivals().Count(), schedule.First(TimeSpan.FromHours(1)).Arrivals().Count());
    }

    [Fact]
    public void A_time_has_a_phase_until_the_schedule_is_over()
    {
        var schedule = new ArrivalSchedule([new(Second, 10, 20, "a"), new(Second, 20, 20, "b")]);
        Assert.Equal(["a", "a", "b", "b", null], new[] { 0, 1, 1.1, 2, 2.1 }.Select(s => schedule.At(TimeSpan.FromSeconds(s))?.Name));
    }

    [Fact]
    public void Negative_rates_and_durations_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ArrivalSchedule([new Phase(Second, -1, 1)]));
        Assert.Throws<ArgumentException>(() => new ArrivalSchedule([new Phase(-Second, 1, 1)]));
    }
}
