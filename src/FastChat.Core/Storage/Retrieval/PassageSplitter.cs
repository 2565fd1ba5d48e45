using System.Buffers;
using System.Globalization;

namespace FastChat.Storage.Retrieval;

/// <summary>
/// Splits a document into passages: first at headings (Markdown's <c>#</c> lines), then, where a section is too long, at the ends of
/// paragraphs, lines, sentences or words, whichever leaves the passage at least half full. A passage begins with its section's heading.
/// One that does not begin with a line repeats the end of the one before. No character as the reader sees it is cut in two, unless it
/// alone is too long for a passage.
/// </summary>
public static class PassageSplitter
{
    /// <summary>Length of a passage at most, in UTF-16 units, when nothing else is said: about 300 tokens of English.</summary>
    public const int DefaultMaxLength = 1200;

    private const int MinMaxLength = 64;

    /// <summary>What ends a sentence, when white space or the end follows; the full-width ones need none.</summary>
    private static readonly SearchValues<char> SentenceEnds = SearchValues.Create(".!?。！？");

    /// <summary>Splits a text.</summary>
    /// <param name="text">Plain text or Markdown.</param>
    /// <param name="maxLength">Length of a passage at most, in UTF-16 units, at least 64.</param>
    /// <returns>The passages in order, none of them blank; none for a blank text.</returns>
    public static IReadOnlyList<string> Split(string text, int maxLength = DefaultMaxLength)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, MinMaxLength);
        text = text.ReplaceLineEndings("\n");
        var passages = new List<string>();
        foreach (var (heading, body) in Sections(text))
            SplitSection(heading, body, maxLength, passages);
        return passages;
    }

    private static IEnumerable<(string Heading, string Body)> Sections(string text)
    {
        string heading = "";
        int bodyStart = 0, at = 0;
        bool fenced = false;
        while (at < text.Length)
        {
            int end = text.IndexOf('\n', at) is var found and >= 0 ? found : text.Length;
            if (text.AsSpan(at).StartsWith("```"))
                fenced = !fenced; // within a code block '#' starts a comment
            if (!fenced && IsHeading(text.AsSpan(at, end - at)))
            {
                if (!string.IsNullOrWhiteSpace(text[bodyStart..at]) || heading.Length > 0)
                    yield return (heading, text[bodyStart..at]);
                heading = text[at..end].Trim();
                bodyStart = Math.Min(end + 1, text.Length);
            }
            at = end + 1;
        }
        yield return (heading, text[bodyStart..]);
    }

    private static bool IsHeading(ReadOnlySpan<char> line)
    {
        int level = line.IndexOfAnyExcept('#');
        return level is >= 1 and <= 6 && line[level] == ' ' && !line[level..].IsWhiteSpace();
    }

    private static void SplitSection(string heading, string body, int maxLength, List<string> passages)
    {
        body = body.Trim();
        // A "heading" of many lines' length is text.
        if (heading.Length > maxLength / 4)
            (heading, body) = ("", heading + "\n" + body);
        string lead = heading.Length == 0 ? "" : heading + "\n";
        if (body.Length == 0)
        {
            if (heading.Length > 0)
                passages.Add(heading);
            return;
        }
        int budget = maxLength - lead.Length, start = 0;
        while (start < body.Length)
        {
            int end = body.Length - start <= budget ? body.Length : Cut(body, start, budget);
            string passage = body[start..end].Trim();
            if (passage.Length > 0)
                passages.Add(lead + passage);
            start = end == body.Length ? end : NextStart(body, end, budget / 8);
        }
    }

    private static int Cut(string body, int start, int budget)
    {
        int from = start + budget / 2;
        var window = body.AsSpan(from, start + budget - from);
        if (window.LastIndexOf("\n\n") is var paragraph and >= 0)
            return from + paragraph + 2;
        if (window.LastIndexOf('\n') is var line and >= 0)
            return from + line + 1;
        for (int at = window.Length - 1; at >= 0; at--)
            if (EndsSentence(body, from + at))
                return from + at + 1;
        for (int at = window.Length - 1; at >= 0; at--)
            if (char.IsWhiteSpace(window[at]))
                return from + at + 1;
        return CutText(body, start, budget);
    }

    // No place to break: take as many whole characters as the reader sees them as fit.
    private static int CutText(string body, int start, int budget)
    {
        int end = start;
        while (StringInfo.GetNextTextElementLength(body.AsSpan(end)) is var next && end + next <= start + budget)
            end += next;
        if (end >= start + budget / 2)
            return end;
        end = start + budget; // one "character" fills the passage: keep at least its surrogates together
        return char.IsLowSurrogate(body[end]) && char.IsHighSurrogate(body[end - 1]) ? end - 1 : end;
    }

    // Where the next passage starts: a sentence, else a word, in the last part of the one before; after a line, right there.
    private static int NextStart(string body, int end, int overlap)
    {
        if (body[end - 1] == '\n')
            return end;
        int from = end - overlap;
        for (int at = from; at < end - 1; at++)
            if (EndsSentence(body, at) || body[at] == '\n')
                return at + 1;
        for (int at = from; at < end - 1; at++)
            if (char.IsWhiteSpace(body[at]))
                return at + 1;
        return end;
    }

    private static bool EndsSentence(string text, int at) =>
        SentenceEnds.Contains(text[at]) && (text[at] > 0x7f || at + 1 == text.Length || char.IsWhiteSpace(text[at + 1]));
}
