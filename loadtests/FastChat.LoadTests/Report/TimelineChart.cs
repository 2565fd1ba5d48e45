using FastChat.LoadTests.Load;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Report;

/// <summary>A curve over time.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Colour">Which of the page's colours, from 0.</param>
/// <param name="Value">Its value at a point; null for none.</param>
internal sealed record Series(string Name, int Colour, Func<TimelinePoint, double?> Value);

/// <summary>Curves over the time of a run, as SVG that takes its colours from the page.</summary>
internal static class TimelineChart
{
    private const double Width = 560, Height = 190, Left = 62, Right = 10, Top = 16, Bottom = 22;

    public static string Render(string title, ScenarioResult result, QuantityKind kind, IReadOnlyList<Series> series)
    {
        var points = result.Timeline;
        double end = Math.Max(points[^1].Seconds, 1);
        var axis = new Axis(series.SelectMany(s => points.Select(s.Value)).Max() ?? 0, kind);
        double X(double seconds) => Left + seconds / end * (Width - Left - Right);
        double Y(double value) => Height - Bottom - value / axis.Top * (Height - Top - Bottom);
        var svg = new SvgText(Width, Height, title);
        foreach (double tick in axis.Ticks)
        {
            svg.Line(Left, Y(tick), Width - Right, Y(tick), "grid");
            svg.Text(Left - 6, Y(tick), axis.Show(tick), "label dim");
        }
        var seconds = new Axis(end, QuantityKind.Count);
        foreach (double tick in seconds.Ticks.Where(t => t <= end)) svg.Text(X(tick), Height - Bottom / 2, $"{seconds.Show(tick)} s", "tick");
        Phases(svg, points, X);
        foreach (var one in series)
        {
            var curve = points.Select(p => (p.Seconds, Value: one.Value(p))).Where(p => p.Value is not null).Select(p => (X(p.Seconds), Y(p.Value!.Value))).ToArray();
            // One point is no line.
            if (curve.Length == 1) svg.Circle(curve[0].Item1, curve[0].Item2, 3, one.Colour, hollow: false, one.Name);
            else svg.Curve(curve, $"curve c{one.Colour}", one.Name);
        }
        return svg.ToString();
    }

    private static void Phases(SvgText svg, IReadOnlyList<TimelinePoint> points, Func<double, double> x)
    {
        for (int i = 0; i < points.Count; i++)
        {
            if (points[i].Phase.Length == 0 || i > 0 && points[i].Phase == points[i - 1].Phase) continue;
            double at = i == 0 ? x(0) : x(points[i - 1].Seconds);
            if (i > 0) svg.Line(at, Top, at, Height - Bottom, "whisker");
            svg.Text(at + 4, Top / 2 + 1, points[i].Phase, "phase");
        }
    }
}

/// <summary>How long which share of operations took, up to the longest: both axes logarithmic, because it is the rare ones that matter.</summary>
internal static class DistributionChart
{
    private const double Width = 560, Height = 240, Left = 62, Right = 14, Top = 10, Bottom = 22;

    public static string Render(string title, IReadOnlyList<(LatencyResult Latency, int Colour)> latencies)
    {
        double least = latencies.Min(l => l.Latency.Distribution.Min(p => Math.Max(p.Ms, 1e-3))), most = latencies.Max(l => l.Latency.Distribution.Max(p => Math.Max(p.Ms, 1e-3)));
        int from = (int)Math.Floor(Math.Log10(least)), to = Math.Max((int)Math.Ceiling(Math.Log10(most) - 1e-9), from + 1);
        double nines = Math.Max(1, latencies.Max(l => Nines(l.Latency, 1)));
        double X(double n) => Left + n / nines * (Width - Left - Right);
        double Y(double ms) => Height - Bottom - (Math.Log10(Math.Max(ms, 1e-3)) - from) / (to - from) * (Height - Top - Bottom);
        var svg = new SvgText(Width, Height, title);
        for (int power = from; power <= to; power++)
        {
            svg.Line(Left, Y(Math.Pow(10, power)), Width - Right, Y(Math.Pow(10, power)), "grid");
            svg.Text(Left - 6, Y(Math.Pow(10, power)), Quantity.Show(Math.Pow(10, power), QuantityKind.Time), "label dim");
        }
        string[] names = ["0", "90%", "99%", "99.9%", "99.99%", "99.999%", "99.9999%"];
        for (int n = 0; n <= nines && n < names.Length; n++)
        {
            svg.Line(X(n), Top, X(n), Height - Bottom, "grid");
            svg.Text(X(n), Height - Bottom / 2, names[n], "tick");
        }
        foreach (var (latency, colour) in latencies)
            svg.Curve(latency.Distribution.Select(p => (X(Nines(latency, p.Share)), Y(p.Ms))), $"curve c{colour}", latency.Name);
        return svg.ToString();
    }

    // 90 % is one, 99 % two. The longest of N stands where half an operation would be left.
    private static double Nines(LatencyResult latency, double share) => -Math.Log10(Math.Max(1 - share, 0.5 / latency.Summary.Count));
}
