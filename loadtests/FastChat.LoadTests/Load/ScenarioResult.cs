using FastChat.LoadTests.Scenarios;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Load;

/// <summary>A point of a distribution: this share (0 to 1) took no longer.</summary>
internal sealed record DistributionPoint(double Share, double Ms);

/// <summary>A latency as it came out.</summary>
internal sealed record LatencyResult(string Name, string Help, LatencySummary Summary, IReadOnlyList<DistributionPoint> Distribution)
{
    /// <summary>Nines that a distribution is drawn to; what lies beyond has too few of any run.</summary>
    private static readonly double[] Shares =
    [
        0, .. Enumerable.Range(1, 9).Select(i => i / 10.0), .. Enumerable.Range(1, 9).Select(i => 0.9 + i / 100.0), .. Enumerable.Range(1, 9).Select(i => 0.99 + i / 1000.0),
        .. Enumerable.Range(1, 9).Select(i => 0.999 + i / 1e4), .. Enumerable.Range(1, 9).Select(i => 0.9999 + i / 1e5), 0.99999,
    ];

    // The whole histogram stays behind it, so that any percentile can be asserted.
    private Func<double, double>? _percentile;

    public static LatencyResult Of(LatencyMetric metric, string help)
    {
        var summary = metric.Summary();
        double Ms(double share) => metric.Percentile(share).TotalMilliseconds;
        // Beyond one in all there is nothing but the longest.
        IEnumerable<double> shares = summary.Count == 0 ? [] : Shares.Where(s => s <= 1 - 1.0 / summary.Count).Append(1);
        return new LatencyResult(metric.Name, help, summary, [.. shares.Select(s => new DistributionPoint(s, Ms(s)))]) { _percentile = Ms };
    }

    /// <summary>In milliseconds.</summary>
    public double Percentile(double share) => _percentile?.Invoke(share) ?? Distribution.First(p => p.Share >= share).Ms;
}

/// <summary>What the server's process used. Bytes are of resident memory.</summary>
/// <param name="CpuSeconds">While operations ran.</param>
/// <param name="RssStart">Right after its start, or when it was first looked at.</param>
/// <param name="RssPrepared">When everything was prepared, before operations began.</param>
/// <param name="RssPeak">The most that was seen.</param>
/// <param name="RssEnd">When the last operation had been due, everything still open.</param>
/// <param name="RssDrift">The mean of the last fifth of the run, less that of the second; null for a run too short to tell.</param>
internal sealed record ServerUsage(double CpuSeconds, long RssStart, long RssPrepared, long RssPeak, long RssEnd, double? RssDrift);

/// <summary>One look at everything.</summary>
/// <param name="Seconds">Since operations began.</param>
/// <param name="Phase">Which phase of the schedule it was; empty where there is only one.</param>
/// <param name="Rate">Operations that ended, a second.</param>
/// <param name="Errors">Since the look before.</param>
/// <param name="P50Ms">Of the scenario's first latency, since the look before; null where none was measured.</param>
/// <param name="P99Ms">The same.</param>
/// <param name="MaxMs">The same.</param>
/// <param name="ChunkRate">Chunks received, a second.</param>
/// <param name="InFlight">Operations under way.</param>
/// <param name="Sockets">Open now.</param>
/// <param name="ServerCpu">1 is one core; null where it cannot be seen.</param>
/// <param name="ServerRss">Bytes; null where it cannot be seen.</param>
/// <param name="ClientCpu">Of this program; 1 is one core.</param>
internal sealed record TimelinePoint(double Seconds, string Phase, double Rate, long Errors, double? P50Ms, double? P99Ms, double? MaxMs, double ChunkRate, int InFlight,
    int Sockets, double? ServerCpu, long? ServerRss, double? ClientCpu);

/// <summary>One run of one scenario.</summary>
internal sealed record ScenarioResult
{
    public required string Name { get; init; }

    public required string Title { get; init; }

    public required string Details { get; init; }

    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>From the first operation's time to the end of the last.</summary>
    public required double Seconds { get; init; }

    public required long Operations { get; init; }

    public required long Errors { get; init; }

    public required long Lost { get; init; }

    public required long Doubled { get; init; }

    public required long Reordered { get; init; }

    public required long Wrong { get; init; }

    public required long Chunks { get; init; }

    /// <summary>Messages that the chunks came in.</summary>
    public required long ChunkMessages { get; init; }

    public required int MostSockets { get; init; }

    public required IReadOnlyList<KeyValuePair<string, int>> ErrorKinds { get; init; }

    public required IReadOnlyList<LatencyResult> Latencies { get; init; }

    public required IReadOnlyList<TimelinePoint> Timeline { get; init; }

    /// <summary>Null where the server's process cannot be looked at.</summary>
    public ServerUsage? Server { get; init; }

    /// <summary>CPU time of this program while operations ran.</summary>
    public double? ClientCpuSeconds { get; init; }

    /// <summary>Why it ended before its time; null where it did not.</summary>
    public string? Failure { get; init; }

    public IReadOnlyList<ThresholdResult> Thresholds { get; init; } = [];

    public double Rate => Seconds > 0 ? Operations / Seconds : 0;

    public bool Passed => Failure is null && Thresholds.All(t => t.Passed);
}
