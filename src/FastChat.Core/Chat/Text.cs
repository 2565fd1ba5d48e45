using System.Text;

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

    /// <summary>The start of a text, at most so many bytes of UTF-8, never part of a character.</summary>
    public static string CutToBytes(string text, int maxBytes)
    {
        if (Encoding.UTF8.GetByteCount(text) <= maxBytes)
            return text;
        int bytes = 0, chars = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > maxBytes)
                break;
            chars += rune.Utf16SequenceLength;
        }
        return text[..chars];
    }

    /// <summary>A title made of a first message: its words on one line, cut with an ellipsis.</summary>
    public static string ToTitle(string message, int maxChars)
    {
        // What cannot show in the title need not be split into words.
        string line = string.Join(' ', Cut(message, 8 * maxChars).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= maxChars ? line : Cut(line, maxChars - 1).TrimEnd() + "…";
    }
}
