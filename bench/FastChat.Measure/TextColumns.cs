namespace FastChat.Measure;

/// <summary>Tables of plain text.</summary>
internal static class TextColumns
{
    /// <summary>Rows of as many cells each as lines: the first column to the left, figures to the right.</summary>
    public static IEnumerable<string> Align(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        int[] widths = [.. Enumerable.Range(0, rows[0].Count).Select(column => rows.Max(row => row[column].Length))];
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
    }
}
