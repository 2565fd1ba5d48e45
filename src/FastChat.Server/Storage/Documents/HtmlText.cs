using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;

namespace FastChat.Server.Storage.Documents;

/// <summary>
/// A page's visible text: headings and lists with Markdown's marks, a table's row a line, no scripts. Walks the tree without recursion: a
/// page may be nested as deeply as it likes.
/// </summary>
internal static class HtmlText
{
    private static readonly HashSet<string> Skipped =
        ["script", "style", "template", "noscript", "head", "svg", "iframe", "object", "canvas", "select", "button", "dialog"];

    private static readonly HashSet<string> Blocks =
    [
        "address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer",
        "form", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "ul",
    ];

    public static string Read(string source)
    {
        var document = new HtmlParser().ParseDocument(source);
        var text = new Writer();
        if (document.Title is { Length: > 0 } title && document.QuerySelector("h1") is null)
            text.Block("# ").Text(title);
        INode? node = document.Body;
        while (node is not null)
        {
            bool into = Enter(node, text);
            if (into && node.FirstChild is { } child)
            {
                node = child;
                continue;
            }
            if (into)
                Leave(node, text);
            while (node is not null && node != document.Body && node.NextSibling is null)
            {
                node = node.Parent;
                if (node is not null)
                    Leave(node, text);
            }
            node = node == document.Body ? null : node?.NextSibling;
        }
        return text.ToString();
    }

    // False when what is inside is not to be read.
    private static bool Enter(INode node, Writer text)
    {
        if (node is IText words)
            text.Text(words.Data);
        if (node is not IElement element)
            return false;
        string name = element.LocalName;
        if (Skipped.Contains(name) || element.HasAttribute("hidden"))
            return false;
        if (name is ['h', >= '1' and <= '6'])
            text.Block(new string('#', name[1] - '0') + " ");
        else if (name == "pre")
            text.Block("```\n").Verbatim = true;
        else if (Blocks.Contains(name))
            text.Block();
        else if (name == "br")
            text.Line();
        else if (name == "tr")
            text.Line();
        else if (name == "li")
            text.Line("- ");
        else if (name is "td" or "th" && element.PreviousElementSibling is not null)
            text.Text(" | ");
        else if (name == "img")
            text.Text(element.GetAttribute("alt") ?? "");
        return true;
    }

    private static void Leave(INode node, Writer text)
    {
        if (node is not IElement { LocalName: var name })
            return;
        if (name == "pre")
        {
            text.Verbatim = false;
            text.Line("```");
        }
        if (Blocks.Contains(name) || name is ['h', >= '1' and <= '6'])
            text.Block();
        else if (name is "li" or "tr" or "caption")
            text.Line();
    }

    /// <summary>Collapses white space as a browser does, and breaks lines where something follows.</summary>
    private sealed class Writer
    {
        private readonly StringBuilder _text = new();
        private string _mark = "";
        private int _breaks;
        private bool _space;

        /// <summary>Within <c>pre</c>: white space stays.</summary>
        public bool Verbatim { get; set; }

        public Writer Block(string mark = "") => Break(2, mark);

        public Writer Line(string mark = "") => Break(1, mark);

        public void Text(string words)
        {
            foreach (char c in words)
            {
                if (!Verbatim && char.IsWhiteSpace(c))
                {
                    _space = true;
                    continue;
                }
                Open();
                _text.Append(c);
            }
        }

        public override string ToString() => _text.ToString();

        private Writer Break(int lines, string mark)
        {
            _breaks = Math.Max(_breaks, lines);
            if (mark == "```" || mark.EndsWith('\n'))
            {
                // A fence stands even around nothing: its other half will come, or came.
                if (mark == "```" && _text[^1] == '\n')
                    _breaks = 0;
                Open();
                _text.Append(mark);
                _breaks = mark == "```" ? 2 : 0;
            }
            else if (mark.Length > 0)
            {
                _mark = mark;
            }
            return this;
        }

        // Writes the breaks, the mark and the space that wait for something to follow them.
        private void Open()
        {
            if (_breaks > 0 && _text.Length > 0)
                _text.Append('\n', _breaks);
            else if (_space && _breaks == 0 && _text.Length > 0)
                _text.Append(' ');
            _text.Append(_mark);
            (_breaks, _space, _mark) = (0, false, "");
        }
    }
}
