namespace FastChat.LoadTests.Load;

/// <summary>What is said of a set of durations, in milliseconds; percentiles at most 0.8 % off, the longest exactly.</summary>
internal sealed record LatencySummary(long Count, double MeanMs, double P50Ms, double P90Ms, double P99Ms, double P999Ms, double MaxMs)
{
    public static LatencySummary Of(LatencyHistogram durations) => new(durations.Count, durations.Mean / 1e6, Ms(durations, 0.5), Ms(durations, 0.9),
        Ms(durations, 0.99), Ms(durations, 0.999), durations.Max / 1e6);

    private static double Ms(LatencyHistogram durations, double share) => durations.Percentile(share) / 1e6;
}

/// <summary>Durations of one kind, in all and since the last look. Safe for concurrent use.</summary>
internal sealed class LatencyMetric(string name)
{
    private readonly Lock _gate = new();
    private readonly LatencyHistogram _all = new();
    private readonly LatencyHistogram _lately = new();

    public string Name => name;

    public long Count { get { lock (_gate) return _all.Count; } }

    public void Add(TimeSpan duration)
    {
        long nanoseconds = (long)(duration.Ticks * (double)TimeSpan.NanosecondsPerTick);
        lock (_gate)
        {
            _all.Add(nanoseconds);
            _lately.Add(nanoseconds);
        }
    }

    /// <summary>Everything so far.</summary>
    public LatencySummary Summary() { lock (_gate) return LatencySummary.Of(_all); }

    /// <summary>The duration that this share (0 to 1) of all does not exceed.</summary>
    public TimeSpan Percentile(double share) { lock (_gate) return TimeSpan.FromTicks(_all.Percentile(share) / TimeSpan.NanosecondsPerTick); }

    /// <summary>What has come since this was last called.</summary>
    public LatencySummary Take()
    {
        lock (_gate)
        {
            var summary = LatencySummary.Of(_lately);
            _lately.Clear();
            return summary;
        }
    }
}
