using System.Buffers;

namespace FastChat.Server.Storage.Documents;

/// <summary>A piece of a page.</summary>
internal enum HtmlPiece
{
    /// <summary>The end of the page.</summary>
    End,

    /// <summary>Text, its character references not yet decoded.</summary>
    Text,

    /// <summary>A start tag.</summary>
    Open,

    /// <summary>An end tag.</summary>
    Close,
}

/// <summary>
/// Cuts a page into tags and text as the HTML Standard's tokenizer does, in one pass. It builds no tree: a parser that repairs a page as
/// browsers do can be kept busy for minutes by a few kilobytes of unclosed tags, and what is uploaded is written by anybody.
/// </summary>
internal ref struct HtmlReader(ReadOnlySpan<char> source)
{
    private static readonly SearchValues<char> EndsName = SearchValues.Create(" \t\r\n\f/>");
    private static readonly SearchValues<char> EndsAttributeName = SearchValues.Create(" \t\r\n\f/=");
    private static readonly SearchValues<char> EndsValue = SearchValues.Create(" \t\r\n\f>");

    private ReadOnlySpan<char> _rest = source;
    private string? _raw;

    /// <summary>What the last <see cref="Read"/> found; for a tag, what stands between its name and its end.</summary>
    public ReadOnlySpan<char> Content { get; private set; }

    /// <summary>A tag's name in lower case.</summary>
    public string Name { get; private set; } = "";

    /// <summary>True when <see cref="Content"/> is shown as it stands.</summary>
    public bool IsRaw { get; private set; }

    /// <summary>Reads the next piece.</summary>
    public HtmlPiece Read()
    {
        if (_raw is { } name)
        {
            _raw = null;
            return TextUpTo(EndOfRaw(name), raw: name is not ("title" or "textarea"));
        }
        while (!_rest.IsEmpty)
        {
            int tag = NextTag(_rest);
            if (tag != 0)
                return TextUpTo(tag < 0 ? _rest.Length : tag, raw: false);
            if (char.IsAsciiLetter(_rest[1]) || (_rest[1] == '/' && char.IsAsciiLetter(_rest[2])))
                return ReadTag();
            SkipMarkup();
        }
        return HtmlPiece.End;
    }

    /// <summary>An attribute's value with its character references, found by name; null when it is not there.</summary>
    public readonly string? Attribute(string name)
    {
        var rest = Content;
        while (true)
        {
            rest = rest.TrimStart(" \t\r\n\f/");
            if (rest.IsEmpty)
                return null;
            int nameEnd = rest[1..].IndexOfAny(EndsAttributeName) is var found and >= 0 ? found + 1 : rest.Length;
            bool wanted = rest[..nameEnd].Equals(name, StringComparison.OrdinalIgnoreCase);
            rest = rest[nameEnd..].TrimStart(" \t\r\n\f");
            var value = ReadOnlySpan<char>.Empty;
            if (rest.StartsWith("="))
                rest = rest[(1 + Value(rest[1..], out value))..];
            if (wanted)
                return value.ToString();
        }
    }

    private HtmlPiece TextUpTo(int end, bool raw)
    {
        Content = _rest[..end];
        _rest = _rest[end..];
        IsRaw = raw;
        return HtmlPiece.Text;
    }

    private HtmlPiece ReadTag()
    {
        bool close = _rest[1] == '/';
        var tag = _rest[(close ? 2 : 1)..];
        int nameEnd = tag.IndexOfAny(EndsName) is var found and >= 0 ? found : tag.Length;
        // No element has a longer one.
        Name = nameEnd > 32 ? "" : tag[..nameEnd].ToString().ToLowerInvariant();
        int end = nameEnd + EndOfTag(tag[nameEnd..]);
        Content = tag[nameEnd..end];
        _rest = tag[Math.Min(end + 1, tag.Length)..];
        if (!close && Name is "script" or "style" or "title" or "textarea" or "xmp" or "iframe" or "noembed" or "noframes")
            _raw = Name;
        return close ? HtmlPiece.Close : HtmlPiece.Open;
    }

    // Where the next '<' stands that begins a tag, a comment or the like; -1 for nowhere.
    private static int NextTag(ReadOnlySpan<char> text)
    {
        for (int at = 0; ; at++)
        {
            int next = text[at..].IndexOf('<');
            at += next;
            if (next < 0 || at + 1 >= text.Length)
                return -1;
            if (char.IsAsciiLetter(text[at + 1]) || text[at + 1] is '!' or '?' || (text[at + 1] == '/' && at + 2 < text.Length))
                return at;
        }
    }

    // Comments, doctypes, processing instructions and what else browsers take for a comment.
    private void SkipMarkup()
    {
        bool comment = _rest.StartsWith("<!--");
        int end = comment ? _rest[2..].IndexOf("-->") + 2 : _rest.IndexOf('>');
        _rest = end < (comment ? 2 : 0) ? [] : _rest[(end + (comment ? 3 : 1))..];
    }

    private readonly int EndOfRaw(string name)
    {
        for (int at = 0; ; at += 2)
        {
            int next = _rest[at..].IndexOf("</");
            if (next < 0)
                return _rest.Length;
            at += next;
            if (_rest[(at + 2)..].StartsWith(name, StringComparison.OrdinalIgnoreCase))
                return at;
        }
    }

    // A '>' within a quoted value does not end the tag.
    private static int EndOfTag(ReadOnlySpan<char> rest)
    {
        int at = 0;
        while (at < rest.Length && rest[at] != '>')
        {
            int next = rest[at..].IndexOfAny('=', '>');
            if (next < 0)
                return rest.Length;
            at += next;
            if (rest[at] == '=')
                at += 1 + Value(rest[(at + 1)..], out _);
        }
        return Math.Min(at, rest.Length);
    }

    // Reads a value behind its '='. Returns how much of the text that is.
    private static int Value(ReadOnlySpan<char> rest, out ReadOnlySpan<char> value)
    {
        int start = rest.IndexOfAnyExcept(" \t\r\n\f");
        if (start < 0)
        {
            value = [];
            return rest.Length;
        }
        var text = rest[start..];
        if (text[0] is '"' or '\'')
        {
            int quote = text[1..].IndexOf(text[0]);
            value = quote < 0 ? text[1..] : text[1..(quote + 1)];
            return start + (quote < 0 ? text.Length : quote + 2);
        }
        int end = text.IndexOfAny(EndsValue);
        value = end < 0 ? text : text[..end];
        return start + value.Length;
    }
}
