using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace FastChat.Server.Storage.Documents;

/// <summary>A table as text: each row a line of <c>column: value</c>, so that a passage of rows says what its values are.</summary>
internal static class CsvText
{
    public static string Read(string source)
    {
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            DetectDelimiter = true,
            DetectDelimiterValues = [",", ";", "\t", "|"],
            BadDataFound = null, // stray quotes are text
            TrimOptions = TrimOptions.Trim,
        };
        using var reader = new StringReader(source);
        using var parser = new CsvParser(reader, configuration);
        string[]? columns = null;
        var text = new StringBuilder();
        while (parser.Read())
        {
            string[] row = parser.Record!;
            if (columns is null)
                columns = Array.ConvertAll(row, Labels.Short);
            else
                Write(text, columns, row, Labels.Fit(text.Length, source.Length));
        }
        // A header alone is still its words (of a usual length).
        return text.Length > 0 || columns is null ? text.ToString() : string.Join("; ", columns);
    }

    private static void Write(StringBuilder text, string[] columns, string[] row, bool named)
    {
        bool any = false;
        for (int i = 0; i < row.Length; i++)
        {
            string value = row[i].ReplaceLineEndings(" ");
            if (string.IsNullOrWhiteSpace(value))
                continue;
            string column = i < columns.Length && !string.IsNullOrWhiteSpace(columns[i])
                ? columns[i]
                : string.Create(CultureInfo.InvariantCulture, $"column {i + 1}");
            text.Append(any ? "; " : "");
            if (named)
                text.Append(column).Append(": ");
            text.Append(value);
            any = true;
        }
        if (any)
            text.Append('\n');
    }
}
