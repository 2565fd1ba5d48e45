using System.Net;
using System.Text;

namespace FastChat.Server.Storage.Documents;

/// <summary>A page's visible text: headings and lists with Markdown's marks, a table's row a line, no scripts.</summary>
internal static class HtmlText
{
    // What these hold is not read. All of them need an end tag; without one the rest of the page is theirs, as in a browser.
    private static readonly HashSet<string> Skipped =
        ["script", "style", "template", "noscript", "svg", "math", "iframe", "object", "canvas", "select", "button", "dialog", "noembed", "noframes"];

    // With the attribute `hidden` these are not read either; elements whose end tag may be left out are not among them.
    private static readonly HashSet<string> Hideable = ["div", "section", "article", "aside", "nav", "header", "footer", "main", "form", "span"];

    private static readonly HashSet<string> Blocks =
    [
        "address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure",
        "footer", "form", "header", "hr", "main", "nav", "ol", "p", "section", "summary", "table", "ul",
    ];

    public static string Read(string source)
    {
        var reader = new HtmlReader(source);
        var text = new Writer();
        string title = "";
        string? skipped = null; // the outermost element that is not read, and how often it is open
        int depth = 0;
        bool inTitle = false, headed = false;
        while (reader.Read() is var piece && piece != HtmlPiece.End)
        {
            if (skipped is not null)
            {
                if (piece != HtmlPiece.Text && reader.Name == skipped && (depth += piece == HtmlPiece.Open ? 1 : -1) == 0)
                    skipped = null;
            }
            else if (piece == HtmlPiece.Text)
            {
                string words = reader.IsRaw ? reader.Content.ToString() : WebUtility.HtmlDecode(reader.Content.ToString());
                if (inTitle)
                    title = words;
                else
                    text.Text(words);
            }
            else if (piece == HtmlPiece.Open && IsSkipped(reader))
            {
                (skipped, depth) = (reader.Name, 1);
            }
            else
            {
                inTitle = piece == HtmlPiece.Open && reader.Name == "title";
                headed |= reader.Name == "h1";
                if (piece == HtmlPiece.Open)
                    Open(reader, text);
                else
                    Close(reader.Name, text);
            }
        }
        string body = text.ToString();
        title = string.Join(' ', title.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return headed || title.Length == 0 ? body : $"# {title}\n\n{body}";
    }

    private static bool IsSkipped(HtmlReader reader) =>
        Skipped.Contains(reader.Name) || (Hideable.Contains(reader.Name) && reader.Attribute("hidden") is not null);

    private static void Open(HtmlReader reader, Writer text)
    {
        string name = reader.Name;
        if (name is ['h', >= '1' and <= '6'])
            text.Break(2, new string('#', name[1] - '0') + " ");
        else if (name == "pre")
            text.OpenFence();
        else if (Blocks.Contains(name))
            text.Break(2);
        else if (name is "br" or "tr")
            text.Break(1);
        else if (name == "li")
            text.Break(1, "- ");
        else if (name is "td" or "th")
            text.Cell();
        else if (name == "img")
            text.Text(WebUtility.HtmlDecode(reader.Attribute("alt")) ?? "");
    }

    private static void Close(string name, Writer text)
    {
        bool marked = name is "li" or ['h', >= '1' and <= '6'];
        if (marked)
            text.DropMark();
        if (name == "pre")
            text.CloseFence();
        else if (Blocks.Contains(name) || (marked && name != "li"))
            text.Break(2);
        else if (name is "li" or "tr" or "caption")
            text.Break(1);
    }

    /// <summary>Collapses white space as a browser does, and breaks lines where something follows.</summary>
    private sealed class Writer
    {
        private readonly StringBuilder _text = new();
        private string _mark = "";
        private int _breaks;
        private bool _space, _row, _verbatim;

        public void Break(int lines, string mark = "")
        {
            if (_verbatim)
                return;
            (_breaks, _row) = (Math.Max(_breaks, lines), false);
            if (mark.Length > 0)
                _mark = mark; // else a paragraph in a list's item keeps the item's
        }

        /// <summary>What a mark was waiting for did not come.</summary>
        public void DropMark() => _mark = "";

        /// <summary>A cell of a table: separated from the one before in its row.</summary>
        public void Cell()
        {
            _space = false;
            if (_row && !_verbatim)
                Append(" | ");
            _row = true;
        }

        public void OpenFence()
        {
            Break(2);
            Append("```\n");
            _verbatim = true;
        }

        public void CloseFence()
        {
            if (!_verbatim)
                return;
            _verbatim = false;
            Append(_text[^1] == '\n' ? "```" : "\n```");
            Break(2);
        }

        public void Text(string words)
        {
            if (_verbatim)
            {
                Append(words);
                return;
            }
            foreach (var word in words.AsSpan().SplitAny(" \t\r\n\f\u00a0"))
            {
                _space |= word.Start.Value > 0;
                if (word.Start.Value != word.End.Value)
                    Append(words.AsSpan(word));
            }
        }

        public override string ToString()
        {
            if (_verbatim)
                CloseFence();
            return _text.ToString();
        }

        // Writes the breaks, the mark and the space that wait for something to follow them.
        private void Append(ReadOnlySpan<char> words)
        {
            if (_breaks > 0 && _text.Length > 0)
                _text.Append('\n', _breaks);
            else if (_space && _breaks == 0 && _text.Length > 0)
                _text.Append(' ');
            _text.Append(_mark).Append(words);
            (_breaks, _space, _mark) = (0, false, "");
        }
    }
}
