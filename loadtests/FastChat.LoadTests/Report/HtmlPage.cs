using System.Globalization;
using System.Net;
using System.Text;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Report;

/// <summary>The report as one page: its style and charts are in it, it runs no script, and it asks for nothing else.</summary>
internal static class HtmlPage
{
    private const int Colours = 8;
    private static readonly string Style = Resources.ReportCss + Resources.Read(typeof(HtmlPage), "loadtests.css");

    public static string Render(RunReport report)
    {
        var page = new StringBuilder();
        string title = report.Scenarios is [var only] ? $"FastChat under load: {only.Name}" : "FastChat under load";
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .Append(CultureInfo.InvariantCulture, $"<title>{E(title)}</title>\n<style>\n").Append(Style).Append("</style>\n</head>\n<body>\n");
        Header(page, report, title);
        if (report.Scenarios.Count > 1) Overview(page, report);
        foreach (var scenario in report.Scenarios) Section(page, scenario);
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static string E(string text) => WebUtility.HtmlEncode(text);

    private static string Whole(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Ms(double ms) => Quantity.Show(ms, QuantityKind.Time);

    private static void Header(StringBuilder page, RunReport report, string title)
    {
        var machine = report.Machine;
        page.Append(CultureInfo.InvariantCulture, $"<header>\n<h1>{E(title)}</h1>\n");
        Facts(page,
            ("Result", report.Scenarios.Count > 0 && report.Scenarios.All(s => s.Passed) ? "passed" : "failed"),
            ("Date", report.Date.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
            ("Server", report.Server),
            ("Processor", $"{machine.Processor}, {machine.Cores} cores"),
            ("Memory", Quantity.Bytes(machine.MemoryBytes)),
            ("System", machine.System),
            ("Runtime", machine.Runtime));
        page.Append("</header>\n");
    }

    private static void Facts(StringBuilder page, params IEnumerable<(string Name, string Value)> facts)
    {
        page.Append("<dl>\n");
        foreach (var (name, value) in facts)
            page.Append(CultureInfo.InvariantCulture, $"<div><dt>{E(name)}</dt><dd{(value is "passed" ? " class=\"pass\"" : value is "failed" ? " class=\"fail\"" : "")}>{E(value)}</dd></div>\n");
        page.Append("</dl>\n");
    }

    private static void Overview(StringBuilder page, RunReport report)
    {
        page.Append("<section>\n<h2>At a glance</h2>\n");
        Table(page, ["scenario", "result", "operations", "errors", "faults", "latency", "p50", "p99", "p99.9", "max", "server CPU", "memory beyond start"], 1, report.Scenarios.Select(s =>
        {
            var (name, summary) = (s.Latencies[0].Name, s.Latencies[0].Summary);
            string[] row =
            [
                s.Name, s.Passed ? "passed" : "failed", Whole(s.Operations), Whole(s.Errors), Whole(s.Lost + s.Doubled + s.Reordered + s.Wrong), name,
                Ms(summary.P50Ms), Ms(summary.P99Ms), Ms(summary.P999Ms), Ms(summary.MaxMs),
                s.Server is { } server && s.Seconds > 0 ? Quantity.Show(server.CpuSeconds / s.Seconds, QuantityKind.Share) : "-",
                s.Server is { } usage ? Quantity.Bytes(usage.RssPeak - usage.RssStart) : "-",
            ];
            return row;
        }));
        page.Append("</section>\n");
    }

    private static void Section(StringBuilder page, ScenarioResult result)
    {
        page.Append(CultureInfo.InvariantCulture, $"<section>\n<h2>{E(result.Name)} <small>{E(result.Title)}</small></h2>\n<p>{E(result.Details)}</p>\n");
        if (result.Failure is { } failure) page.Append(CultureInfo.InvariantCulture, $"<p class=\"error\">{E(failure)}</p>\n");
        Facts(page, FactsOf(result));
        Table(page, ["assertion", "", "figure"], 3, result.Thresholds.Select(t => (string[])[t.Expression, t.Passed ? "passed" : "failed", t.Actual]));
        if (result.Timeline.Count > 0) Charts(page, result);
        page.Append("<h3>Latencies</h3>\n");
        Table(page, ["latency", "count", "mean", "p50", "p90", "p99", "p99.9", "max", "from what to what"], 1, result.Latencies.Where(l => l.Summary.Count > 0).Select(l => (string[])
        [
            l.Name, Whole(l.Summary.Count), Ms(l.Summary.MeanMs), Ms(l.Summary.P50Ms), Ms(l.Summary.P90Ms), Ms(l.Summary.P99Ms), Ms(l.Summary.P999Ms), Ms(l.Summary.MaxMs), l.Help,
        ]));
        if (result.ErrorKinds.Count > 0)
        {
            page.Append("<h3>Errors</h3>\n");
            Table(page, ["what", "times"], 1, result.ErrorKinds.Select(e => (string[])[e.Key, Whole(e.Value)]));
        }
        page.Append("</section>\n");
    }

    private static IEnumerable<(string, string)> FactsOf(ScenarioResult result)
    {
        yield return ("Operations", $"{Whole(result.Operations)} in {Ms(result.Seconds * 1e3)}");
        yield return ("Errors", Whole(result.Errors));
        if (result.Chunks > 0)
        {
            yield return ("Chunks", $"{Whole(result.Chunks)}{(result.ChunkMessages < result.Chunks ? $" in {Whole(result.ChunkMessages)} messages" : "")}");
            yield return ("Lost, doubled, reordered, wrong", $"{result.Lost}, {result.Doubled}, {result.Reordered}, {result.Wrong}");
        }
        if (result.MostSockets > 0) yield return ("Sockets at a time", Whole(result.MostSockets));
        if (result.Server is { } server)
        {
            yield return ("Server CPU", Quantity.Show(server.CpuSeconds / Math.Max(result.Seconds, 1e-3), QuantityKind.Share)
                + (result.Chunks > 0 ? $", {Quantity.Show(server.CpuSeconds * 1e3 / result.Chunks, QuantityKind.Time)} for each chunk" : ""));
            yield return ("Server memory", $"{Quantity.Bytes(server.RssStart)} at the start, {Quantity.Bytes(server.RssPrepared)} prepared, {Quantity.Bytes(server.RssPeak)} at most");
        }
        if (result.ClientCpuSeconds is { } client) yield return ("Client CPU", Quantity.Show(client / Math.Max(result.Seconds, 1e-3), QuantityKind.Share));
        foreach (var (name, value) in result.Settings) yield return ($"--{name}", value);
    }

    private static void Charts(StringBuilder page, ScenarioResult result)
    {
        page.Append("<h3>Over time</h3>\n<div class=\"charts\">\n");
        void Over(string title, QuantityKind kind, params Series[] series)
        {
            series = [.. series.Where(s => result.Timeline.Any(p => s.Value(p) is > 0))];
            if (series.Length == 0) return;
            page.Append(CultureInfo.InvariantCulture, $"<figure><figcaption>{E(title)}</figcaption>{TimelineChart.Render(title, result, kind, series)}{Legend(series.Select(s => (s.Name, s.Colour)))}</figure>\n");
        }
        Over("Operations a second", QuantityKind.PerSecond, new("ended", 0, p => p.Rate), new("errors", 2, p => result.Errors > 0 ? p.Errors : null));
        Over($"Latency: {result.Latencies[0].Name}", QuantityKind.Time, new("max", 7, p => p.MaxMs), new("p99", 3, p => p.P99Ms), new("p50", 0, p => p.P50Ms));
        Over("Chunks a second", QuantityKind.PerSecond, new Series("received", 5, p => p.ChunkRate));
        Over("CPU, 100% is one core", QuantityKind.Share, new("server", 4, p => p.ServerCpu), new("client", 7, p => p.ClientCpu));
        Over("Server memory", QuantityKind.Bytes, new Series("resident", 6, p => p.ServerRss));
        Over("Open at a time", QuantityKind.Count, new("sockets", 5, p => p.Sockets), new("operations", 0, p => p.InFlight));
        (LatencyResult Latency, int Colour)[] latencies = [.. result.Latencies.Where(l => l.Summary.Count > 0).Select((l, i) => (l, i % Colours))];
        if (latencies.Length > 0)
            page.Append(CultureInfo.InvariantCulture, $"<figure><figcaption>Latency distribution</figcaption>{DistributionChart.Render("Latency distribution", latencies)}{Legend(latencies.Select(l => (l.Latency.Name, l.Colour)))}</figure>\n");
        page.Append("</div>\n");
    }

    private static string Legend(IEnumerable<(string Name, int Colour)> entries) =>
        $"<div class=\"legend\">{string.Concat(entries.Select(e => $"<span><i class=\"c{e.Colour}\"></i>{E(e.Name)}</span>"))}</div>";

    /// <summary>A table whose first columns are text, as is a last one that explains.</summary>
    private static void Table(StringBuilder page, string[] titles, int textColumns, IEnumerable<string[]> rows)
    {
        bool IsText(int column) => column < textColumns || titles[column] is "result" or "latency" or "from what to what";
        page.Append("<div class=\"wide\"><table>\n<thead><tr>");
        for (int i = 0; i < titles.Length; i++) page.Append(CultureInfo.InvariantCulture, $"<th{(IsText(i) ? " class=\"text\"" : "")}>{E(titles[i])}</th>");
        page.Append("</tr></thead>\n<tbody>\n");
        foreach (string[] row in rows)
        {
            page.Append("<tr>");
            for (int i = 0; i < row.Length; i++)
            {
                string style = row[i] is "passed" ? "text pass" : row[i] is "failed" ? "text fail" : IsText(i) ? "text" : "";
                page.Append(CultureInfo.InvariantCulture, $"<td{(style.Length > 0 ? $" class=\"{style}\"" : "")}>{E(row[i])}</td>");
            }
            page.Append("</tr>\n");
        }
        page.Append("</tbody></table></div>\n");
    }
}
