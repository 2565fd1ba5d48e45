using System.Globalization;
using System.Net;
using System.Text;
using FastChat.Compare.Runs;
using FastChat.Compare.Servers;

namespace FastChat.Compare.Report;

/// <summary>The report as one page: its style and charts are in it, and it asks for nothing else.</summary>
internal static class HtmlPage
{
    private const int Colours = 8;

    public static string Render(ComparisonReport report)
    {
        var page = new StringBuilder();
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .Append("<title>WebSocket echo servers, side by side</title>\n<style>\n").Append(Resources.ReportCss).Append("</style>\n</head>\n<body>\n");
        Header(page, report);
        Overview(page, report);
        foreach (var scenario in report.Scenarios) Section(page, report, scenario);
        Method(page, report);
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static string E(string text) => WebUtility.HtmlEncode(text);

    private static int Colour(ComparisonReport report, string server)
    {
        for (int i = 0; i < report.Servers.Count; i++)
            if (report.Servers[i].Name == server) return i % Colours;
        return 0;
    }

    private static void Header(StringBuilder page, ComparisonReport report)
    {
        var machine = report.Machine;
        page.Append("<header>\n<h1>WebSocket echo servers, side by side</h1>\n<dl>\n");
        foreach (var (name, value) in ((string, string)[])
        [
            ("Date", report.Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
            ("Processor", $"{machine.Processor}, {machine.Cores} cores"),
            ("Memory", $"{machine.MemoryBytes / (double)(1 << 30):0.0} GiB"),
            ("System", machine.System),
            ("Runtime", machine.Runtime),
        ]) page.Append(CultureInfo.InvariantCulture, $"<div><dt>{E(name)}</dt><dd>{E(value)}</dd></div>\n");
        page.Append("</dl>\n</header>\n");
    }

    private static void Overview(StringBuilder page, ComparisonReport report)
    {
        page.Append(CultureInfo.InvariantCulture, $"<section>\n<h2>At a glance</h2>\n<p>CPU time of the server for each message, in microseconds, and as a multiple of {E(report.Conditions.Reference ?? "the least in its column")}; for idle connections, KiB of memory each. Lower is better.</p>\n<div class=\"wide\"><table class=\"glance\">\n<thead><tr><th></th>");
        foreach (var scenario in report.Scenarios) page.Append(CultureInfo.InvariantCulture, $"<th title=\"{E(scenario.Title)}\">{E(scenario.Name)}</th>");
        page.Append("</tr></thead>\n<tbody>\n");
        foreach (var server in report.Servers)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><th><i class=\"c{Colour(report, server.Name)}\"></i>{E(server.Name)}</th>");
            foreach (var scenario in report.Scenarios) page.Append(Glance(scenario, report.Find(server.Name, scenario)));
            page.Append("</tr>\n");
        }
        page.Append("</tbody></table></div>\n</section>\n");
    }

    private static string Glance(Scenario scenario, Summary? summary)
    {
        double? value = scenario.IsIdle ? summary?.Cost / 1024 : summary?.Cost;
        if (value is null) return "<td class=\"none\">-</td>";
        double? ratio = summary!.Ratio;
        // Eightfold is as red as it gets; on a logarithmic scale, because ratios multiply.
        double heat = Math.Clamp(Math.Log2(Math.Max(ratio ?? 1, 1)) / 3, 0, 1) * 60;
        return string.Create(CultureInfo.InvariantCulture, $"<td style=\"--heat:{heat:0}%\"><b>{Figures.Short(value)}</b> <small>{Figures.Ratio(ratio)}</small></td>");
    }

