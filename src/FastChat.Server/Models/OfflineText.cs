using System.Collections.Frozen;
using System.Text;

namespace FastChat.Server.Models;

/// <summary>Words and sentences, as far as the offline model understands them.</summary>
internal static class OfflineText
{
    private static readonly FrozenSet<string> Common = new[]
    {
        "a", "about", "an", "and", "any", "are", "as", "at", "be", "by", "can", "could", "did", "do", "does", "for", "from", "give", "has",
        "have", "how", "i", "if", "in", "is", "it", "its", "many", "may", "me", "much", "my", "of", "on", "or", "our", "please", "say",
        "should", "show", "tell", "that", "the", "their", "there", "these", "they", "this", "to", "us", "was", "we", "were", "what",
        "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The end of the word that starts at <paramref name="start"/>, with the white space after it.</summary>
    public static int EndOfWord(string text, int start)
    {
        int at = start;
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
        while (at < text.Length && !char.IsWhiteSpace(text[at])) at++;
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
        return at;
    }

    public static int CountWords(string text)
    {
        int words = 0;
        for (int at = 0; at < text.Length; at = EndOfWord(text, at)) words++;
        return words;
    }

    /// <summary>The words that carry meaning, in lower case and without a plural's s.</summary>
    public static HashSet<string> Terms(string text)
    {
        var terms = new HashSet<string>(StringComparer.Ordinal);
        var word = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune)) word.Append(Rune.ToLowerInvariant(rune));
            else Take();
        }
        Take();
        return terms;

        void Take()
        {
            string term = word.ToString();
            word.Clear();
            if (term.Length == 0 || Common.Contains(term)) return;
            terms.Add(term.Length > 3 && term.EndsWith('s') ? term[..^1] : term);
        }
    }

    /// <summary>Sentences and lines, trimmed; none is empty.</summary>
    public static IEnumerable<string> Sentences(string text)
    {
        int start = 0;
        for (int at = 0; at <= text.Length; at++)
        {
            bool line = at == text.Length || text[at] is '\n' or '\r';
            // A full stop ends a sentence only before white space: 3.5 and example.com stay whole.
            bool stop = !line && text[at] is '.' or '!' or '?' or '。' && (at + 1 == text.Length || char.IsWhiteSpace(text[at + 1]) || text[at] == '。');
            if (!line && !stop) continue;
            string sentence = text[start..(stop ? at + 1 : at)].Trim();
            start = at + 1;
            if (sentence.Length > 0) yield return sentence;
        }
    }

    /// <summary>At most <paramref name="most"/> characters on one line, cut between characters.</summary>
    public static string Shorten(string text, int most)
    {
        string line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (line.Length <= most) return line;
        int end = char.IsLowSurrogate(line[most - 1]) && char.IsHighSurrogate(line[most - 2]) ? most - 2 : most - 1;
        return line[..end].TrimEnd() + "…";
    }
}
