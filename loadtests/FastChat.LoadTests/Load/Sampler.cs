namespace FastChat.LoadTests.Load;

/// <summary>Looks at the measurements and the server's process at even intervals, and keeps what it sees.</summary>
/// <param name="measurements">Of the run.</param>
/// <param name="processId">The server's; null where it cannot be looked at.</param>
/// <param name="rssStart">Its memory right after its start.</param>
/// <param name="time">The clock.</param>
internal sealed class Sampler(Measurements measurements, int? processId, long? rssStart, TimeProvider time)
{
    // However long the run: so many points are a curve.
    private const int MostPoints = 600;
    private const double LeastSeconds = 0.25;

    private readonly List<TimelinePoint> _points = [];
    private long _began, _lookedAt, _operations, _chunks, _errors, _peak;
    private double? _cpuStart, _cpu;
    private double _clientStart, _client;

    public IReadOnlyList<TimelinePoint> Points => _points;

    public double? ClientCpuSeconds => _client - _clientStart;

    /// <summary>How often to look at a run of this length.</summary>
    public static TimeSpan Interval(TimeSpan duration) => TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(duration.TotalSeconds / MostPoints)));

    /// <summary>The run begins.</summary>
    public void Begin()
    {
        _began = _lookedAt = time.GetTimestamp();
        _cpuStart = _cpu = Cpu();
        _clientStart = _client = ClientCpu();
        RssPrepared = Rss();
        foreach (var latency in measurements.Latencies) latency.Take();
    }

    public long? RssPrepared { get; private set; }

    public TimeSpan Elapsed => time.GetElapsedTime(_began);

    /// <summary>Looks.</summary>
    /// <param name="phase">Which phase it is.</param>
    public TimelinePoint Look(string phase)
    {
        long now = time.GetTimestamp();
        double seconds = Math.Max(1e-3, time.GetElapsedTime(_lookedAt, now).TotalSeconds);
        var (operations, chunks, errors, cpu, client) = (measurements.Operations, measurements.Chunks, measurements.Errors, Cpu(), ClientCpu());
        var lately = measurements.Latencies.Select(l => l.Take()).ToArray()[0];
        var point = new TimelinePoint(time.GetElapsedTime(_began, now).TotalSeconds, phase, (operations - _operations) / seconds, errors - _errors,
            Ms(lately.P50Ms), Ms(lately.P99Ms), Ms(lately.MaxMs), (chunks - _chunks) / seconds, measurements.InFlight, measurements.Sockets,
            (cpu - _cpu) / seconds, Rss(), (client - _client) / seconds);
        double? Ms(double ms) => lately.Count > 0 ? ms : null;
        (_lookedAt, _operations, _chunks, _errors, _cpu, _client) = (now, operations, chunks, errors, cpu, client);
        // The last look comes at any time, and a rate over next to no time is none.
        if (seconds >= LeastSeconds || _points.Count == 0) _points.Add(point);
        return point;
    }

    /// <summary>What the server has used; null where that cannot be seen.</summary>
    public ServerUsage? Usage() => _cpu - _cpuStart is { } cpu && RssPrepared is { } prepared && Rss() is { } end
        ? new ServerUsage(cpu, rssStart ?? prepared, prepared, _peak, end, Drift()) : null;

    private double? Drift()
    {
        double[] rss = [.. _points.Where(p => p.ServerRss is not null).Select(p => (double)p.ServerRss!)];
        int fifth = rss.Length / 5;
        return fifth < 2 ? null : rss[^fifth..].Average() - rss[fifth..(2 * fifth)].Average();
    }

    private double? Cpu() => processId is { } id ? ProcessSampler.CpuSeconds(id) : null;

    private long? Rss()
    {
        long? rss = processId is { } id ? ProcessSampler.RssBytes(id) : null;
        _peak = Math.Max(_peak, rss ?? 0);
        return rss;
    }

    private static double ClientCpu() => Environment.CpuUsage.TotalTime.TotalSeconds;
}
