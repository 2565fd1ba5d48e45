namespace FastChat.Compare.Report;

/// <summary>One bar.</summary>
/// <param name="Label">In front of it.</param>
/// <param name="Colour">Which of the page's colours, from 0.</param>
/// <param name="Value">Its length; null for a row without one.</param>
/// <param name="Text">Behind it.</param>
/// <param name="Least">Where its whisker begins; null for none.</param>
/// <param name="Most">Where it ends.</param>
internal sealed record Bar(string Label, int Colour, double? Value, string Text, double? Least = null, double? Most = null);

/// <summary>Horizontal bars from 0, as SVG that takes its colours from the page.</summary>
internal static class BarChart
{
    private const double Width = 460, LabelWidth = 128, TextWidth = 70, RowHeight = 24, BarHeight = 14;

    public static string Render(string title, IReadOnlyList<Bar> bars)
    {
        double most = bars.Max(b => Math.Max(b.Value ?? 0, b.Most ?? 0)) is > 0 and var m ? m : 1;
        double scale = (Width - LabelWidth - TextWidth) / most;
        var svg = new SvgText(Width, bars.Count * RowHeight + 4, title);
        for (int i = 0; i < bars.Count; i++)
        {
            var bar = bars[i];
            double middle = i * RowHeight + RowHeight / 2 + 2;
            svg.Text(LabelWidth - 8, middle, bar.Label, "label");
            if (bar.Value is not { } value)
            {
                svg.Text(LabelWidth + 2, middle, bar.Text, "value");
                continue;
            }
            svg.Rectangle(LabelWidth, middle - BarHeight / 2, Math.Max(value * scale, 1), BarHeight, bar.Colour, $"{bar.Label}: {bar.Text}");
            double end = Math.Max(value * scale, 0);
            if (bar.Least is { } least && bar.Most is { } highest && highest > least)
            {
                svg.Line(LabelWidth + least * scale, middle, LabelWidth + highest * scale, middle, "whisker");
                end = Math.Max(end, highest * scale);
            }
            svg.Text(LabelWidth + end + 6, middle, bar.Text, "value");
        }
        return svg.ToString();
    }
}

/// <summary>Latencies on a logarithmic axis: a line from the median to p99.9 for each server.</summary>
internal static class LatencyChart
{
    private const double Width = 460, LabelWidth = 128, Right = 28, RowHeight = 24, AxisHeight = 20;

    /// <summary>One row: three percentiles in microseconds.</summary>
    internal sealed record Row(string Label, int Colour, double P50, double P99, double P999);

    public static string Render(string title, IReadOnlyList<Row> rows)
    {
        double least = rows.Min(r => r.P50), most = rows.Max(r => r.P999);
        int from = (int)Math.Floor(Math.Log10(Math.Max(least, 0.1))), to = Math.Max((int)Math.Ceiling(Math.Log10(Math.Max(most, 0.1))), from + 1);
        double X(double value) => LabelWidth + (Math.Log10(Math.Max(value, 0.1)) - from) / (to - from) * (Width - LabelWidth - Right);
        double bottom = rows.Count * RowHeight + 4;
        var svg = new SvgText(Width, bottom + AxisHeight, title);
        for (int power = from; power <= to; power++)
        {
            double value = Math.Pow(10, power);
            svg.Line(X(value), 2, X(value), bottom, "grid");
            svg.Text(X(value), bottom + AxisHeight / 2, value >= 1000 ? $"{value / 1000:0.##} ms" : $"{value:0.##} us", "tick");
        }
        for (int i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            double middle = i * RowHeight + RowHeight / 2 + 2;
            string tip = $"{row.Label}: p50 {Figures.Short(row.P50)} us, p99 {Figures.Short(row.P99)} us, p99.9 {Figures.Short(row.P999)} us";
            svg.Text(LabelWidth - 8, middle, row.Label, "label");
            svg.Line(X(row.P50), middle, X(row.P999), middle, $"range c{row.Colour}");
            svg.Circle(X(row.P999), middle, 3, row.Colour, hollow: true, tip);
            svg.Circle(X(row.P99), middle, 4, row.Colour, hollow: true, tip);
            svg.Circle(X(row.P50), middle, 5, row.Colour, hollow: false, tip);
        }
        return svg.ToString();
    }
}
