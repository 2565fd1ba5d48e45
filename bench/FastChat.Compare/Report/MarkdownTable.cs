using System.Globalization;
using System.Text;

namespace FastChat.Compare.Report;

/// <summary>The medians as Markdown tables: one of costs, to be read at a glance, and one of all figures for each scenario.</summary>
internal static class MarkdownTable
{
    public static string Render(ComparisonReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"CPU microseconds of the server for each message, KiB of memory for each idle connection; in brackets as a multiple of {report.Conditions.Reference ?? "the least in its row"}.\n\n");
        Row(text, ["", .. report.Servers.Select(s => s.Name)]);
        Row(text, ["---", .. report.Servers.Select(_ => "--:")]);
        foreach (var scenario in report.Scenarios)
        {
            Row(text, [scenario.Title, .. report.Servers.Select(server => report.Find(server.Name, scenario) is { Cost: { } cost } found
                ? $"{Figures.Short(scenario.IsIdle ? cost / 1024 : cost)} ({Figures.Ratio(found.Ratio)})"
                : Figures.None)]);
        }
        foreach (var scenario in report.Scenarios)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n**{scenario.Name}**: {scenario.Title}\n\n");
            string[] titles = [.. SummaryColumns.Titles(report, scenario)];
            Row(text, titles);
            Row(text, titles.Select((_, i) => i == 0 ? "---" : "--:"));
            foreach (var summary in report.Ranked(scenario)) Row(text, SummaryColumns.Values(scenario, summary));
        }
        return text.ToString();
    }

    private static void Row(StringBuilder text, IEnumerable<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells.Select(c => c.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");
}
