namespace FastChat.Bench.Tests.Measure;

public class LatencyHistogramTests
{
    [Fact]
    public void Nothing_added_is_zero_everywhere()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal((0L, 0L, 0L), (histogram.Count, histogram.Max, histogram.Percentile(0.99)));
    }

    [Fact]
    public void Small_durations_are_exact()
    {
        var histogram = new LatencyHistogram();
        for (int i = 1; i <= 200; i++) histogram.Add(i);
        Assert.Equal(100, histogram.Percentile(0.5));
        Assert.Equal(198, histogram.Percentile(0.99));
        Assert.Equal(200, histogram.Percentile(1));
        Assert.Equal(1, histogram.Percentile(0));
    }

    [Fact]
    public void Every_power_of_two_and_its_neighbours_are_at_most_0_8_percent_off()
    {
        for (int power = 0; power < 63; power++)
        {
            foreach (long value in (long[])[(1L << power) - 1, 1L << power, (1L << power) + 1, (1L << power) + (1L << power) / 3])
            {
                var histogram = new LatencyHistogram();
                histogram.Add(value);
                histogram.Add(long.MaxValue); // so that the maximum does not cap the answer
                Assert.InRange(histogram.Percentile(0.5), value * 0.992, value * 1.008 + 0.5);
            }
        }
    }

    [Fact]
    public void Percentiles_agree_with_a_sorted_list()
    {
        var random = new Random(1);
        long[] values = [.. Enumerable.Range(0, 20_000).Select(_ => (long)Math.Exp(random.NextDouble() * 18))];
        var histogram = new LatencyHistogram();
        foreach (long value in values) histogram.Add(value);
        Array.Sort(values);
        foreach (double share in (double[])[0.01, 0.5, 0.9, 0.99, 0.999])
        {
            double exact = values[(int)Math.Ceiling(share * values.Length) - 1];
            Assert.InRange(histogram.Percentile(share), exact * 0.992 - 1, exact * 1.008 + 1);
        }
        Assert.Equal(values[^1], histogram.Max);
        Assert.Equal(values[^1], histogram.Percentile(1));
    }

    [Fact]
    public void A_negative_duration_counts_as_zero_and_clearing_forgets()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(-5);
        Assert.Equal((1L, 0L), (histogram.Count, histogram.Percentile(0.5)));
        histogram.Add(1_000_000);
        histogram.Clear();
        Assert.Equal((0L, 0L, 0L), (histogram.Count, histogram.Max, histogram.Percentile(1)));
    }
}
