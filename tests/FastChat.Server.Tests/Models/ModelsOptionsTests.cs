using FastChat.Chat;
using FastChat.Server.Models;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FastChat.Server.Tests.Models;

public sealed class ModelsOptionsTests
{
    private static readonly Dictionary<string, string> Environment = new() { ["OPENAI_API_KEY"] = "sk-env", ["GEMINI_API_KEY"] = "g-env" };

    [Fact]
    public void Nothing_configured_means_the_offline_model_alone_whatever_keys_lie_about()
    {
        var options = ModelHarness.Options([], Environment);
        Assert.Empty(options.Mistakes);
        Assert.Equal(("offline", "offline"), (Assert.Single(options.Models).Name, options.DefaultModel));
    }

    [Theory]
    [InlineData("openai", "sk-env", "gpt-4.1-mini")]
    [InlineData("Gemini", "g-env", "gemini-2.5-flash")]
    public void A_provider_asked_for_by_name_needs_only_its_key(string name, string key, string upstream)
    {
        var options = ModelHarness.Options(new() { ["Model"] = name }, Environment);
        Assert.Empty(options.Mistakes);
        Assert.Equal(name, options.DefaultModel);
        Assert.Equal((key, upstream), (options.Models[1].ApiKey, options.Models[1].Model));
        Assert.Contains("_API_KEY", Assert.Single(ModelHarness.Options(new() { ["Model"] = name }).Mistakes), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_model_is_answered_with_those_there_are()
    {
        Assert.Equal(
            "Model: there is no model 'gpt-9'; there is offline, openai (with a key in OPENAI_API_KEY) and gemini (with a key in GEMINI_API_KEY).",
            Assert.Single(ModelHarness.Options(new() { ["Model"] = "gpt-9" }).Mistakes));
        Assert.Equal("Model: there is no model 'gpt-9'; there is calm, offline.", Assert.Single(ModelHarness.Options(new()
        {
            ["Model"] = "gpt-9",
            ["Models:0:Provider"] = "offline",
            ["Models:0:Name"] = "calm",
            ["Models:1:Provider"] = "offline",
        }).Mistakes));
    }

    [Fact]
    public void Every_setting_is_read()
    {
        var options = ModelHarness.Options(new()
        {
            ["Model"] = "LOCAL",
            ["Models:0:Provider"] = "offline",
            ["Models:0:WordDelay"] = "00:00:00.050",
            ["Models:1:Name"] = "local",
            ["Models:1:Provider"] = "OpenAI",
            ["Models:1:Model"] = "llama3.2",
            ["Models:1:Endpoint"] = "http://localhost:11434/v1",
            ["Models:1:Temperature"] = "0.5",
            ["Models:1:MaxOutputTokens"] = "500",
            ["Models:1:FirstTokenTimeout"] = "00:02:00",
            ["Models:1:IdleTimeout"] = "00:00:20",
            ["Models:1:MaxRetries"] = "4",
            ["Models:1:MaxRetryDelay"] = "00:00:30",
        }, Environment);
        Assert.Empty(options.Mistakes);
        Assert.Equal(TimeSpan.FromMilliseconds(50), options.Models[0].WordDelay);
        var local = options.Models[1];
        Assert.Equal(("local", ModelProvider.OpenAI, "llama3.2", new Uri("http://localhost:11434/v1")), (local.Name, local.Provider, local.Model, local.Endpoint));
        Assert.Equal((0.5f, 500, 4), (local.Temperature, local.MaxOutputTokens, local.MaxRetries));
        Assert.Equal((120, 20, 30), (local.FirstTokenTimeout.TotalSeconds, local.IdleTimeout.TotalSeconds, local.MaxRetryDelay.TotalSeconds));
        Assert.Null(local.ApiKey); // the environment's key is not sent to an address that is not its provider's
    }

    [Fact]
    public void Every_mistake_is_one_line_and_no_line_holds_the_key()
    {
        var options = ModelHarness.Options(new()
        {
            ["Models:0:Provider"] = "chatgpt",
            ["Models:1:Provider"] = "openai",
            ["Models:1:ApiKey"] = "sk secret\n",
            ["Models:1:Endpoint"] = "ftp://x",
            ["Models:1:MaxRetries"] = "many",
            ["Models:1:IdleTimeout"] = "60",
            ["Models:1:Temprature"] = "1",
            ["Models:2:Provider"] = "gemini",
            ["Models:3:Provider"] = "offline",
            ["Models:3:ApiKey"] = "sk secret",
            ["Models:4:Provider"] = "offline",
            ["Models:5:Provider"] = "7",
            ["Models:6:Provider"] = "openai",
            ["Models:6:Model"] = "",
            ["Models:6:ApiKey"] = "k",
        });
        Assert.Collection(options.Mistakes,
            m => Assert.Equal("Models:0:Provider is 'chatgpt': expected offline, openai or gemini.", m),
            m => Assert.StartsWith("Models:1:Temprature is no setting of a model of provider 'openai'; those are Name, ", m, StringComparison.Ordinal),
            m => Assert.StartsWith("Models:1:Endpoint must be ", m, StringComparison.Ordinal),
            m => Assert.Equal("Models:1: the key holds characters that no key has.", m),
            m => Assert.Equal("Models:1:IdleTimeout is '60': expected 00:00:01 to 1.00:00:00.", m),
            m => Assert.Equal("Models:1:MaxRetries is 'many': expected 0 to 10.", m),
            m => Assert.Equal("Models:2 has no key: set Models:2:ApiKey or GEMINI_API_KEY.", m),
            m => Assert.StartsWith("Models:3:ApiKey is no setting of a model of provider 'offline'", m, StringComparison.Ordinal),
            m => Assert.StartsWith("Models:5:Provider is '7'", m, StringComparison.Ordinal),
            m => Assert.StartsWith("Models:6:Name must be ", m, StringComparison.Ordinal),
            m => Assert.Equal("Models:6:Model must not be empty.", m),
            m => Assert.Equal("Models: the name 'offline' is given 2 times.", m));
        Assert.All(options.Mistakes, m => Assert.DoesNotContain("secret", m, StringComparison.Ordinal));
        Assert.All(options.Mistakes, m => Assert.DoesNotContain('\n', m));
    }

    [Fact]
    public async Task The_host_reports_every_mistake_when_it_starts()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Models:0:Provider"] = "a", ["Models:1:Provider"] = "b" });
        builder.Services.AddFastChatModels(builder.Configuration);
        using var host = builder.Build();
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Equal(2, failure.Failures.Count());
    }

    [Fact]
    public async Task The_registered_catalogue_answers_offline()
    {
        await using var services = new ServiceCollection().AddLogging().AddFastChatModels(new ConfigurationBuilder().Build()).BuildServiceProvider();
        var catalog = services.GetRequiredService<IModelCatalog>();
        Assert.Equal([new ModelInfo("offline", "offline")], catalog.Models);
        Assert.Equal("offline", catalog.DefaultModel);
        Assert.True(catalog.TryGet("OFFLINE", out var client));
        Assert.False(catalog.TryGet("gpt-9", out _));
        var answer = await client.Ask("hello").CollectAsync();
        Assert.Contains("offline model", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Models_keep_their_order_and_the_default_its_configured_spelling()
    {
        var options = ModelHarness.Options(new()
        {
            ["Model"] = "b",
            ["Models:0:Provider"] = "gemini",
            ["Models:0:Name"] = "G",
            ["Models:1:Provider"] = "offline",
            ["Models:1:Name"] = "B",
        }, Environment);
        using var catalog = new ModelCatalog(options, TimeProvider.System, NullLoggerFactory.Instance);
        Assert.Equal([new ModelInfo("G", "gemini"), new ModelInfo("B", "offline")], catalog.Models);
        Assert.Equal("B", catalog.DefaultModel);
#if !GOOGLE_GENAI
        var metadata = (ChatClientMetadata?)catalog.Client("G").GetService(typeof(ChatClientMetadata));
        Assert.Equal(("https://generativelanguage.googleapis.com/v1beta/openai/", "gemini-2.5-flash"), (metadata?.ProviderUri?.ToString(), metadata?.DefaultModelId));
#endif
    }

    [Fact]
    public async Task Gemini_speaks_to_a_configured_compatible_endpoint_with_its_own_key()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        using var catalog = ModelHarness.Catalog(upstream.Then(x => x.AnswerAsync("ok")), provider: "gemini");
        Assert.Equal("ok", (await catalog.Client().Ask("hi").CollectAsync()).Text);
        Assert.Equal($"Bearer {ModelHarness.Key}", (await upstream.RequestAsync()).Authorization);
    }

    [Fact]
    public async Task No_log_line_holds_the_key_or_the_question()
    {
        var log = new Lines();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Then(x => x.RefuseAsync(503, ModelHarness.Key, "0")).Then(x => x.TextAsync("cut"));
        var options = ModelHarness.Options(new()
        {
            ["Models:0:Provider"] = "openai",
            ["Models:0:Name"] = "test",
            ["Models:0:Endpoint"] = upstream.Endpoint.ToString(),
            ["Models:0:ApiKey"] = ModelHarness.Key,
        });
        using var factory = LoggerFactory.Create(b => b.AddProvider(log).SetMinimumLevel(LogLevel.Trace));
        using var catalog = new ModelCatalog(options, TimeProvider.System, factory);
        (await catalog.Client().Ask("a private question").CollectAsync()).Succeeded();
        Assert.Collection(log.Written, l => Assert.Contains("Unavailable", l, StringComparison.Ordinal), l => Assert.Contains("broke off", l, StringComparison.Ordinal));
        Assert.All(log.Written, l => Assert.DoesNotContain(ModelHarness.Key, l, StringComparison.Ordinal));
        Assert.All(log.Written, l => Assert.DoesNotContain("private", l, StringComparison.Ordinal));
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public List<string> Written { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Written) Written.Add(formatter(state, exception) + exception);
        }

        public void Dispose() { }
    }
}
