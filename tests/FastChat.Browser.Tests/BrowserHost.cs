using Microsoft.Playwright;

namespace FastChat.Browser.Tests;

/// <summary>The system's Chromium, started once, and the server that most tests share.</summary>
public sealed class BrowserHost : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome.exe"];
    private static readonly string[] Flags =
        ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private static readonly Dictionary<string, string> Settings = new()
    {
        ["Models:0:Name"] = "offline",
        ["Models:0:Provider"] = "offline",
        // Slow enough to be seen, stopped and reloaded in the middle of an answer.
        ["Models:0:WordDelay"] = "00:00:00.020",
    };

    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private ServerProcess? _server;

    public async ValueTask InitializeAsync()
    {
        if (Find() is not { } chromium)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = Flags });
        _server = await ServerProcess.StartAsync(Settings);
        Assertions.SetDefaultExpectTimeout(Visitor.TimeoutMs);
    }

    /// <summary>Opens a page in a browser context of its own: nothing of another test's is stored there.</summary>
    /// <param name="server">The shared server when null.</param>
    /// <param name="options">How the browser looks.</param>
    internal async Task<Visitor> OpenAsync(ServerProcess? server = null, BrowserNewContextOptions? options = null)
    {
        if (_browser is null)
            Assert.Skip($"There is no Chromium on the PATH ({string.Join(", ", Names)}): the page was not looked at.");
        return await Visitor.OpenAsync(_browser, (server ?? _server!).Address, options ?? new());
    }

    /// <summary>A server that one test has for itself.</summary>
    /// <param name="settings">What differs from the shared server's.</param>
    internal async Task<ServerProcess> StartServerAsync(IReadOnlyDictionary<string, string>? settings = null)
    {
        if (_browser is null)
            Assert.Skip($"There is no Chromium on the PATH ({string.Join(", ", Names)}): the page was not looked at.");
        var all = new Dictionary<string, string>(Settings);
        foreach (var (key, value) in settings ?? new Dictionary<string, string>())
            all[key] = value;
        return await ServerProcess.StartAsync(all);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(_ => Names, Path.Combine).FirstOrDefault(File.Exists);
}
