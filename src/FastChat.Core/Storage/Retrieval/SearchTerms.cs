using System.Globalization;
using System.Text;

namespace FastChat.Storage.Retrieval;

/// <summary>A searchable word of a text.</summary>
/// <param name="Text">The word, folded: lower case, Latin letters without diacritics, no character that a query syntax could give meaning to.</param>
/// <param name="Start">Where it starts in the text, in UTF-16 units.</param>
public readonly record struct SearchTerm(string Text, int Start);

/// <summary>
/// Breaks texts and queries into the words that stores index, so that all stores find the same things. Letters and digits form words;
/// scripts written without spaces (Han, kana, Thai, ...) are indexed as overlapping pairs of characters; each emoji is a word.
/// </summary>
public static class SearchTerms
{
    private const int MaxTermLength = 64;

    /// <summary>How many distinct words of a query count; the rest is ignored, so that a pasted page is a cheap query, too.</summary>
    private const int MaxQueryTerms = 32;

    /// <summary>Base letters of U+0100 to U+017F (Latin Extended-A), by code point.</summary>
    private const string LatinExtendedA =
        "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiĳĳjjkkkllllllllllnnnnnnnnnoooooo\u0153\u0153rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

    /// <summary>Base letters of U+00E0 to U+00FF, by code point.</summary>
    private const string Latin1 = "aaaaaa\u00e6ceeeeiiii\u00f0nooooo\u00f7ouuuuy\u00fey";

    // Words that a question contains whatever it is about.
    private static readonly HashSet<string> StopWords =
    [
        "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does", "for", "from",
        "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "please",
        "s", "should", "so", "some", "t", "tell", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
        "to", "us", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
    ];

    /// <summary>The words of a text, in order, as they are indexed. Lazy.</summary>
    public static IEnumerable<SearchTerm> Of(string text) => Read(text, query: false);

    /// <summary>The words of a text as one line for an index of messages and titles.</summary>
    public static string ForIndex(string text) => string.Join(' ', Of(text).Select(term => term.Text));

    /// <summary>The words of a passage as one line for an index of passages: <see cref="ForIndex"/>, without English plural endings.</summary>
    public static string ForPassageIndex(string text) => string.Join(' ', Of(text).Select(term => Stem(term.Text)));

    /// <summary>The distinct words of a search, each of which must be the start of a word of what is found. Empty when there is none.</summary>
    public static IReadOnlyList<string> OfQuery(string query) =>
        [.. Read(query, query: true).Select(term => term.Text).Distinct().Take(MaxQueryTerms)];

    /// <summary>
    /// The distinct words that a question is about, to be compared with <see cref="ForPassageIndex"/>: without the words that every
    /// question contains, unless it has no others.
    /// </summary>
    public static IReadOnlyList<string> OfQuestion(string question)
    {
        var words = Read(question, query: true).Select(term => term.Text).Distinct().ToList();
        var meaningful = words.Where(word => !StopWords.Contains(word)).ToList();
        return [.. (meaningful.Count > 0 ? meaningful : words).Select(Stem).Distinct().Take(MaxQueryTerms)];
    }

    /// <summary>English plural endings only: what taking them off does to other languages is next to nothing.</summary>
    internal static string Stem(string word) => word switch
    {
        { Length: < 4 } => word,
        _ when word.EndsWith("ies", StringComparison.Ordinal) => word[..^3] + "y",
        _ when word.EndsWith("xes", StringComparison.Ordinal) || word.EndsWith("sses", StringComparison.Ordinal)
            || word.EndsWith("shes", StringComparison.Ordinal) => word[..^2],
        _ when word[^1] == 's' && word[^2] is not ('u' or 's' or 'i') => word[..^1],
        _ => word,
    };

    private enum Kind { Separator, Word, Mark, Unspaced, Symbol }

    private static IEnumerable<SearchTerm> Read(string text, bool query)
    {
        var word = new StringBuilder();
        int wordStart = 0;
        string? unspaced = null; // the character before, in a run without spaces
        int unspacedStart = 0;
        bool lone = false;       // that run holds one character so far
        int at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            int start = at;
            at += rune.Utf16SequenceLength;
            var kind = Classify(rune);
            if (kind == Kind.Mark && (word.Length == 0 || rune.Value is >= 0x300 and <= 0x36f))
                continue;
            bool inWord = kind is Kind.Word or Kind.Mark;
            if (!inWord && word.Length > 0)
            {
                yield return new SearchTerm(word.ToString(), wordStart);
                word.Clear();
            }
            if (kind != Kind.Unspaced && unspaced is not null)
            {
                // The last character stands alone as well: a search for it must find it. A query wants it only when it has no pair.
                if (lone || !query)
                    yield return new SearchTerm(unspaced, unspacedStart);
                unspaced = null;
            }
            if (inWord)
            {
                if (word.Length == 0)
                    wordStart = start;
                if (word.Length < MaxTermLength)
                    Fold(rune, word);
            }
            else if (kind == Kind.Unspaced)
            {
                string character = rune.ToString();
                if (unspaced is not null)
                    yield return new SearchTerm(unspaced + character, unspacedStart);
                lone = unspaced is null;
                (unspaced, unspacedStart) = (character, start);
            }
            else if (kind == Kind.Symbol)
            {
                yield return new SearchTerm(rune.ToString(), start);
            }
        }
        if (word.Length > 0)
            yield return new SearchTerm(word.ToString(), wordStart);
        if (unspaced is not null && (lone || !query))
            yield return new SearchTerm(unspaced, unspacedStart);
    }

    private static Kind Classify(Rune rune)
    {
        if (rune.IsAscii)
            return char.IsAsciiLetterOrDigit((char)rune.Value) ? Kind.Word : Kind.Separator;
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.ModifierLetter or UnicodeCategory.LetterNumber when IsUnspaced(rune.Value) => Kind.Unspaced,
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => Kind.Mark,
            UnicodeCategory.OtherSymbol when rune.Value != 0xfffd => Kind.Symbol,
            _ => Rune.IsLetterOrDigit(rune) || Rune.IsNumber(rune) ? Kind.Word : Kind.Separator,
        };
    }

    // Thai, Lao, Myanmar, Khmer; then kana, bopomofo and Han with their extensions. Hangul is written with spaces.
    private static bool IsUnspaced(int rune) => rune is >= 0x0e00 and <= 0x0eff or >= 0x1000 and <= 0x109f or >= 0x1780 and <= 0x17ff
        or >= 0x3005 and <= 0x312f or >= 0x31a0 and <= 0x31ff or >= 0x3400 and <= 0x4dbf or >= 0x4e00 and <= 0x9fff
        or >= 0xf900 and <= 0xfaff or >= 0xff66 and <= 0xff9f or >= 0x20000 and <= 0x3ffff;

    private static void Fold(Rune rune, StringBuilder word)
    {
        // Full-width forms of ASCII are the same letters.
        if (rune.Value is >= 0xff01 and <= 0xff5e)
            rune = new Rune(rune.Value - 0xfee0);
        rune = Rune.ToLowerInvariant(rune);
        switch (rune.Value)
        {
            case 0xdf:
                word.Append("ss");
                break;
            case >= 0xe0 and <= 0xff:
                word.Append(Latin1[rune.Value - 0xe0]);
                break;
            case >= 0x100 and <= 0x17f:
                word.Append(LatinExtendedA[rune.Value - 0x100]);
                break;
            default:
                word.Append(rune);
                break;
        }
    }
}
