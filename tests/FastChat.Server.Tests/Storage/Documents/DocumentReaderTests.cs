using System.Text;
using FastChat.Server.Storage.Documents;
using FastChat.Server.Tests.Storage.Contract;
using FastChat.Storage;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.Server.Tests.Storage.Documents;

public sealed class DocumentReaderTests
{
    private static NewDocument Read(string name, string? type, byte[] content) => DocumentReader.Read("u", "b", name, type, content);

    private static string Text(string name, string source, string? type = null) =>
        Read(name, type, Encoding.UTF8.GetBytes(source)).Text.ReplaceLineEndings("\n");

    [Fact]
    public void A_text_file_becomes_a_document()
    {
        var document = Read("C:\\docs\\a.txt", "text/plain; charset=utf-8", "one\r\n\r\ntwo é\r\n"u8.ToArray());
        Assert.Equal(("u", "b", "a.txt", "one\n\ntwo é", "text/plain", 15),
            (document.OwnerId, document.ChatbotId, document.FileName, document.Text, document.ContentType, document.Size));
        Assert.Equal(["one\n\ntwo é"], document.Passages);
    }

    [Theory]
    [InlineData("a.md", null, "text/markdown")]
    [InlineData("a.MD", "application/octet-stream", "text/markdown")]
    [InlineData("a.md", "text/plain", "text/markdown")]
    [InlineData("a.csv", "application/vnd.ms-excel", "text/csv")]
    [InlineData("a.html", "text/markdown", "text/markdown")]
    [InlineData("noname", "application/json; charset=utf-8", "application/json")]
    [InlineData("noname", "TEXT/HTML", "text/html")]
    [InlineData("noname", "text/plain", "text/plain")]
    public void The_format_is_told_by_type_then_by_name(string name, string? type, string expected) =>
        Assert.Equal(expected, DocumentFormat.Of(name, type).MediaTypes[0]);

    [Theory]
    [InlineData("a.pdf", "application/pdf")]
    [InlineData("a.txt", "image/png")]
    [InlineData("a", null)]
    [InlineData("a.docx", "application/octet-stream")]
    public void Another_kind_is_refused_with_the_list_of_what_is_accepted(string name, string? type)
    {
        var refusal = Assert.Throws<DocumentException>(() => DocumentFormat.Of(name, type));
        Assert.True(refusal.Unsupported);
        Assert.Contains("text/plain, text/markdown, text/html, text/csv, application/json", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encodings_are_told_by_mark_header_or_page()
    {
        foreach (var encoding in new Encoding[] { Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode, Encoding.UTF32 })
            Assert.Equal("é東", Read("a.txt", null, [.. encoding.GetPreamble(), .. encoding.GetBytes("é東")]).Text);
        Assert.Equal("é€", Read("a.txt", "text/plain; charset=windows-1252", [0xe9, 0x80]).Text);
        byte[] page = [.. "<meta charset='iso-8859-1'><p>"u8, 0xe9];
        Assert.Equal("é", Read("a.html", null, page).Text);
    }

    [Theory]
    [InlineData(new byte[] { 0x61, 0xff }, null, "not valid UTF-8")]
    [InlineData(new byte[] { 0xc0, 0x80 }, null, "not valid UTF-8")]
    [InlineData(new byte[] { 0x61 }, "text/plain; charset=klingon", "not known")]
    [InlineData(new byte[] { 0x61, 0x00, 0x62 }, null, "not a text file")]
    [InlineData(new byte[] { 0xff, 0xfe, 0x00, 0xd8 }, null, "not valid UTF-16")]
    [InlineData(new byte[0], null, "no text")]
    [InlineData(new byte[] { 0x20, 0x0a }, null, "no text")]
    public void A_broken_file_is_refused_with_a_reason(byte[] content, string? type, string reason)
    {
        var refusal = Assert.Throws<DocumentException>(() => Read("a.txt", type, content));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("dir/")]
    public void A_file_needs_a_name(string name) =>
        Assert.Contains("name", Assert.Throws<DocumentException>(() => Read(name, "text/plain", "x"u8.ToArray())).Message, StringComparison.Ordinal);

    [Fact]
    public void Html_becomes_what_its_reader_sees()
    {
        const string Page =
            """
            <!doctype html><html><head><title>Manual</title><style>p{}</style></head><body>
            <script>alert(1)</script><nav hidden>hidden</nav>
            <h2>The   <em>first</em> part</h2><p>Some <b>bold</b>
               text.<br>Next line</p>
            <ul><li>one<li>two <a href="x">link</a></ul>
            <table><tr><th>Name<th>Age<tr><td>Bob<td>5</table>
            <pre># code
              kept</pre><img alt="a cat" src="x"><p>&lt;tag&gt; &amp; &eacute;</p></body></html>
            """;
        Assert.Equal(
            """
            # Manual

            ## The first part

            Some bold text.
            Next line

            - one
            - two link

            Name | Age
            Bob | 5

            ```
            # code
              kept
            ```

            a cat

            <tag> & é
            """.ReplaceLineEndings("\n"), Text("a.html", Page));
    }

    [Theory]
    [InlineData("<p>a<!-- <p>b --><!doctype x><?x y?></3><!>c", "ac")]
    [InlineData("a < b && c<3 </", "a < b && c<3 </")]
    [InlineData("<img alt='x > y' src=z>a<img src=z/><img alt>", "x > ya")]
    [InlineData("<img title=\"alt='no'\" alt=\"&quot;q&quot;\">", "\"q\"")]
    [InlineData("<script>if (a </b) '</scr'; </SCRIPT >x<style><p>y", "x")]
    [InlineData("<title>a &lt; <b></title>x", "# a < <b>\n\nx")]
    [InlineData("<title>t</title><h1>h</h1>", "# h")]
    [InlineData("<div hidden>a<div>b</div>c</div>d<div data-hidden>e</div>", "d\n\ne")]
    [InlineData("<svg><svg>a</svg>b</svg>c", "c")]
    [InlineData("a<br>b<BR/>c", "a\nb\nc")]
    [InlineData("<ul><li>a<li> <p>b", "- a\n\n- b")]
    [InlineData("<ul><li><b></b>a<li></li></ul>b", "- a\n\nb")]
    [InlineData("<pre>a\n b", "```\na\n b\n```")]
    [InlineData("<x onclick='<p>'>a</x>b", "ab")]
    public void Html_is_cut_into_tags_and_text(string source, string expected) => Assert.Equal(expected, Text("a.html", source));

    [Fact]
    public async Task Hostile_pages_take_no_longer_than_others()
    {
        // Each keeps a parser busy that repairs pages, or compares each bracket with all before it, for minutes or hours.
        string tags = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"<b a{i}><p>x"));
        string deep = string.Concat(Enumerable.Repeat("<div>", 500_000)) + "deep";
        string brackets = string.Concat(Enumerable.Repeat("[a](*b", 200_000));
        var reading = Task.Run(() => (Text("a.html", tags), Text("a.html", deep), Text("a.md", brackets)), TestContext.Current.CancellationToken);
        var (_, text, markdown) = await reading.Soon();
        Assert.Equal("deep", text);
        Assert.Equal(brackets, markdown);
    }

