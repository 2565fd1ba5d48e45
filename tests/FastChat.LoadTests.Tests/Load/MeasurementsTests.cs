using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Tests.Load;

public class MeasurementsTests
{
    [Fact]
    public void A_latency_is_summed_up_within_its_error()
    {
        var metric = new LatencyMetric("answer");
        for (int ms = 1; ms <= 1000; ms++) metric.Add(TimeSpan.FromMilliseconds(ms));
        var summary = metric.Summary();
        Assert.Equal((1000L, 1000.0, 500.5), (summary.Count, summary.MaxMs, summary.MeanMs));
        Assert.InRange(summary.P50Ms, 500 * 0.992, 500 * 1.008);
        Assert.InRange(summary.P99Ms, 990 * 0.992, 990 * 1.008);
        Assert.InRange(metric.Percentile(0.123).TotalMilliseconds, 123 * 0.992, 123 * 1.008);
    }

    [Fact]
    public void What_came_lately_is_taken_once()
    {
        var metric = new LatencyMetric("answer");
        metric.Add(TimeSpan.FromMilliseconds(5));
        Assert.Equal(1, metric.Take().Count);
        Assert.Equal(0, metric.Take().Count);
        metric.Add(TimeSpan.FromMilliseconds(7));
        Assert.Equal((1L, 7.0), (metric.Take().Count, metric.Summary().MaxMs));
        Assert.Equal(2, metric.Count);
    }

    [Fact]
    public void Errors_that_differ_in_how_long_to_wait_are_of_one_kind()
    {
        var measurements = new Measurements(["answer"]);
        measurements.Failed("429: Try again in 57 s.");
        measurements.Failed("429: Try again in 6 s.");
        measurements.Failed("No chunk within 30 s.");
        Assert.Equal([new("429: Try again in a while.", 2), new("No chunk within 30 s.", 1)], measurements.ErrorKinds);
    }

    [Fact]
    public async Task Nothing_is_lost_where_many_count_at_once()
    {
        var measurements = new Measurements(["answer"]);
        await Parallel.ForAsync(0, 10_000, (i, _) =>
        {
            measurements.Start();
            measurements["answer"].Add(TimeSpan.FromTicks(i));
            measurements.SocketOpened();
            measurements.SocketClosed();
            if (i % 10 == 0) measurements.Failed("Refused.");
            else measurements.Succeeded();
            return default;
        }).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((10_000L, 1_000L, 10_000L, 0, 0), (measurements.Operations, measurements.Errors, measurements["answer"].Count, measurements.InFlight, measurements.Sockets));
        Assert.InRange(measurements.MostSockets, 1, 10_000);
        Assert.Equal(1000, measurements.ErrorKinds.Single().Value);
    }

    [Fact]
    public void Kinds_of_errors_are_few_and_short_however_many_there_are()
    {
        var measurements = new Measurements(["answer"]);
        for (int i = 0; i < 1000; i++) measurements.Error($"Error {i} {new string('x', 1000)}");
        Assert.InRange(measurements.ErrorKinds.Count, 2, 41);
        Assert.Equal(1000, measurements.ErrorKinds.Sum(e => e.Value));
        Assert.All(measurements.ErrorKinds, e => Assert.InRange(e.Key.Length, 1, 203));
    }
}
