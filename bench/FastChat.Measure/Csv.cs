using System.Globalization;
using System.Text;

namespace FastChat.Measure;

/// <summary>Tables as RFC 4180 has them, but with the line ends of Unix; numbers with a point.</summary>
internal static class Csv
{
    public static string Write(IEnumerable<string> titles, IEnumerable<IEnumerable<object?>> rows)
    {
        var text = new StringBuilder();
        foreach (var row in rows.Prepend(titles)) text.AppendJoin(',', row.Select(Cell)).Append('\n');
        return text.ToString();
    }

    /// <summary>Quoted where it has to be.</summary>
    private static string Cell(object? value)
    {
        string text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
