using System.Text.Json;
using System.Xml.Linq;
using FastChat.Compare.Load;
using FastChat.Compare.Report;
using FastChat.Compare.Runs;

namespace FastChat.Bench.Tests.Report;

public class ReportTests
{
    private static ComparisonReport Create(params Run[] runs) => new()
    {
        Date = new DateTimeOffset(2026, 11, 21, 1, 2, 3, TimeSpan.Zero),
        Machine = new MachineInfo("Some CPU", 2, 24L << 30, "Some system", ".NET 10"),
        Conditions = new Conditions(3, 2, 3, [0], [1]),
        Servers = [.. runs.Select(r => r.Server).Distinct().Select(s => new ServerInfo(s, "what <it> is", "1.0", new Dictionary<string, string> { ["A"] = "b" }))],
        Scenarios = [.. runs.Select(r => r.Scenario).Distinct().Select(Scenario.Find)],
        Summaries = Statistics.Summarise(runs),
        Runs = runs,
    };

    private static Run Active(string server, double cpu, int round = 1) => new(server, "ping-pong", round, new LoadResult
    {
        Messages = 1_000_000,
        Seconds = 2,
        ServerCpuSeconds = cpu,
        P50Microseconds = 100,
        P99Microseconds = 900,
        P999Microseconds = 12_000,
        RssBytes = 50 << 20,
        ClientBusy = 0.5,
    });

    private static Run Idle(string server, double bytes) =>
        new(server, "idle", 1, new LoadResult { Messages = 5_000, Seconds = 1, RssBytes = 60 << 20, IdleBytesPerConnection = bytes, EchoedBytesPerConnection = bytes * 2, ConnectMicroseconds = 40 });

    private static Run Failed(string server) => new(server, "ping-pong", 1, new LoadResult { Error = "It said \"no\", twice" });

    private static readonly ComparisonReport Full = Create(Active("slow", 12), Active("fast", 4), Active("fast", 6, 2), Failed("broken"), Idle("slow", 20 * 1024), Idle("fast", 1024));

    [Fact]
    public void The_cheapest_comes_first_and_those_without_a_figure_last()
    {
        Assert.Equal(["fast", "slow", "broken"], Full.Ranked(Scenario.Find("ping-pong")).Select(s => s.Server));
        Assert.Equal(["fast", "slow"], Full.Ranked(Scenario.Find("idle")).Select(s => s.Server));
        Assert.Equal(3.0, Full.Find("slow", Scenario.Find("ping-pong"))!.Ratio); // of round 1, which is the only one it had
        Assert.Null(Full.Find("broken", Scenario.Find("ping-pong"))!.Ratio);
        Assert.Null(Full.Find("slow", Scenario.Find("text")));
    }

