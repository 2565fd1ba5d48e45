using System.Globalization;

namespace FastChat.Storage.Retrieval;

/// <summary>Short pieces of a text to show beside a search result.</summary>
public static class Snippet
{
    private const int Lead = 40;

    /// <summary>
    /// The piece of <paramref name="text"/> around the first word that starts with one of <paramref name="terms"/> (of
    /// <see cref="SearchTerms.OfQuery"/>), else its beginning: one line, at most <paramref name="length"/> UTF-16 units and two ellipses.
    /// </summary>
    public static string Around(string text, IReadOnlyList<string> terms, int length = 160)
    {
        int hit = 0;
        foreach (var (term, start) in SearchTerms.Of(text))
        {
            if (!terms.Any(wanted => term.StartsWith(wanted, StringComparison.Ordinal)))
                continue;
            hit = start;
            break;
        }
        int from = hit <= Lead ? 0 : After(text, hit - Lead, hit);
        int to = text.Length - from <= length ? text.Length : Before(text, from, from + length);
        string piece = string.Join(' ', text[from..to].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return (from > 0 ? "…" : "") + piece + (to < text.Length ? "…" : "");
    }

    // The first place from `at` where a word starts, at the latest `limit`, which is one.
    private static int After(string text, int at, int limit)
    {
        while (at < limit && !char.IsWhiteSpace(text[at - 1]))
            at++;
        return at;
    }

    // The last place up to `limit` where a word ends; in a text without spaces, where a character as the reader sees it ends.
    private static int Before(string text, int from, int limit)
    {
        for (int at = limit; at > from + (limit - from) / 2; at--)
            if (char.IsWhiteSpace(text[at]))
                return at;
        int end = from;
        while (end < text.Length && StringInfo.GetNextTextElementLength(text.AsSpan(end)) is var next && end + next <= limit)
            end += next;
        return end;
    }
}
