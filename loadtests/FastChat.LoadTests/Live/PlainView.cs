using System.Globalization;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Live;

/// <summary>A line now and then, for logs and pipes.</summary>
internal sealed class PlainView(TextWriter output) : IRunView
{
    private const int MostLines = 30;

    private TimeSpan _next;

    public void Stage(string text)
    {
        _next = TimeSpan.Zero;
        if (text.Length > 0) output.WriteLine($"  {text}");
    }

    public void Show(RunProgress progress)
    {
        if (progress.Elapsed < _next) return;
        _next = progress.Elapsed + progress.Duration / MostLines;
        output.WriteLine(Line(progress));
    }

    private static string Line(RunProgress progress)
    {
        var (point, counted) = (progress.Latest, progress.Measurements);
        string server = point.ServerCpu is { } cpu && point.ServerRss is { } rss ? $"  server {cpu * 100:0}% {Quantity.Bytes(rss)}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"  {point.Seconds,6:0.0} s  {point.Rate,7:0.0}/s  p50 {Ms(point.P50Ms),8}  p99 {Ms(point.P99Ms),8}  max {Ms(point.MaxMs),8}  errors {counted.Errors}  ")
            + string.Create(CultureInfo.InvariantCulture, $"sockets {point.Sockets}{(point.ChunkRate > 0 ? $"  chunks {point.ChunkRate:#,0}/s" : "")}{server}{(point.Phase.Length > 0 ? $"  {point.Phase}" : "")}");
    }

    private static string Ms(double? ms) => ms is { } value ? Quantity.Show(value, QuantityKind.Time) : "-";
}