    private static void Section(StringBuilder page, ComparisonReport report, Scenario scenario)
    {
        var ranked = report.Ranked(scenario);
        page.Append(CultureInfo.InvariantCulture, $"<section>\n<h2>{E(scenario.Name)} <small>{E(scenario.Title)}</small></h2>\n<div class=\"charts\">\n");
        if (ranked.Count == 0) page.Append("<p>It was not run.</p>");
        else if (scenario.IsIdle)
        {
            Chart(page, "KiB of memory each idle connection", Bars(s => s.IdleBytesPerConnection / 1024, Figures.Short));
            Chart(page, "KiB each after one echo", Bars(s => s.EchoedBytesPerConnection / 1024, Figures.Short));
            Chart(page, "CPU microseconds to accept and upgrade one", Bars(s => s.ConnectMicroseconds, Figures.Short));
        }
        else
        {
            Chart(page, "CPU microseconds a message, with the range of the runs", BarChart.Render("CPU microseconds a message", [.. ranked.Select(s =>
                new Bar(s.Server, Colour(report, s.Server), s.CpuMicroseconds, s.CpuMicroseconds is null ? "no figure" : Figures.Short(s.CpuMicroseconds), s.CpuMicrosecondsLeast, s.CpuMicrosecondsMost))]));
            Chart(page, "Messages a second", Bars(s => s.MessagesPerSecond, Figures.Whole));
            LatencyChart.Row[] latencies = [.. ranked.Where(s => s.P50Microseconds is not null).Select(s =>
                new LatencyChart.Row(s.Server, Colour(report, s.Server), s.P50Microseconds!.Value, s.P99Microseconds ?? 0, s.P999Microseconds ?? 0))];
            if (latencies.Length > 0) Chart(page, "Round trip: p50 (full), p99, p99.9", LatencyChart.Render("Latency percentiles", latencies));
        }
        page.Append("</div>\n<details><summary>Figures</summary>\n<div class=\"wide\"><table>\n<thead><tr>");
        foreach (string title in SummaryColumns.Titles(report, scenario)) page.Append(CultureInfo.InvariantCulture, $"<th>{E(title)}</th>");
        page.Append("</tr></thead>\n<tbody>\n");
        foreach (var summary in ranked)
        {
            page.Append("<tr>");
            foreach (string value in SummaryColumns.Values(scenario, summary)) page.Append(CultureInfo.InvariantCulture, $"<td>{E(value)}</td>");
            page.Append("</tr>\n");
        }
        page.Append("</tbody></table></div>\n");
        foreach (var failed in ranked.Where(s => s.Error is not null)) page.Append(CultureInfo.InvariantCulture, $"<p class=\"error\">{E(failed.Server)} failed: {E(failed.Error!)}</p>\n");
        page.Append("</details>\n</section>\n");

        string Bars(Func<Summary, double?> value, Func<double?, string> text) => BarChart.Render(scenario.Title,
            [.. ranked.Select(s => new Bar(s.Server, Colour(report, s.Server), value(s), value(s) is null ? "no figure" : text(value(s))))]);
    }

    private static void Chart(StringBuilder page, string caption, string svg) =>
        page.Append(CultureInfo.InvariantCulture, $"<figure><figcaption>{E(caption)}</figcaption>{svg}</figure>\n");

    private static void Method(StringBuilder page, ComparisonReport report)
    {
        var how = report.Conditions;
        string Cpus(IReadOnlyList<int> cpus) => cpus.Count == 0 ? "any CPU" : $"CPU {string.Join(" and ", cpus)}";
        page.Append(CultureInfo.InvariantCulture, $"""
            <section>
            <h2>How it was measured</h2>
            <p>Each server runs in a process of its own on {E(Cpus(how.ServerCpus))}, the load client in another on {E(Cpus(how.ClientCpus))}, over loopback.
            In each round ({how.Rounds} in all) all servers are started afresh and warmed up for {how.WarmUp:0.#} s; then they take turns, scenario by scenario and each time beginning
            with another one, {how.Seconds:0.#} s each, while the others sleep: so what is compared was measured within seconds. Idle connections are opened on a further fresh
            process. The tables have medians; a multiple is the median of what it is in each round. Runs in which others took more than 6 % of the server's CPU, or kept the
            client from its own, are repeated at most twice, and count only where there are no others.</p>
            <p>A connection sends on when everything it has sent is back: a closed loop, so latencies are those at the speed of the server, not at a given rate. Every echo is
            compared with what was sent, those of up to 1 KiB and every 16th longer one byte by byte. The client polls, so that no server pays for waking it, except where one
            connection plays ping-pong. Where the client is busy all the time, messages a second are its limit: compare CPU time there. CPU time is user and kernel time of the
            server's process; memory is its resident set, of an idle connection the growth by {Scenario.Find("idle").Connections:#,0} connections divided by as many.</p>
            <div class="wide"><table>
            <thead><tr><th>server</th><th>what it is</th><th>version</th><th>environment</th></tr></thead>
            <tbody>

            """);
        foreach (var server in report.Servers)
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{E(server.Name)}</td><td>{E(server.Description)}</td><td>{E(server.Version)}</td><td>{E(string.Join(' ', server.Environment.Select(v => $"{v.Key}={v.Value}")))}</td></tr>\n");
        page.Append("</tbody></table></div>\n</section>\n");
    }
}
