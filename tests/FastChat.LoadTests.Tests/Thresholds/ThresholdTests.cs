using FastChat.LoadTests.Scenarios;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Tests.Thresholds;

public class ThresholdTests
{
    [Theory]
    [InlineData("p99<50ms", true, "9.99 ms")] // the first latency's; 10 ms, within the histogram's error
    [InlineData("p99<9ms", false, "9.99 ms")]
    [InlineData("p99 <= 10.2ms", true, "9.99 ms")]
    [InlineData("p50>4000us", true, "5")]
    [InlineData("p99.9<1s", true, "9.99 ms")]
    [InlineData("p75<7.4ms", false, "8.01 ms")]
    [InlineData("max=10ms", true, "10 ms")]
    [InlineData("max!=10ms", false, "10 ms")]
    [InlineData("mean<6ms", true, "5.5 ms")]
    [InlineData("chunk.p99<2ms", true, "1 ms")]
    [InlineData("chunk.count>=1", true, "1")]
    [InlineData("errors=0", false, "2")]
    [InlineData("errors==2", true, "2")]
    [InlineData("errors<=20%", true, "20%")]
    [InlineData("errors<0.1%", false, "20%")]
    [InlineData("rate>=5", true, "5/s")]
    [InlineData("operations=10", true, "10")]
    [InlineData("lost=0", true, "0")]
    [InlineData("doubled=0", false, "1")]
    [InlineData("cpu<60%", true, "50%")]
    [InlineData("cpu_per_operation<=100ms", true, "100 ms")]
    [InlineData("rss_growth<40MiB", true, "30 MiB")]
    [InlineData("rss_growth<30MB", false, "30 MiB")]
    [InlineData("rss_per_socket<=1MiB", true, "1 MiB")]
    [InlineData("rss_drift<=0", false, "not measured")]
    public void A_threshold_holds_or_not(string text, bool passes, string actual)
    {
        var result = Threshold.Parse(text).Evaluate(Results.Sample());
        Assert.Equal(passes, result.Passed);
        Assert.Equal(text, result.Expression);
        Assert.StartsWith(actual, result.Actual, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no assertion")]
    [InlineData("p99", "no assertion")]
    [InlineData("p99<", "no assertion")]
    [InlineData("<50ms", "no assertion")]
    [InlineData("p99=<50ms", "no assertion")]
    [InlineData("p99<50", "needs a unit")]
    [InlineData("p99<50MiB", "is a time")]
    [InlineData("p99<50parsecs", "is no value")]
    [InlineData("p99<fast", "is no value")]
    [InlineData("p101<50ms", "is no metric")]
    [InlineData("latency<50ms", "is no metric")]
    [InlineData("errors<5ms", "has no unit")]
    [InlineData("rss<40", "needs a unit")]
    [InlineData("cpu<2", "needs a %")]
    [InlineData("rate>10%", "has no unit")]
    public void What_is_no_threshold_is_refused_with_the_reason(string text, string reason)
    {
        var refused = Assert.Throws<FormatException>(() => Threshold.Parse(text));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.Contains(text.Split('<', '=', '>')[0], refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_not_measured_does_not_hold()
    {
        var nothing = Results.Sample() with { Server = null };
        Assert.Equal(("not measured", false), (Threshold.Parse("rss<1GiB").Evaluate(nothing).Actual, Threshold.Parse("rss<1GiB").Evaluate(nothing).Passed));
        Assert.False(Threshold.Parse("ack.p99<1h").Evaluate(nothing).Passed);
    }

    [Fact]
    public void Without_a_word_on_errors_there_may_be_none()
    {
        var scenario = Catalog.All.Single(s => s.Name == "streams");
        Assert.Equal(["errors=0", "p99<50ms"], Threshold.For(scenario, [Threshold.Parse("p99<50ms")]).Select(t => t.ToString()));
        Assert.Equal(["errors<1%"], Threshold.For(scenario, [Threshold.Parse("errors<1%")]).Select(t => t.ToString()));
    }

    [Fact]
    public void A_latency_that_a_scenario_does_not_have_is_refused_or_left_to_those_that_have_it()
    {
        var (storm, streams) = (Catalog.All.Single(s => s.Name == "storm"), Catalog.All.Single(s => s.Name == "streams"));
        Threshold[] chunk = [Threshold.Parse("chunk.p99<50ms")];
        Assert.Contains("storm has no such latency. There are connect, probe, lag", Assert.Throws<FormatException>(() => Threshold.Check(chunk, [storm])).Message, StringComparison.Ordinal);
        Threshold.Check(chunk, [storm, streams]);
        Assert.Equal(["errors=0"], Threshold.For(storm, chunk).Select(t => t.ToString()));
        Assert.Equal(["errors=0", "chunk.p99<50ms"], Threshold.For(streams, chunk).Select(t => t.ToString()));
    }

    [Fact]
    public void Every_figure_that_is_listed_can_be_asserted() =>
        Assert.All(Metric.Everywhere, m => Assert.Equal(m.Name, Metric.Parse(m.Name).ToString()));
}
