using System.Text;

namespace FastChat.Compare.Report;

/// <summary>The medians for the terminal.</summary>
internal static class TextTable
{
    public static string Render(ComparisonReport report)
    {
        var text = new StringBuilder();
        foreach (var scenario in report.Scenarios.Where(s => report.Ranked(s).Count > 0))
        {
            string[][] rows = [[.. SummaryColumns.Titles(report, scenario)], .. report.Ranked(scenario).Select(s => SummaryColumns.Values(scenario, s).ToArray())];
            text.AppendLine($"{scenario.Name}: {scenario.Title}");
            foreach (string line in TextColumns.Align(rows)) text.AppendLine($"  {line}");
            foreach (var failed in report.Ranked(scenario).Where(s => s.Error is not null)) text.AppendLine($"  {failed.Server} failed: {failed.Error}");
            text.AppendLine();
        }
        return text.ToString();
    }
}
