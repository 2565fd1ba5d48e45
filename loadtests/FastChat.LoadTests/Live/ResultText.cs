using System.Globalization;
using System.Text;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Live;

/// <summary>What came of a run, for the terminal.</summary>
internal static class ResultText
{
    private const int MostErrors = 8;

    public static string Render(ScenarioResult result)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{result.Name}: {result.Title}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  {string.Join("  ", result.Settings.Select(s => $"{s.Key} {s.Value}"))}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  {result.Operations:#,0} operations in {result.Seconds:0.0} s, {result.Errors:#,0} errors, {result.MostSockets:#,0} sockets at a time");
        if (result.Chunks > 0)
            text.AppendLine(CultureInfo.InvariantCulture, $"  {result.Chunks:#,0} chunks in {result.ChunkMessages:#,0} messages: {result.Lost} lost, {result.Doubled} doubled, {result.Reordered} reordered, {result.Wrong} wrong");
        if (result.Server is { } server) foreach (string line in Server(result, server)) text.AppendLine($"  {line}");
        foreach (string line in Latencies(result)) text.AppendLine($"  {line}");
        foreach (var (kind, count) in result.ErrorKinds.Take(MostErrors)) text.AppendLine(CultureInfo.InvariantCulture, $"  {count,6} x {kind}");
        foreach (var threshold in result.Thresholds) text.AppendLine($"  {(threshold.Passed ? "pass" : "FAIL")}  {threshold.Expression}  ({threshold.Actual})");
        if (result.Failure is { } failure) text.AppendLine($"  FAIL  {failure}");
        return text.ToString();
    }

    private static IEnumerable<string> Server(ScenarioResult result, ServerUsage server)
    {
        string each = result.Chunks > 0 ? $", {Quantity.Show(server.CpuSeconds * 1e3 / result.Chunks, QuantityKind.Time)} for each chunk" : "";
        double seconds = Math.Max(result.Seconds, 1e-3);
        yield return $"CPU: server {Quantity.Show(server.CpuSeconds / seconds, QuantityKind.Share)}{each}; client {Quantity.Show((result.ClientCpuSeconds ?? 0) / seconds, QuantityKind.Share)}";
        yield return $"memory: {Quantity.Bytes(server.RssStart)} at the start, {Quantity.Bytes(server.RssPrepared)} prepared, "
            + $"{Quantity.Bytes(server.RssPeak)} at most (+{Quantity.Bytes(server.RssPeak - server.RssStart)})";
    }

    private static IEnumerable<string> Latencies(ScenarioResult result)
    {
        string[][] rows =
        [
            ["latency", "count", "p50", "p90", "p99", "p99.9", "max"],
            .. result.Latencies.Where(l => l.Summary.Count > 0).Select(l => (string[])[l.Name, l.Summary.Count.ToString("#,0", CultureInfo.InvariantCulture),
                Ms(l.Summary.P50Ms), Ms(l.Summary.P90Ms), Ms(l.Summary.P99Ms), Ms(l.Summary.P999Ms), Ms(l.Summary.MaxMs)]),
        ];
        return rows.Length == 1 ? [] : TextColumns.Align(rows);
    }

    private static string Ms(double ms) => Quantity.Show(ms, QuantityKind.Time);
}
