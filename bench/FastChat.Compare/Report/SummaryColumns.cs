using FastChat.Compare.Runs;

namespace FastChat.Compare.Report;

/// <summary>The columns of the tables, the same for the terminal and the page.</summary>
internal static class SummaryColumns
{
    private static readonly (string Title, Func<Summary, string> Value)[] Active =
    [
        ("CPU us/message", s => Figures.Short(s.CpuMicroseconds)),
        ("x {0}", s => Figures.Ratio(s.Ratio)),
        ("messages/s", s => Figures.Whole(s.MessagesPerSecond)),
        ("p50 us", s => Figures.Whole(s.P50Microseconds)),
        ("p99 us", s => Figures.Whole(s.P99Microseconds)),
        ("p99.9 us", s => Figures.Whole(s.P999Microseconds)),
        ("RSS MiB", s => Figures.Mebibytes(s.RssBytes)),
        ("client busy", s => Figures.Share(s.ClientBusy)),
    ];

    private static readonly (string Title, Func<Summary, string> Value)[] Idle =
    [
        ("KiB/connection", s => Figures.Kibibytes(s.IdleBytesPerConnection)),
        ("x {0}", s => Figures.Ratio(s.Ratio)),
        ("after an echo each", s => Figures.Kibibytes(s.EchoedBytesPerConnection)),
        ("RSS MiB", s => Figures.Mebibytes(s.RssBytes)),
        ("CPU us/connect", s => Figures.Short(s.ConnectMicroseconds)),
    ];

    public static IEnumerable<string> Titles(ComparisonReport report, Scenario scenario) =>
        ["server", .. (scenario.IsIdle ? Idle : Active).Select(c => c.Title.Replace("{0}", report.ReferenceName, StringComparison.Ordinal)), "runs"];

    public static IEnumerable<string> Values(Scenario scenario, Summary summary) =>
        [summary.Server, .. (scenario.IsIdle ? Idle : Active).Select(c => c.Value(summary)), RunsOf(summary)];

    private static string RunsOf(Summary s) =>
        $"{s.Runs}{(s.Disturbed > 0 ? $", {s.Disturbed} disturbed" : "")}{(s.Failed > 0 ? $", {s.Failed} failed" : "")}";
}
