using System.Text;

namespace FastChat.Compare.Report;

/// <summary>The medians for the terminal.</summary>
internal static class TextTable
{
    public static string Render(ComparisonReport report)
    {
        var text = new StringBuilder();
        foreach (var scenario in report.Scenarios)
        {
            string[][] rows = [[.. SummaryColumns.Titles(report, scenario)], .. report.Ranked(scenario).Select(s => SummaryColumns.Values(scenario, s).ToArray())];
            int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(c => rows.Max(r => r[c].Length))];
            text.AppendLine($"{scenario.Name}: {scenario.Title}");
            foreach (string[] row in rows)
                text.AppendLine("  " + string.Join("  ", row.Select((cell, c) => c == 0 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]))));
            foreach (var failed in report.Ranked(scenario).Where(s => s.Error is not null)) text.AppendLine($"  {failed.Server} failed: {failed.Error}");
            text.AppendLine();
        }
        return text.ToString();
    }
}
