using System.Text.Json;
using System.Xml.Linq;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Report;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Tests.Report;

public class ReportTests
{
    private static readonly RunReport Sample = new(new DateTimeOffset(2024, 1, 15, 10, 30, 0, TimeSpan.Zero), new MachineInfo("A CPU", 2, 8L << 30, "Linux", ".NET 10"), "loopback",
        [Results.Sample() with { Thresholds = [new ThresholdResult("errors=0", "2", false)] }, Results.Sample("chat") with { Errors = 0, ErrorKinds = [], Server = null }]);

    [Fact]
    public void The_page_is_whole_and_asks_for_nothing()
    {
        string page = HtmlPage.Render(Sample);
        // Well-formed, so that nothing was left unescaped: XML, but for what HTML has beside it.
        string xml = page.Replace("<!doctype html>", "", StringComparison.Ordinal).Replace("<meta charset=\"utf-8\">", "", StringComparison.Ordinal)
            .Replace("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">", "", StringComparison.Ordinal);
        var body = XDocument.Parse(xml[..xml.IndexOf("<style>", StringComparison.Ordinal)] + xml[(xml.IndexOf("</style>", StringComparison.Ordinal) + 8)..]);
        Assert.Empty(body.Descendants("script"));
        foreach (string asks in (string[])["http://", "https://", "src=", "url(", "@import"]) Assert.DoesNotContain(asks, page, StringComparison.Ordinal);
        Assert.Equal(2, body.Descendants("section").Count(s => s.Element("h2")!.Element("small") is not null));
    }

    [Fact]
    public void The_page_says_what_came_out()
    {
        string page = HtmlPage.Render(Sample);
        foreach (string text in (string[])["Streams &lt;all at once&gt;", "What is done &amp; verified.", "busy, &quot;wait&quot;", "errors=0", "class=\"text fail\">failed", "A CPU, 2 cores", "0, 1, 0, 0", "--connections"])
            Assert.Contains(text, page, StringComparison.Ordinal);
        foreach (string chart in (string[])["Operations a second", "Latency: answer", "Chunks a second", "CPU, 100% is one core", "Server memory", "Latency distribution"])
            Assert.Contains($"aria-label=\"{chart}\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_came_to_nothing_has_a_page_too()
    {
        var empty = Results.Sample() with { Timeline = [], Latencies = [LatencyResult.Of(new LatencyMetric("answer"), "")], Operations = 0, Seconds = 0, Chunks = 0, Server = null, Failure = "The server does not start." };
        string page = HtmlPage.Render(Sample with { Scenarios = [empty] });
        Assert.Contains("The server does not start.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<svg", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Curves_stay_inside_of_their_charts()
    {
        foreach (var svg in Charts())
        {
            double[] box = [.. svg.Attribute("viewBox")!.Value.Split(' ').Select(double.Parse)];
            Assert.NotEmpty(svg.Descendants("polyline"));
            foreach (var curve in svg.Descendants("polyline"))
            {
                foreach (string point in curve.Attribute("points")!.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    double[] at = [.. point.Split(',').Select(double.Parse)];
                    Assert.InRange(at[0], 0, box[2]);
                    Assert.InRange(at[1], 0, box[3]);
                }
            }
        }
    }

    [Fact]
    public void The_files_are_written_and_can_be_read()
    {
        var directory = Directory.CreateTempSubdirectory("fastchat-report-");
        try
        {
            var files = ReportFiles.Write(Sample, Path.Combine(directory.FullName, "new"));
            Assert.Equal(["loadtests.json", "loadtests.csv", "loadtests-timeline.csv", "loadtests.html"], files.Select(f => Path.GetFileName(f)));
            using var json = JsonDocument.Parse(File.ReadAllText(files[0]));
            var scenario = json.RootElement.GetProperty("scenarios")[0];
            Assert.Equal((10, 1, "errors=0"), (scenario.GetProperty("operations").GetInt32(), scenario.GetProperty("doubled").GetInt32(), scenario.GetProperty("thresholds")[0].GetProperty("expression").GetString()));
            Assert.Equal(10, scenario.GetProperty("latencies")[0].GetProperty("summary").GetProperty("max_ms").GetDouble());
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void Csv_has_a_line_for_each_latency_and_each_point_in_time()
    {
        string[] latencies = ReportFiles.Latencies(Sample).TrimEnd().Split('\n');
        Assert.Equal(1 + 2 * 3, latencies.Length);
        Assert.StartsWith("scenario,latency,count,mean_ms,p50_ms,", latencies[0], StringComparison.Ordinal);
        Assert.StartsWith("streams,answer,10,5.5,", latencies[1], StringComparison.Ordinal);
        Assert.All(latencies, line => Assert.Equal(latencies[0].Count(c => c == ','), line.Count(c => c == ',')));
        string[] timeline = ReportFiles.Timeline(Sample).TrimEnd().Split('\n');
        Assert.Equal(1 + 2 * 2, timeline.Length);
        Assert.StartsWith("streams,1,before,6,0,3,9,10,40,4,10,0.4,62914560,0.2", timeline[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, nameof(QuantityKind.Count), 1, "0 1")]
    [InlineData(7, nameof(QuantityKind.Count), 8, "0 2 4 6 8")]
    [InlineData(100, nameof(QuantityKind.PerSecond), 100, "0 20 40 60 80 100")]
    [InlineData(0.93, nameof(QuantityKind.Share), 1, "0 20% 40% 60% 80% 100%")]
    [InlineData(73.4 * (1 << 20), nameof(QuantityKind.Bytes), 80.0 * (1 << 20), "0 20 MiB 40 MiB 60 MiB 80 MiB")]
    [InlineData(1.7, nameof(QuantityKind.Time), 2, "0 500 µs 1 ms 1.5 ms 2 ms")]
    public void Axes_have_round_ticks(double most, string kind, double top, string ticks)
    {
        var axis = new Axis(most, Enum.Parse<QuantityKind>(kind));
        Assert.Equal(top, axis.Top, 6);
        Assert.Equal(ticks, string.Join(' ', axis.Ticks.Select(axis.Show)));
    }

    private static IEnumerable<XElement> Charts()
    {
        var result = Results.Sample();
        yield return XElement.Parse(TimelineChart.Render("Latency", result, QuantityKind.Time, [new("p99", 0, p => p.P99Ms), new("max", 1, p => p.MaxMs)]));
        yield return XElement.Parse(DistributionChart.Render("Distribution", [.. result.Latencies.Where(l => l.Summary.Count > 0).Select((l, i) => (l, i))]));
    }
}
