using System.Globalization;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Thresholds;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FastChat.LoadTests.Live;

/// <summary>A run as it goes, redrawn in its place: for terminals.</summary>
internal sealed class LiveView(IAnsiConsole console)
{
    private const int CurveLength = 40;
    private const int MostErrors = 3;
    private const string Levels = "▁▂▃▄▅▆▇█";

    /// <summary>Shows a run until it ends.</summary>
    public Task<ScenarioResult> RunAsync(string title, Func<IRunView, Task<ScenarioResult>> run) =>
        console.Live(new Text("")).AutoClear(true).Cropping(VerticalOverflowCropping.Bottom).StartAsync(context => run(new View(title, console.Profile.Width, context)));

    private sealed class View(string title, int width, LiveDisplayContext context) : IRunView
    {
        private readonly Queue<TimelinePoint> _points = new();

        public void Stage(string text)
        {
            if (text.Length > 0) context.UpdateTarget(Box(new Markup($"[grey]{Markup.Escape(text)} ...[/]")));
        }

        public void Show(RunProgress progress)
        {
            _points.Enqueue(progress.Latest);
            if (_points.Count > CurveLength) _points.Dequeue();
            context.UpdateTarget(Box(new Rows(Header(progress), Curves(), Latencies(progress.Measurements), Errors(progress.Measurements))));
        }

        private Panel Box(IRenderable content) => new(content) { Header = new PanelHeader($" {Markup.Escape(title)} "), Border = BoxBorder.Rounded, BorderStyle = new Style(Color.Grey), Padding = new Padding(1, 0), Expand = true };

        private static Markup Header(RunProgress progress)
        {
            var (point, counted) = (progress.Latest, progress.Measurements);
            string phase = point.Phase.Length > 0 ? $"  [blue]{Markup.Escape(point.Phase)}[/]" : "";
            string errors = counted.Errors > 0 ? $"[red]{counted.Errors} errors[/]" : "[green]no errors[/]";
            string faults = counted.Lost + counted.Doubled + counted.Reordered + counted.Wrong is > 0 and var n ? $"  [red]{n} faults in answers[/]" : "";
            // Operations that began in time may end later.
            string time = progress.Elapsed <= progress.Duration ? $"[bold]{point.Seconds:0} s[/] of {progress.Duration.TotalSeconds:0} s" : $"{progress.Duration.TotalSeconds:0} s [bold]+ {point.Seconds - progress.Duration.TotalSeconds:0} s[/]";
            return new Markup(string.Create(CultureInfo.InvariantCulture,
                $"{time}{phase}   {counted.Operations:#,0} operations   {counted.InFlight:#,0} under way   {point.Sockets:#,0} sockets   {errors}{faults}"));
        }

        private Grid Curves()
        {
            var grid = new Grid().AddColumns(3);
            void Row(string name, Func<TimelinePoint, double?> value, Func<double, string> show)
            {
                double[] values = [.. _points.Select(value).Where(v => v is not null).Select(v => v!.Value)];
                if (values.Length > 0) grid.AddRow(new Text(name, new Style(Color.Grey)), new Text(show(values[^1])), new Text(Curve(values), new Style(Color.SteelBlue1)));
            }
            Row("operations", p => p.Rate, v => Quantity.Show(v, QuantityKind.PerSecond));
            if (_points.Any(p => p.ChunkRate > 0)) Row("chunks", p => p.ChunkRate, v => Quantity.Show(v, QuantityKind.PerSecond));
            Row("p99", p => p.P99Ms, v => Quantity.Show(v, QuantityKind.Time));
            Row("server CPU", p => p.ServerCpu, v => Quantity.Show(v, QuantityKind.Share));
            Row("server memory", p => p.ServerRss, v => Quantity.Show(v, QuantityKind.Bytes));
            Row("client CPU", p => p.ClientCpu, v => Quantity.Show(v, QuantityKind.Share));
            return grid;
        }

        private static Table Latencies(Measurements measurements)
        {
            var table = new Table { Border = TableBorder.Simple, BorderStyle = new Style(Color.Grey) };
            table.AddColumn("latency");
            foreach (string name in (string[])["count", "p50", "p90", "p99", "p99.9", "max"]) table.AddColumn(new TableColumn(name).RightAligned());
            foreach (var latency in measurements.Latencies)
            {
                var s = latency.Summary();
                if (s.Count > 0) table.AddRow(latency.Name, s.Count.ToString("#,0", CultureInfo.InvariantCulture), Ms(s.P50Ms), Ms(s.P90Ms), Ms(s.P99Ms), Ms(s.P999Ms), Ms(s.MaxMs));
            }
            return table;
        }

        private Rows Errors(Measurements measurements) =>
            new(measurements.ErrorKinds.Take(MostErrors).Select(e => new Markup($"[red]{e.Value,6}[/] {Markup.Escape(Cut(e.Key))}")));

        // A line each: what is at the top shall not be pushed out of sight.
        private string Cut(string text) => Math.Max(10, width - 12) is var room && text.Length <= room ? text : text[..(room - 1)] + "…";

        private static string Ms(double ms) => Quantity.Show(ms, QuantityKind.Time);

        private static string Curve(double[] values)
        {
            double most = values.Max();
            return new string([.. values.Select(v => Levels[most > 0 ? (int)(v / most * (Levels.Length - 1)) : 0])]);
        }
    }
}
