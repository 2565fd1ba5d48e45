using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FastChat.Browser.Tests;

public sealed class MarkdownTests(BrowserHost host)
{
    private const string Everything =
        """"
        # One
        A *paragraph* with **bold**, ***both***, ~~struck~~, `code`, snake_case_name and 2 * 3 * 4.
        It goes on here.

        > Quoted **text**
        > > and deeper

        1. First
           - inner `one`
           - inner two

             with a paragraph
        2. Second

        - [link](https://example.com/a_(b)) and https://example.com/x_y.
        - ![picture](https://example.com/p.png)

        | a | b | c |
        | :-- | :-: | --: |
        | 1 | `x\|y` | 3 |

        ```csharp
        var text = """a *b* <c>""";

        Console.WriteLine(text);
        ```
        ***
        2024 was a year, not a list. \*Not emphasis\*
        ## Last
        """";

    [Fact]
    public async Task Text_that_comes_piece_by_piece_looks_like_text_that_came_at_once()
    {
        await using var visitor = await host.OpenAsync();
        string[] shown = await visitor.Page.EvaluateAsync<string[]>("""
            async text => {
              const { MarkdownView } = await import('/js/markdown/view.js');
              const pieces = document.createElement('div');
              const growing = new MarkdownView(pieces);
              for (let end = 1; end <= text.length; end++) growing.set(text.slice(0, end), true);
              growing.set(text, false);
              const whole = document.createElement('div');
              new MarkdownView(whole).set(text, false);
              return [pieces.innerHTML, whole.innerHTML];
            }
            """, Everything);

        Assert.Equal(shown[1], shown[0]);
        foreach (string part in (string[])
            [
                "<h3>One</h3>", "<strong>bold</strong>", "<strong><em>both</em></strong>", "<del>struck</del>", "snake_case_name and 2 * 3 * 4", "<li><p>inner two</p><p>with a paragraph</p></li>",
                "<blockquote><p>and deeper</p></blockquote>", "href=\"https://example.com/a_(b)\"", "<td class=\"align-center\"><code>x|y</code></td>",
                "var text = \"\"\"a *b* &lt;c&gt;\"\"\";\n\nConsole.WriteLine(text);", "<hr>", "<p>2024 was a year, not a list. *Not emphasis*</p>", "<h4>Last</h4>",
            ])
            Assert.Contains(part, shown[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_finished_is_not_touched_again()
    {
        await using var visitor = await host.OpenAsync();
        int touched = await visitor.Page.EvaluateAsync<int>("""
            async () => {
              const { MarkdownView } = await import('/js/markdown/view.js');
              const root = document.createElement('div');
              const view = new MarkdownView(root);
              let text = '# Head\n\nFirst.\n\n```js\nlet a;\n```\n\n- one\n- two\n\nLast ';
              view.set(text, true);
              const before = [...root.children];
              let changes = 0;
              const observer = new MutationObserver(records => { changes += records.filter(r => !before.at(-1).contains(r.target)).length; });
              observer.observe(root, { childList: true, characterData: true, subtree: true });
              for (let i = 0; i < 200; i++) view.set(text += 'word ', true);
              await new Promise(resolve => setTimeout(resolve));
              return changes + before.filter((e, i) => root.children[i] !== e).length;
            }
            """);

        Assert.Equal(0, touched);
    }

    [Theory]
    [InlineData("<img src=x onerror=alert(1)><script>alert(2)</script>", 0)]
    [InlineData("[run](javascript:alert(1)) [data](data:text/html,x) [here](/auth) [file](file:///etc/passwd)", 0)]
    [InlineData("<javascript:alert(1)> [a](https://example.com \"title\") ![b](https://example.com/b.png)", 2)]
    public async Task Nothing_a_model_writes_runs_or_is_fetched(string text, int links)
    {
        await using var visitor = await host.OpenAsync();
        await visitor.SignInAsync();
        await visitor.AskAsync($"repeat after me: {text}");

        Assert.Equal(0, await visitor.Answers.Locator("img, script, iframe, object, embed, style, form, [onerror]").CountAsync());
        var anchors = visitor.Answers.Locator("a");
        await Expect(anchors).ToHaveCountAsync(links);
        foreach (var anchor in await anchors.AllAsync())
        {
            await Expect(anchor).ToHaveAttributeAsync("rel", "noopener noreferrer nofollow");
            await Expect(anchor).ToHaveAttributeAsync("target", "_blank");
            Assert.StartsWith("https://example.com/", await anchor.GetAttributeAsync("href"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Hostile_text_is_read_in_time()
    {
        await using var visitor = await host.OpenAsync();
        string[] texts =
        [
            string.Concat(Enumerable.Repeat("*a ", 40_000)), string.Concat(Enumerable.Repeat("**a*", 20_000)), string.Concat(Enumerable.Repeat("[", 60_000)),
            string.Concat(Enumerable.Repeat("> ", 60_000)), string.Concat(Enumerable.Repeat("`a``", 20_000)), string.Concat(Enumerable.Repeat("- ", 60_000)),
            string.Concat(Enumerable.Repeat("|a", 60_000)) + "\n" + string.Concat(Enumerable.Repeat("|-", 60_000)), new string('\n', 100_000), new string('#', 100_000),
            string.Concat(Enumerable.Repeat("- a\n\n", 20_000)), string.Concat(Enumerable.Repeat("[a](b ", 20_000)), string.Concat(Enumerable.Repeat("- - ", 20_000)),
        ];
        double[] milliseconds = await visitor.Page.EvaluateAsync<double[]>("""
            async texts => {
              const { MarkdownView } = await import('/js/markdown/view.js');
              return texts.map(text => {
                // On a busy machine the fastest of a few runs tells; what takes time by its nature takes it each time.
                let fastest = Infinity;
                for (let run = 0; run < 5 && fastest > 3000; run++) {
                  const start = performance.now();
                  new MarkdownView(document.createElement('div')).set(text, false);
                  fastest = Math.min(fastest, performance.now() - start);
                }
                return fastest;
              });
            }
            """, texts);

        Assert.All(milliseconds, taken => Assert.InRange(taken, 0, 3000));
    }

    [Fact]
    public async Task Code_is_copied_as_it_is()
    {
        await using var visitor = await host.OpenAsync(options: new() { Permissions = ["clipboard-read", "clipboard-write"] });
        await visitor.SignInAsync();
        await visitor.AskAsync("Show me some code");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Copy code" }).ClickAsync();
        await Expect(visitor.Page.GetByText("Copied", new() { Exact = true })).ToBeVisibleAsync();

        string copied = await visitor.Page.EvaluateAsync<string>("() => navigator.clipboard.readText()");
        Assert.StartsWith("using System.Net.WebSockets;\nusing System.Text;\n\nusing var socket", copied.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("\"\"\"{\"type\":\"message\",\"content\":\"Hello\"}\"\"\"u8", copied, StringComparison.Ordinal);
    }
}
