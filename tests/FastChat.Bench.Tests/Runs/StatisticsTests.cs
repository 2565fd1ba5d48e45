using FastChat.Compare.Load;
using FastChat.Compare.Runs;

namespace FastChat.Bench.Tests.Runs;

public class StatisticsTests
{
    private static Run Good(string server, double cpu, double? stolen = null, int round = 1) =>
        new(server, "ping-pong", round, new LoadResult { Messages = 1_000_000, Seconds = 2, ServerCpuSeconds = cpu, StolenShare = stolen });

    [Fact]
    public void The_median_is_the_middle_or_the_mean_of_the_two_there()
    {
        Assert.Null(Statistics.Median([]));
        Assert.Null(Statistics.Median([null, null]));
        Assert.Equal(3, Statistics.Median([9, 1, 3]));
        Assert.Equal(2.5, Statistics.Median([4, 1, 2, 3]));
        Assert.Equal(2, Statistics.Median([null, 1, 3, null]));
    }

    [Fact]
    public void A_summary_has_the_medians_and_the_range()
    {
        var summary = Assert.Single(Statistics.Summarise([Good("a", 3), Good("a", 1), Good("a", 2)]));
        Assert.Equal((2, 1, 3), (summary.CpuMicroseconds, summary.CpuMicrosecondsLeast, summary.CpuMicrosecondsMost));
        Assert.Equal(500_000, summary.MessagesPerSecond);
        Assert.Equal((3, 0, 0), (summary.Runs, summary.Disturbed, summary.Failed));
    }

    [Fact]
    public void Disturbed_runs_do_not_count_beside_clean_ones()
    {
        var summary = Assert.Single(Statistics.Summarise([Good("a", 1, 0.01), Good("a", 9, 0.5), Good("a", 3, 0.02)]));
        Assert.Equal((2.0, 2, 1), (summary.CpuMicroseconds, summary.Runs, summary.Disturbed));
    }

    [Fact]
    public void Where_all_were_disturbed_all_count()
    {
        var summary = Assert.Single(Statistics.Summarise([Good("a", 1, 0.5), Good("a", 3, 0.5)]));
        Assert.Equal((2.0, 2, 2), (summary.CpuMicroseconds, summary.Runs, summary.Disturbed));
    }

    [Fact]
    public void A_client_that_was_kept_from_its_cpu_disturbs_where_it_polls()
    {
        var kept = Good("a", 1) with { Result = Good("a", 1).Result with { ClientCpuShare = 0.5 } };
        Assert.False(kept.IsClean);
        Assert.True((kept with { Scenario = "single" }).IsClean);
        Assert.True((kept with { Result = kept.Result with { ClientCpuShare = 0.99 } }).IsClean);
    }

    [Fact]
    public void A_ratio_is_the_median_of_those_within_rounds()
    {
        // The machine was half as fast in the second round, and the cheap server has no third.
        var summaries = Statistics.Summarise([Good("dear", 3), Good("cheap", 1), Good("dear", 6, round: 2), Good("cheap", 2, round: 2), Good("dear", 50, round: 3)]);
        Assert.Equal([3.0, 1.0], summaries.Select(s => s.Ratio!.Value));
        Assert.Equal([1.0, 1 / 3.0], Statistics.Summarise([Good("dear", 3), Good("cheap", 1)], "dear").Select(s => s.Ratio!.Value));
        Assert.Equal([3.0, 1.0], Statistics.Summarise([Good("dear", 3), Good("cheap", 1)], "not among them").Select(s => s.Ratio!.Value));
        Assert.Equal([4.0, 1.0], Statistics.Summarise([Good("dear", 4), Good("cheap", 1, round: 2)]).Select(s => s.Ratio!.Value));
    }

    [Fact]
    public void Failures_are_counted_and_the_last_one_named()
    {
        var summaries = Statistics.Summarise([Good("a", 1), new Run("a", "ping-pong", 2, new LoadResult { Error = "gone" }), new Run("b", "ping-pong", 1, new LoadResult { Error = "never there" })]);
        Assert.Equal((1, 1, "gone", 1.0), (summaries[0].Runs, summaries[0].Failed, summaries[0].Error, summaries[0].CpuMicroseconds));
        Assert.Equal((0, 1, "never there"), (summaries[1].Runs, summaries[1].Failed, summaries[1].Error));
        Assert.Null(summaries[1].CpuMicroseconds);
        Assert.Null(summaries[1].CpuMicrosecondsMost);
    }
}