    [Fact]
    public void Whatever_a_page_is_it_is_read() =>
        Prop.ForAll(
            Gen.Elements("<", ">", "</", "<!", "<!--", "-->", "<p", "<pre>", "</pre>", "<script>", "</script>", "=", "'", "\"", " ", "alt", "a", "<img ",
                "<svg>", "</svg>", "&amp;", "&#", "\n", "/", "<title>", "<td>", "<h2>").ListOf().Select(string.Concat).ToArbitrary(),
            source => HtmlText.Read(source) is not null).QuickCheckThrowOnFailure();

    [Fact]
    public void Markdown_becomes_what_its_reader_sees()
    {
        const string Source =
            """
            ---
            author: somebody
            ---
            # Title

            A *paragraph* with a [link](https://example.com/a/b/c).
            - [x] done
            - todo

            | a | b |
            |---|---|
            | 1 | 2 |

            ```sh
            # not a heading
            ```
            <script>alert(1)</script>
            """;
        Assert.Equal("# Title\n\nA paragraph with a link.\n\n- done\n- todo\n\na | b\n1 | 2\n\n```\n# not a heading\n```", Text("a.md", Source));
    }

    [Fact]
    public void Markdown_nested_too_deeply_is_kept_as_it_is()
    {
        string source = new string('>', 10_000) + " x";
        Assert.Equal(source, Text("a.md", source));
    }

    [Theory]
    [InlineData("name,age\nBob,5\n\"Eve \"\"E\"\"\nTwo\",\n", "name: Bob; age: 5\nname: Eve \"E\" Two")]
    [InlineData("name;age\nBob;5,5", "name: Bob; age: 5,5")]
    [InlineData("name\tage\nBob\t5", "name: Bob; age: 5")]
    [InlineData("name,\nBob,5,extra", "name: Bob; column 2: 5; column 3: extra")]
    [InlineData("only,a,header", "only; a; header")]
    [InlineData("a,b\n1,x\"y\"z", "a: 1; b: x\"y\"z")]
    public void Csv_becomes_rows_that_say_what_their_values_are(string source, string expected) => Assert.Equal(expected, Text("a.csv", source));

    [Theory]
    [InlineData("""{"a":1,"b":"x\ny","c":{"d":[1,"two",null,true],"e":[{"f":1.50},{"f":2}]}}""",
        "a: 1; b: x y\nc.d: 1; two; null; true\nc.e[1]: f: 1.50\nc.e[2]: f: 2")]
    [InlineData("""["x",["y"]]""", "x\n[2]: y")]
    [InlineData("\"text\"", "text")]
    public void Json_becomes_lines_that_say_what_their_values_are(string source, string expected) => Assert.Equal(expected, Text("a.json", source));

    [Theory]
    [InlineData("{\n\"a\":", "line 2")]
    [InlineData("{} {}", "line 1")]
    [InlineData("\"\\ud800\"", "not valid text")]
    public void Json_that_is_none_is_refused(string source, string reason) =>
        Assert.Contains(reason, Assert.Throws<DocumentException>(() => Text("a.json", source)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_name_repeated_for_very_many_values_does_not_fill_the_memory()
    {
        string name = new('n', 300_000);
        string rows = string.Concat(Enumerable.Repeat("1\n", 150_000)), items = string.Join(',', Enumerable.Repeat("[1]", 100_000));
        string csv = Text("a.csv", $"{name}\n{rows}"), json = Text("a.json", $"{{\"{name}\":[{items}]}}");
        Assert.InRange(csv.Length, 300_000, 4_000_000);
        Assert.InRange(json.Length, 200_000, 4_000_000);
        Assert.EndsWith("\n1\n1", csv, StringComparison.Ordinal);
        Assert.EndsWith("\n1\n1", json, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_nested_too_deeply_is_refused() =>
        Assert.Throws<DocumentException>(() => Text("a.json", new string('[', 100_000)));

    [Fact]
    public void An_empty_container_has_no_text() => Assert.Throws<DocumentException>(() => Text("a.json", "{\"a\":[]}"));
}
