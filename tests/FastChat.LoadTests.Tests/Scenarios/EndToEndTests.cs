using FastChat.LoadTests.Load;
using FastChat.LoadTests.Scenarios;
using FastChat.LoadTests.Thresholds;
using FastChat.Server.Configuration;
using FastChat.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FastChat.LoadTests.Tests.Scenarios;

/// <summary>Every scenario, small, against a real server on a free port.</summary>
public sealed class EndToEndTests : IAsyncLifetime
{
    private const string Secret = "a secret of at least thirty-two bytes";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    // Small, and no longer than what is to be seen takes.
    private static readonly Dictionary<string, Dictionary<string, string>> Small = new()
    {
        ["storm"] = new() { ["connections"] = "20", ["rate"] = "100", ["hold"] = "0" },
        ["idle"] = new() { ["connections"] = "20", ["rate"] = "100", ["hold"] = "0" },
        ["chat"] = new() { ["users"] = "5", ["think"] = "100ms", ["duration"] = "300ms", ["chunks"] = "5", ["pace"] = "1ms" },
        ["streams"] = new() { ["connections"] = "20", ["chunks"] = "30", ["pace"] = "1ms", ["ramp"] = "50ms" },
        ["fanout"] = new() { ["tabs"] = "4", ["rate"] = "20", ["duration"] = "200ms", ["chunks"] = "10", ["pace"] = "1ms" },
        ["slow"] = new() { ["users"] = "3", ["rate"] = "20", ["duration"] = "300ms", ["read"] = "1000", ["chunks"] = "10", ["bytes"] = "500", ["pace"] = "1ms" },
        ["reconnect"] = new() { ["users"] = "4", ["rate"] = "20", ["duration"] = "500ms", ["chunks"] = "20", ["pace"] = "1ms" },
        ["rest"] = new() { ["users"] = "3", ["rate"] = "60", ["duration"] = "500ms" },
        ["spike"] = new() { ["users"] = "4", ["rate"] = "10", ["factor"] = "4", ["steady"] = "100ms", ["spike"] = "100ms", ["chunks"] = "5", ["pace"] = "1ms" },
        ["soak"] = new() { ["users"] = "4", ["rate"] = "40", ["duration"] = "500ms", ["chunks"] = "5", ["pace"] = "1ms" },
    };

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("fastchat-loadtest-");
    private WebApplication? _app;

    public static TheoryData<string> Names => [.. Catalog.All.Select(s => s.Name)];

