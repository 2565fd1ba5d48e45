using System.Globalization;
using System.Text.RegularExpressions;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Scenarios;

namespace FastChat.LoadTests.Thresholds;

/// <summary>A figure of a scenario that can be asserted: <c>p99</c>, <c>chunk.p99.9</c>, <c>errors</c>, <c>rss_growth</c>.</summary>
internal sealed partial record Metric
{
    // What every scenario has. Memory and CPU only where the server's process can be looked at.
    private static readonly Dictionary<string, (QuantityKind Kind, string Help, Func<ScenarioResult, double?> Value)> Scalars = new()
    {
        ["operations"] = (QuantityKind.Count, "operations that ended, however", r => r.Operations),
        ["rate"] = (QuantityKind.PerSecond, "operations a second", r => r.Rate),
        ["errors"] = (QuantityKind.Count, "operations that failed, and what else was wrong; with % their share of all operations", r => r.Errors),
        ["lost"] = (QuantityKind.Count, "chunks that never came", r => r.Lost),
        ["doubled"] = (QuantityKind.Count, "chunks that came twice", r => r.Doubled),
        ["reordered"] = (QuantityKind.Count, "chunks that came after a later one", r => r.Reordered),
        ["wrong"] = (QuantityKind.Count, "texts and bodies that are not what they have to be", r => r.Wrong),
        ["chunks"] = (QuantityKind.Count, "chunks received", r => r.Chunks),
        ["sockets"] = (QuantityKind.Count, "sockets open at a time, at most", r => r.MostSockets),
        ["cpu"] = (QuantityKind.Share, "the server's CPU time; 100% is one core", r => r.Server?.CpuSeconds / r.Seconds),
        ["cpu_per_operation"] = (QuantityKind.Time, "the server's CPU time for each operation", r => r.Operations > 0 ? r.Server?.CpuSeconds * 1e3 / r.Operations : null),
        ["cpu_per_chunk"] = (QuantityKind.Time, "the server's CPU time for each chunk received", r => r.Chunks > 0 ? r.Server?.CpuSeconds * 1e3 / r.Chunks : null),
        ["rss"] = (QuantityKind.Bytes, "the server's memory, at most", r => r.Server?.RssPeak),
        ["rss_growth"] = (QuantityKind.Bytes, "the most beyond that right after its start", r => r.Server?.RssPeak - r.Server?.RssStart),
        ["rss_per_socket"] = (QuantityKind.Bytes, "the server's memory at the end beyond that before the sockets or operations came, for each socket", r => r.MostSockets > 0 ? (r.Server?.RssEnd - r.Server?.RssPrepared) / r.MostSockets : null),
        ["rss_drift"] = (QuantityKind.Bytes, "the mean memory of the last fifth of the run, less that of the second", r => r.Server?.RssDrift),
    };

    private static readonly string[] Statistics = ["p50", "p90", "p99", "p99.9", "mean", "max", "count"];

    private readonly string? _latency;
    private readonly string _name;

    private Metric(string? latency, string name) => (_latency, _name) = (latency, name);

    /// <summary>What it is measured in.</summary>
    public QuantityKind Kind => Scalars.TryGetValue(_name, out var scalar) ? scalar.Kind : _name == "count" ? QuantityKind.Count : QuantityKind.Time;

    public bool IsErrors => _name == "errors";

    /// <summary>What can be asserted of every scenario, for people.</summary>
    public static IEnumerable<(string Name, string Help)> Everywhere => Scalars.Select(s => (s.Key, s.Value.Help));

    /// <summary>Reads a metric's name.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static Metric Parse(string text)
    {
        if (Scalars.ContainsKey(text)) return new Metric(null, text);
        if (Latency().Match(text) is { Success: true } match)
            return new Metric(match.Groups["latency"] is { Success: true } latency ? latency.Value : null, match.Groups["statistic"].Value);
        throw new FormatException($"'{text}' is no metric. There are {string.Join(", ", Scalars.Keys)}, and {string.Join(", ", Statistics)} (or any other percentile) of a latency, as in p99 or chunk.p99.");
    }

    /// <summary>Whether a scenario has it.</summary>
    public bool IsOf(ScenarioDefinition scenario) => _latency is null || _latency == Measurements.Lag || scenario.Latencies.Any(l => l.Name == _latency);

    /// <summary>Its value; null where there is none: nothing was measured, or it cannot be.</summary>
    public double? Of(ScenarioResult result)
    {
        if (Scalars.TryGetValue(_name, out var scalar)) return scalar.Value(result);
        var latency = _latency is null ? result.Latencies[0] : result.Latencies.FirstOrDefault(l => l.Name == _latency);
        if (latency is null) return null;
        if (_name == "count") return latency.Summary.Count;
        if (latency.Summary.Count == 0) return null;
        return _name switch
        {
            "mean" => latency.Summary.MeanMs,
            "max" => latency.Summary.MaxMs,
            _ => latency.Percentile(double.Parse(_name.AsSpan(1), CultureInfo.InvariantCulture) / 100),
        };
    }

    public override string ToString() => _latency is null ? _name : $"{_latency}.{_name}";

    [GeneratedRegex(@"^(?:(?<latency>[a-z_]+)\.)?(?<statistic>p(?:100|\d{1,2}(?:\.\d{1,4})?)|mean|max|count)$")]
    private static partial Regex Latency();
}
