using System.Text.Json;
using FastChat.Compare.Runs;

namespace FastChat.Compare.Report;

/// <summary>Writes a report as JSON (everything), CSV (a line a run), a Markdown table (the medians) and one HTML page.</summary>
internal static class ReportFiles
{
    private static readonly (string Name, Func<Run, object?> Value)[] Columns =
    [
        ("scenario", r => r.Scenario),
        ("server", r => r.Server),
        ("round", r => r.Round),
        ("clean", r => r.IsClean ? 1 : 0),
        ("messages", r => r.Result.Messages),
        ("seconds", r => r.Result.Seconds),
        ("messages_per_s", r => r.MessagesPerSecond),
        ("cpu_us_per_message", r => r.CpuMicrosecondsPerMessage),
        ("p50_us", r => r.Result.P50Microseconds),
        ("p99_us", r => r.Result.P99Microseconds),
        ("p999_us", r => r.Result.P999Microseconds),
        ("max_us", r => r.Result.MaxMicroseconds),
        ("rss_bytes", r => r.Result.RssBytes),
        ("idle_bytes_per_connection", r => r.Result.IdleBytesPerConnection),
        ("echoed_bytes_per_connection", r => r.Result.EchoedBytesPerConnection),
        ("connect_cpu_us", r => r.Result.ConnectMicroseconds),
        ("client_busy", r => r.Result.ClientBusy),
        ("client_cpu_share", r => r.Result.ClientCpuShare),
        ("stolen_share", r => r.Result.StolenShare),
        ("error", r => r.Result.Error),
    ];

    /// <summary>Writes compare.json, compare.csv, compare.md and compare.html into a directory, which is made where needed.</summary>
    /// <returns>Their paths.</returns>
    public static IReadOnlyList<string> Write(ComparisonReport report, string directory)
    {
        Directory.CreateDirectory(directory);
        (string Name, string Text)[] files =
        [
            ("compare.json", JsonSerializer.Serialize(report, ReportJson.Default.ComparisonReport) + "\n"),
            ("compare.csv", Csv(report.Runs)),
            ("compare.md", MarkdownTable.Render(report)),
            ("compare.html", HtmlPage.Render(report)),
        ];
        foreach (var (name, text) in files) File.WriteAllText(Path.Combine(directory, name), text);
        return [.. files.Select(f => Path.Combine(directory, f.Name))];
    }

    /// <summary>The report that is in a directory; null where there is none.</summary>
    /// <exception cref="FormatException">It is not one of this program.</exception>
    public static ComparisonReport? Read(string directory)
    {
        string file = Path.Combine(directory, "compare.json");
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize(File.ReadAllText(file), ReportJson.Default.ComparisonReport) : null;
        }
        catch (JsonException e)
        {
            throw new FormatException($"{file} is not a report of this program: {e.Message}", e);
        }
    }

    internal static string Csv(IEnumerable<Run> runs) =>
        FastChat.Measure.Csv.Write(Columns.Select(c => c.Name), runs.Select(run => Columns.Select(c => c.Value(run))));
}
