using Microsoft.Playwright;

namespace FastChat.Browser.Tests;

/// <summary>The system's Chromium, started once, and the two servers that most tests share.</summary>
public sealed class BrowserHost : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome.exe"];
    private static readonly string[] Flags =
        ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private static readonly Dictionary<string, string> Settings = new()
    {
        ["Models:0:Name"] = "offline",
        ["Models:0:Provider"] = "offline",
        ["RateLimits:PerMinute"] = "10000",
        ["RateLimits:PerHour"] = "100000",
        ["Auth:ClockSkew"] = "00:00:00",
    };

    // Slow enough to be seen, stopped and reloaded in the middle of an answer: counting to 1000 takes 20 s.
    private static readonly Dictionary<string, string> SlowSettings = new(Settings) { ["Models:0:WordDelay"] = "00:00:00.020" };

    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private ServerProcess? _server;
    private ServerProcess? _slow;

    /// <summary>Answers at once. Null where there is no browser.</summary>
    internal ServerProcess? Server => _server;

    /// <summary>Answers word by word. Null where there is no browser.</summary>
    internal ServerProcess? Slow => _slow;

    public async ValueTask InitializeAsync()
    {
        if (Find() is not { } chromium)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = Flags, Timeout = 2 * Visitor.TimeoutMs });
        _server = await ServerProcess.StartAsync(Settings);
        _slow = await ServerProcess.StartAsync(SlowSettings);
        Assertions.SetDefaultExpectTimeout(Visitor.TimeoutMs);
    }

    /// <summary>Opens a page in a browser context of its own: nothing of another test's is stored there.</summary>
    /// <param name="server">The shared one that answers at once when null.</param>
    /// <param name="options">How the browser looks.</param>
    internal async Task<Visitor> OpenAsync(ServerProcess? server = null, BrowserNewContextOptions? options = null)
    {
        if (_browser is null)
            Assert.Skip($"There is no Chromium on the PATH ({string.Join(", ", Names)}): the page was not looked at.");
        return await Visitor.OpenAsync(_browser, (server ?? _server!).Address, options ?? new());
    }

    /// <summary>A server that one test has for itself, to kill; it answers word by word.</summary>
    internal async Task<ServerProcess> StartServerAsync()
    {
        if (_browser is null)
            Assert.Skip($"There is no Chromium on the PATH ({string.Join(", ", Names)}): the page was not looked at.");
        return await ServerProcess.StartAsync(SlowSettings);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        if (_slow is not null)
            await _slow.DisposeAsync();
    }

    private static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(_ => Names, Path.Combine).FirstOrDefault(File.Exists);
}
