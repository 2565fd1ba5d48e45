using System.Globalization;
using System.Text;
using FastChat.LoadTests.Scenarios;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Commands;

/// <summary>What <c>list</c> prints.</summary>
internal static class Listing
{
    public static string Render()
    {
        var text = new StringBuilder();
        foreach (var scenario in Catalog.All)
        {
            text.AppendLine($"{scenario.Name}  {scenario.Title}");
            foreach (var setting in scenario.Settings) text.AppendLine(CultureInfo.InvariantCulture, $"    {"--" + setting.Name + " " + setting.Default,-22} {setting.Help}");
            foreach (var latency in scenario.Latencies) text.AppendLine(CultureInfo.InvariantCulture, $"    {latency.Name,-22} {latency.Help}");
            text.AppendLine();
        }
        text.AppendLine("--assert takes a metric, one of < <= > >= = !=, and a value: p99<50ms, chunk.p99.9<=200ms, errors<0.1%, rss_growth<40MiB.");
        text.AppendLine("p50, p90, p99, p99.9, any other percentile, mean, max and count are of the scenario's first latency, or of the one named before the dot. Beside these:");
        foreach (var (name, help) in Metric.Everywhere) text.AppendLine(CultureInfo.InvariantCulture, $"    {name,-22} {help}");
        return text.ToString();
    }
}
