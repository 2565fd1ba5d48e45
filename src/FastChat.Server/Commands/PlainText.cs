namespace FastChat.Server.Commands;

/// <summary>Text of others on its way to a terminal, which would obey the control characters in it.</summary>
internal static class PlainText
{
    /// <summary>Takes out control characters other than line ends and tabs.</summary>
    public static string Printable(string text) => Filter(text, static c => !char.IsControl(c) || c is '\n' or '\t');

    /// <summary>Takes out every control character.</summary>
    public static string OneLine(string text) => Filter(text, static c => !char.IsControl(c));

    private static string Filter(string text, Func<char, bool> keep) => text.All(keep) ? text : new string([.. text.Where(keep)]);
}
