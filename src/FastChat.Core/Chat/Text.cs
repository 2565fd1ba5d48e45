namespace FastChat.Chat;

/// <summary>Small rules about texts.</summary>
internal static class Text
{
    /// <summary>The start of a text, at most so many UTF-16 characters, never half a surrogate pair.</summary>
    public static string Cut(string text, int maxChars)
    {
        if (text.Length <= maxChars)
            return text;
        return text[..(char.IsHighSurrogate(text[maxChars - 1]) ? maxChars - 1 : maxChars)];
    }

    /// <summary>A title made of a first message: its words on one line, cut with an ellipsis.</summary>
    public static string ToTitle(string message, int maxChars)
    {
        // What cannot show in the title need not be split into words.
        string line = string.Join(' ', Cut(message, 8 * maxChars).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= maxChars ? line : Cut(line, maxChars - 1).TrimEnd() + "…";
    }
}
