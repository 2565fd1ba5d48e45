using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace FastChat.Browser.Tests;

/// <summary>Somebody at the page: what they see and do. Disposing of it fails when the page complained on the console.</summary>
internal sealed partial class Visitor : IAsyncDisposable
{
    /// <summary>How long anything may take before it counts as broken: far longer than it takes a machine that is busy with other things.</summary>
    public const float TimeoutMs = 60_000;

    private readonly List<string> _complaints = [];
    private readonly IBrowserContext _context;
    private readonly Uri _address;
    private readonly bool _ownsContext;
    private Regex? _expected;

    private Visitor(IBrowserContext context, IPage page, Uri address, bool ownsContext)
    {
        (_context, Page, _address, _ownsContext) = (context, page, address, ownsContext);
        page.SetDefaultTimeout(TimeoutMs);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                Complain($"{message.Type}: {message.Text}");
        };
        page.PageError += (_, error) => Complain(error);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(address.ToString(), StringComparison.Ordinal) && !request.Url.StartsWith("blob:", StringComparison.Ordinal))
                Complain($"asked another server: {request.Url}");
        };
    }

    public IPage Page { get; }

    public ILocator Input => Page.GetByRole(AriaRole.Textbox, new() { Name = "Message", Exact = true });

    public ILocator SendButton => Page.GetByRole(AriaRole.Button, new() { Name = "Send message" });

    public ILocator StopButton => Page.GetByRole(AriaRole.Button, new() { Name = "Stop answering" });

    public ILocator Questions => Page.Locator(".message.user .message-body");

    public ILocator Answers => Page.Locator(".message.assistant .message-body");

    public ILocator Conversations => Page.GetByRole(AriaRole.Navigation, new() { Name = "Conversations" }).GetByRole(AriaRole.Link);

    public ILocator Pill => Page.Locator("#pill");

    public static async Task<Visitor> OpenAsync(IBrowser browser, Uri address, BrowserNewContextOptions options)
    {
        var context = await browser.NewContextAsync(options);
        var visitor = new Visitor(context, await context.NewPageAsync(), address, ownsContext: true);
        await visitor.Page.GotoAsync(address.ToString());
        return visitor;
    }

    /// <summary>Another tab of the same browser, where this one is.</summary>
    public async Task<Visitor> OpenTabAsync(string? url = null)
    {
        var tab = new Visitor(_context, await _context.NewPageAsync(), _address, ownsContext: false);
        await tab.Page.GotoAsync(url ?? Page.Url);
        return tab;
    }

    /// <summary>Says what the browser will complain about, because the test breaks something.</summary>
    public void Expect(Regex complaints) => _expected = complaints;

    /// <summary>Signs in as a user whom no other test has.</summary>
    public async Task<string> SignInAsync()
    {
        string name = $"Ada {Guid.NewGuid():N}"[..12];
        await Page.GetByLabel("Your name").FillAsync(name);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Heading, new() { Name = $"Hello {name}" })).ToBeVisibleAsync();
        return name;
    }

    /// <summary>A client of the server's REST routes for whoever has signed in.</summary>
    public async Task<HttpClient> ClientAsync()
    {
        string token = await Page.EvaluateAsync<string>("() => JSON.parse(localStorage.getItem('fastchat.token'))");
        return new HttpClient { BaseAddress = _address, DefaultRequestHeaders = { Authorization = new("Bearer", token) } };
    }

    /// <summary>Looks for something; where it does not come, says what is there instead.</summary>
    public async Task LookAsync(Func<Task> expectations)
    {
        try
        {
            await expectations();
        }
        catch (PlaywrightException e)
        {
            string shown = await Page.Locator("body").InnerTextAsync();
            lock (_complaints)
                throw new InvalidOperationException($"{Page.Url} shows:\n{shown}\nThe console says:\n{string.Join('\n', _complaints)}", e);
        }
    }

    public async Task SendAsync(string text)
    {
        await Input.FillAsync(text);
        await Input.PressAsync("Enter");
    }

    /// <summary>Sends a message and waits for its whole answer.</summary>
    public async Task<string> AskAsync(string text)
    {
        int before = await Answers.CountAsync();
        await SendAsync(text);
        await Assertions.Expect(Answers).ToHaveCountAsync(before + 1);
        await AnsweredAsync();
        // Drawn with the next frame; a tab in the background takes its time.
        await Assertions.Expect(Page.Locator(".message.assistant").Last).ToHaveAttributeAsync("data-state", "done");
        return await Answers.Last.InnerTextAsync();
    }

    /// <summary>Waits until nothing is being answered.</summary>
    public Task AnsweredAsync() => Assertions.Expect(SendButton).ToBeVisibleAsync();

    /// <summary>The numbers of "count to N", as the answer shows them.</summary>
    public static string CountTo(int last) => string.Join(' ', Enumerable.Range(1, last));

    /// <summary>Waits until the running answer to "Count to 1000" has come this far, and checks that no number is missing or there twice.</summary>
    /// <returns>How far it has come.</returns>
    public async Task<int> CountedAsync(int to)
    {
        await Assertions.Expect(Answers.Last).ToHaveTextAsync(new Regex($@"^\s*1\s.*\b{to}\s", RegexOptions.Singleline));
        string[] numbers = (await Answers.Last.InnerTextAsync()).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Enumerable.Range(1, numbers.Length).Select(n => $"{n}"), numbers);
        return numbers.Length;
    }

    /// <summary>Stops the running answer to "Count to 1000"; its part stays.</summary>
    public async Task<string> StopCountingAsync()
    {
        await StopButton.ClickAsync();
        await Assertions.Expect(Page.GetByText("You stopped this answer.")).ToBeVisibleAsync();
        string part = await Answers.Last.InnerTextAsync();
        Assert.StartsWith(part, CountTo(1000), StringComparison.Ordinal);
        Assert.NotEqual(CountTo(1000), part);
        return part;
    }

    /// <summary>Chooses something from the menu of the conversation that is shown.</summary>
    public async Task ChooseAsync(string option)
    {
        await Page.GetByRole(AriaRole.Button, new() { Name = "Options for this conversation" }).ClickAsync();
        await Page.GetByRole(AriaRole.Menuitem, new() { Name = option }).ClickAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Page.CloseAsync();
        if (_ownsContext)
            await _context.DisposeAsync();
        lock (_complaints)
            Assert.DoesNotContain(_complaints, c => _expected?.IsMatch(c) != true);
    }

    private void Complain(string text)
    {
        lock (_complaints)
            _complaints.Add(text);
    }

    /// <summary>What the browser itself says about a server that is not there.</summary>
    [GeneratedRegex("ERR_CONNECTION_[A-Z]+|ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE|WebSocket connection to|ERR_INCOMPLETE_CHUNKED")]
    public static partial Regex ServerIsGone();

    /// <summary>What the browser itself says about a request that the server refused.</summary>
    [GeneratedRegex("Failed to load resource: the server responded with a status of 4")]
    public static partial Regex Refusals();
}