    public async ValueTask InitializeAsync()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Port"] = "0",
            ["Data"] = _data.FullName,
            ["Auth:Secret"] = Secret,
            ["RateLimits:PerMinute"] = "100000",
            ["RateLimits:PerHour"] = "1000000",
            ["Models:0:Name"] = "offline",
            ["Models:0:Provider"] = "offline",
            ["Models:0:WordDelay"] = "00:00:00.001",
        }).Build();
        var options = ServeOptions.Read(configuration, new SettingsReader(configuration), _data.FullName, _ => null, insecureTrustUserId: false);
        _app = ServerHost.Build(options, s => s.AddLogging(l => l.ClearProviders()));
        await _app.StartAsync().WaitAsync(Bound);
    }

    public async ValueTask DisposeAsync()
    {
        await _app!.DisposeAsync().AsTask().WaitAsync(Bound);
        _data.Delete(recursive: true);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_scenario_runs_without_a_fault(string name)
    {
        var scenario = Catalog.All.Single(s => s.Name == name);
        Assert.True(Small.ContainsKey(name), $"{name} has no small form here.");
        var result = await RunAsync(scenario, Small[name]);
        Assert.True(result.Passed, $"{result.Failure} {string.Join(", ", result.ErrorKinds)}");
        Assert.True(result.Operations > 0);
        Assert.Equal((0L, 0L, 0L, 0L), (result.Lost, result.Doubled, result.Reordered, result.Wrong));
        Assert.NotEmpty(result.Timeline);
        // Whatever a scenario says that it measures, it has measured, but for routes that chance leaves out.
        foreach (var latency in result.Latencies.Where(l => name is not ("rest" or "soak"))) Assert.True(latency.Summary.Count > 0, latency.Name);
        Assert.NotNull(result.Server);
    }

    [Fact]
    public async Task Streams_are_counted_to_the_last_chunk()
    {
        var result = await RunAsync(Catalog.All.Single(s => s.Name == "streams"), Small["streams"]);
        Assert.Equal((20L, 20L * 30, 20), (result.Operations, result.Chunks, result.MostSockets));
        Assert.InRange(result.ChunkMessages, 20, 600);
        Assert.Equal(20, result.Latencies.Single(l => l.Name == "answer").Summary.Count);
    }

    [Fact]
    public async Task A_threshold_that_is_not_kept_fails_the_run()
    {
        var result = await RunAsync(Catalog.All.Single(s => s.Name == "storm"), Small["storm"], "connect.max<1us", "sockets=20");
        Assert.Equal([true, false, true], result.Thresholds.Select(t => t.Passed));
        Assert.False(result.Passed);
        Assert.Null(result.Failure);
    }

    [Fact]
    public async Task A_run_that_is_ended_has_a_result()
    {
        using var stop = new CancellationTokenSource();
        var view = new StoppingView(stop);
        var settings = new ScenarioSettings(Catalog.All.Single(s => s.Name == "chat"), new Dictionary<string, string> { ["users"] = "2", ["think"] = "20ms", ["duration"] = "1h", ["chunks"] = "3", ["pace"] = "1ms" });
        var result = await Run(Catalog.All.Single(s => s.Name == "chat"), settings, view).RunAsync(stop.Token).WaitAsync(Bound);
        Assert.Equal(("Interrupted.", false), (result.Failure, result.Passed));
        Assert.True(result.Operations > 0);
        Assert.Equal(0, result.Errors);
    }

    [Fact]
    public async Task One_users_token_is_not_enough_for_many()
    {
        var scenario = Catalog.All.Single(s => s.Name == "chat");
        var options = new RunOptions { Url = new Uri(_app!.Urls.Single()), Token = "a.b.c", WarmUp = TimeSpan.Zero };
        var result = await new ScenarioRun(scenario, new ScenarioSettings(scenario, Small["chat"]), options, [], new StoppingView(null), TimeProvider.System).RunAsync(CancellationToken.None).WaitAsync(Bound);
        Assert.Contains("give --secret", result.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_secret_the_server_is_asked_for_development_tokens()
    {
        var scenario = Catalog.All.Single(s => s.Name == "storm");
        var options = new RunOptions { Url = new Uri(_app!.Urls.Single()), WarmUp = TimeSpan.Zero };
        var result = await new ScenarioRun(scenario, new ScenarioSettings(scenario, Small["storm"]), options, [Threshold.NoErrors], new StoppingView(null), TimeProvider.System).RunAsync(CancellationToken.None).WaitAsync(Bound);
        Assert.True(result.Passed, $"{result.Failure} {string.Join(", ", result.ErrorKinds)}");
    }

    private Task<ScenarioResult> RunAsync(ScenarioDefinition scenario, Dictionary<string, string> settings, params string[] thresholds) =>
        Run(scenario, new ScenarioSettings(scenario, settings), new StoppingView(null), thresholds).RunAsync(CancellationToken.None).WaitAsync(Bound);

    private ScenarioRun Run(ScenarioDefinition scenario, ScenarioSettings settings, IRunView view, params string[] thresholds) => new(scenario, settings, new RunOptions
    {
        Url = new Uri(_app!.Urls.Single()),
        Secret = Secret,
        ProcessId = Environment.ProcessId,
        WarmUp = TimeSpan.Zero,
    }, Threshold.For(scenario, [.. thresholds.Select(Threshold.Parse)]), view, TimeProvider.System);

    /// <summary>Ends the run as soon as something has come of it.</summary>
    private sealed class StoppingView(CancellationTokenSource? stop) : IRunView
    {
        public void Stage(string text)
        {
        }

        public void Show(RunProgress progress)
        {
            if (progress.Measurements.Operations > 0) stop?.Cancel();
        }
    }
}