    [Fact]
    public void The_terminal_gets_aligned_columns_and_the_reason_of_a_failure()
    {
        string[] lines = TextTable.Render(Full).Split('\n');
        string head = lines.First(l => l.Contains("CPU us/message", StringComparison.Ordinal));
        string fast = lines.First(l => l.StartsWith("  fast ", StringComparison.Ordinal));
        Assert.Equal(head.TrimEnd().Length, fast.TrimEnd().Length);
        Assert.Contains("5.00", fast, StringComparison.Ordinal);
        Assert.Contains("1.00x", fast, StringComparison.Ordinal);
        Assert.Contains("500,000", fast, StringComparison.Ordinal);
        Assert.Contains(lines, l => l.Contains("broken failed: It said", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("20.00", StringComparison.Ordinal) && l.Contains("40.00", StringComparison.Ordinal));
    }

    [Fact]
    public void Csv_has_a_line_a_run_and_quotes_what_must_be()
    {
        string[] lines = ReportFiles.Csv(Full.Runs).TrimEnd('\n').Split('\n');
        Assert.Equal(7, lines.Length);
        Assert.StartsWith("scenario,server,round,", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("\"It said \"\"no\"\", twice\"", lines[4], StringComparison.Ordinal);
        Assert.StartsWith("ping-pong,fast,2,1,1000000,2,500000,6,", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void Json_holds_runs_and_medians()
    {
        using var json = JsonDocument.Parse(JsonSerializer.Serialize(Full, ReportJson.Default.ComparisonReport));
        var root = json.RootElement;
        Assert.Equal(6, root.GetProperty("runs").GetArrayLength());
        Assert.Equal("Some CPU", root.GetProperty("machine").GetProperty("processor").GetString());
        var fast = root.GetProperty("summaries").EnumerateArray().First(s => s.GetProperty("server").GetString() == "fast");
        Assert.Equal(5, fast.GetProperty("cpu_microseconds").GetDouble());
    }

    [Fact]
    public void The_page_needs_nothing_from_elsewhere_and_is_well_formed_where_it_draws()
    {
        string page = HtmlPage.Render(Full);
        foreach (string link in (string[])["http:", "https:", "src=", "href=", "url(", "@import", "<script"]) Assert.DoesNotContain(link, page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("prefers-color-scheme: dark", page, StringComparison.Ordinal);
        Assert.Contains("2026-11-21", page, StringComparison.Ordinal);
        int charts = 0;
        for (int at = page.IndexOf("<svg", StringComparison.Ordinal); at >= 0; at = page.IndexOf("<svg", at + 1, StringComparison.Ordinal), charts++)
            XElement.Parse(page[at..(page.IndexOf("</svg>", at, StringComparison.Ordinal) + 6)]);
        Assert.Equal(6, charts);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_cannot_break_out_of_the_page()
    {
        string page = HtmlPage.Render(Create(Active("<b>&\"x", 1), new Run("<b>&\"x", "medium", 1, new LoadResult { Error = "<i>" })));
        Assert.DoesNotContain("<b>&", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<i>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<it>", page, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;&amp;&quot;x", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_without_a_single_figure_is_still_a_report()
    {
        var report = Create(Failed("a"), Failed("b"));
        Assert.Contains("no figure", HtmlPage.Render(report), StringComparison.Ordinal);
        Assert.Contains("a failed", TextTable.Render(report), StringComparison.Ordinal);
    }

    [Fact]
    public void The_files_are_written_where_they_are_wanted()
    {
        string directory = Path.Combine(Directory.CreateTempSubdirectory("fastchat-report-").FullName, "new");
        try
        {
            var written = ReportFiles.Write(Full, directory);
            Assert.Equal(["compare.json", "compare.csv", "compare.md", "compare.html"], written.Select(f => Path.GetFileName(f)));
            Assert.All(written, f => Assert.True(new FileInfo(f).Length > 100));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(directory)!, recursive: true);
        }
    }

    [Fact]
    public void Markdown_has_costs_at_a_glance_and_then_every_figure()
    {
        string[] lines = MarkdownTable.Render(Full).Split('\n');
        Assert.Contains("|  | slow | fast | broken |", lines);
        Assert.Contains("| 100 connections, 64 B, one at a time | 12.0 (3.00x) | 5.00 (1.00x) | - |", lines);
        Assert.Contains("| 5,000 idle connections | 20.0 (20.00x) | 1.00 (1.00x) | - |", lines);
        Assert.Contains(lines, l => l.StartsWith("| fast | 5.00 | 1.00x | 500,000 |", StringComparison.Ordinal));
    }

    [Fact]
    public void A_report_is_read_back_and_gets_more_rounds()
    {
        string directory = Directory.CreateTempSubdirectory("fastchat-report-").FullName;
        try
        {
            Assert.Null(ReportFiles.Read(directory));
            ReportFiles.Write(Full, directory);
            var read = ReportFiles.Read(directory)!;
            Assert.Equal(Full.Runs, read.Runs);
            var joined = read.Joined(Create(Active("new", 2))).With([Active("new", 2, 3), Active("fast", 4, 3)]);
            Assert.Equal(["slow", "fast", "broken", "new"], joined.Servers.Select(s => s.Name));
            Assert.Equal((3, 8), (joined.Conditions.Rounds, joined.Runs.Count));
            Assert.Equal((4.0, 2.0), (joined.Find("fast", Scenario.Find("ping-pong"))!.CpuMicroseconds, joined.Find("fast", Scenario.Find("ping-pong"))!.Ratio));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void Rounds_of_something_else_are_not_joined()
    {
        string Refusal(ComparisonReport later) => Assert.Throws<ArgumentException>(() => Full.Joined(later)).Message;
        var same = Create(Active("slow", 1));
        Assert.Contains("machine", Refusal(same with { Machine = same.Machine with { Cores = 3 } }), StringComparison.Ordinal);
        Assert.Contains("warm-up", Refusal(same with { Conditions = same.Conditions with { WarmUp = 9 } }), StringComparison.Ordinal);
        Assert.Contains("CPUs", Refusal(same with { Conditions = same.Conditions with { ServerCpus = [1] } }), StringComparison.Ordinal);
        Assert.Contains("slow in version 1.0, this is 1.1", Refusal(same with { Servers = [same.Servers[0] with { Version = "1.1" }] }), StringComparison.Ordinal);
    }

    [Fact]
    public void Multiples_can_be_of_a_server_of_ones_choice()
    {
        var report = Create(Active("slow", 12), Active("fast", 4));
        report = (report with { Conditions = report.Conditions with { Reference = "slow" } }).With([]);
        Assert.Contains("x slow", TextTable.Render(report), StringComparison.Ordinal);
        Assert.Contains("as a multiple of slow", HtmlPage.Render(report), StringComparison.Ordinal);
        Assert.Equal(1, report.Find("slow", Scenario.Find("ping-pong"))!.Ratio);
    }

    [Theory]
    [InlineData(0.1234, "0.123")]
    [InlineData(1.234, "1.23")]
    [InlineData(12.34, "12.3")]
    [InlineData(1234.5, "1,235")]
    [InlineData(null, "-")]
    [InlineData(double.NaN, "-")]
    public void Figures_are_short(double? value, string text) => Assert.Equal(text, Figures.Short(value));
}
