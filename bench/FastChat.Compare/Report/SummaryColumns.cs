using FastChat.Compare.Runs;

namespace FastChat.Compare.Report;

/// <summary>The columns of the tables, the same for the terminal and the page.</summary>
internal static class SummaryColumns
{
    private static readonly (string Title, Func<ComparisonReport, Summary, string> Value)[] Active =
    [
        ("CPU us/message", (_, s) => Figures.Short(s.CpuMicroseconds)),
        ("x least", (r, s) => Figures.Ratio(r.Ratio(s))),
        ("messages/s", (_, s) => Figures.Whole(s.MessagesPerSecond)),
        ("p50 us", (_, s) => Figures.Whole(s.P50Microseconds)),
        ("p99 us", (_, s) => Figures.Whole(s.P99Microseconds)),
        ("p99.9 us", (_, s) => Figures.Whole(s.P999Microseconds)),
        ("RSS MiB", (_, s) => Figures.Mebibytes(s.RssBytes)),
        ("client busy", (_, s) => Figures.Share(s.ClientBusy)),
    ];

    private static readonly (string Title, Func<ComparisonReport, Summary, string> Value)[] Idle =
    [
        ("KiB/connection", (_, s) => Figures.Kibibytes(s.IdleBytesPerConnection)),
        ("after an echo each", (_, s) => Figures.Kibibytes(s.EchoedBytesPerConnection)),
        ("RSS MiB", (_, s) => Figures.Mebibytes(s.RssBytes)),
        ("CPU us/connect", (_, s) => Figures.Short(s.ConnectMicroseconds)),
    ];

    public static IEnumerable<string> Titles(Scenario scenario) => ["server", .. (scenario.IsIdle ? Idle : Active).Select(c => c.Title), "runs"];

    public static IEnumerable<string> Values(ComparisonReport report, Scenario scenario, Summary summary) =>
        [summary.Server, .. (scenario.IsIdle ? Idle : Active).Select(c => c.Value(report, summary)), RunsOf(summary)];

    private static string RunsOf(Summary s) =>
        $"{s.Runs}{(s.Disturbed > 0 ? $", {s.Disturbed} disturbed" : "")}{(s.Failed > 0 ? $", {s.Failed} failed" : "")}";
}
