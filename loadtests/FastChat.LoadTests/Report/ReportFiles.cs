using System.Text.Json;
using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Report;

/// <summary>Writes a report as JSON (everything), CSV (a line for each latency, and one for each point in time) and one HTML page.</summary>
internal static class ReportFiles
{
    private static readonly (string Name, Func<ScenarioResult, LatencyResult, object?> Value)[] Columns =
    [
        ("scenario", (s, _) => s.Name),
        ("latency", (_, l) => l.Name),
        ("count", (_, l) => l.Summary.Count),
        ("mean_ms", (_, l) => l.Summary.MeanMs),
        ("p50_ms", (_, l) => l.Summary.P50Ms),
        ("p90_ms", (_, l) => l.Summary.P90Ms),
        ("p99_ms", (_, l) => l.Summary.P99Ms),
        ("p999_ms", (_, l) => l.Summary.P999Ms),
        ("max_ms", (_, l) => l.Summary.MaxMs),
        ("seconds", (s, _) => s.Seconds),
        ("operations", (s, _) => s.Operations),
        ("errors", (s, _) => s.Errors),
        ("chunks", (s, _) => s.Chunks),
        ("lost", (s, _) => s.Lost),
        ("doubled", (s, _) => s.Doubled),
        ("reordered", (s, _) => s.Reordered),
        ("wrong", (s, _) => s.Wrong),
        ("sockets", (s, _) => s.MostSockets),
        ("server_cpu_s", (s, _) => s.Server?.CpuSeconds),
        ("server_rss_start_bytes", (s, _) => s.Server?.RssStart),
        ("server_rss_peak_bytes", (s, _) => s.Server?.RssPeak),
        ("passed", (s, _) => s.Passed ? 1 : 0),
    ];

    private static readonly (string Name, Func<TimelinePoint, object?> Value)[] Points =
    [
        ("seconds", p => p.Seconds),
        ("phase", p => p.Phase),
        ("operations_per_s", p => p.Rate),
        ("errors", p => p.Errors),
        ("p50_ms", p => p.P50Ms),
        ("p99_ms", p => p.P99Ms),
        ("max_ms", p => p.MaxMs),
        ("chunks_per_s", p => p.ChunkRate),
        ("in_flight", p => p.InFlight),
        ("sockets", p => p.Sockets),
        ("server_cpu", p => p.ServerCpu),
        ("server_rss_bytes", p => p.ServerRss),
        ("client_cpu", p => p.ClientCpu),
    ];

    /// <summary>Writes the files into a directory, which is made where needed.</summary>
    /// <returns>Their paths.</returns>
    public static IReadOnlyList<string> Write(RunReport report, string directory)
    {
        Directory.CreateDirectory(directory);
        (string Name, string Text)[] files =
        [
            ("loadtests.json", JsonSerializer.Serialize(report, ReportJson.Default.RunReport) + "\n"),
            ("loadtests.csv", Latencies(report)),
            ("loadtests-timeline.csv", Timeline(report)),
            ("loadtests.html", HtmlPage.Render(report)),
        ];
        foreach (var (name, text) in files) File.WriteAllText(Path.Combine(directory, name), text);
        return [.. files.Select(f => Path.Combine(directory, f.Name))];
    }

    internal static string Latencies(RunReport report) =>
        Csv.Write(Columns.Select(c => c.Name), report.Scenarios.SelectMany(s => s.Latencies.Select(l => Columns.Select(c => c.Value(s, l)))));

    internal static string Timeline(RunReport report) =>
        Csv.Write(Points.Select(c => c.Name).Prepend("scenario"), report.Scenarios.SelectMany(s => s.Timeline.Select(p => Points.Select(c => c.Value(p)).Prepend(s.Name))));
}
