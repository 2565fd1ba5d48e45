using FastChat.Server.Models;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Models;

/// <summary>Models made from configuration, as the host makes them, and answers collected within bounds.</summary>
internal static class ModelHarness
{
    public const string Key = "sk-test-0123456789";

    public static ModelsOptions Options(Dictionary<string, string?> settings, Dictionary<string, string>? environment = null)
    {
        var options = new ModelsOptions();
        options.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), name => environment?.GetValueOrDefault(name));
        return options;
    }

    public static ModelCatalog Catalog(
        FakeUpstream upstream, TimeProvider? time = null, string provider = "openai", params (string Key, string Value)[] more) =>
        Catalog(upstream.Endpoint, time, provider, more);

    public static ModelCatalog Catalog(
        Uri endpoint, TimeProvider? time = null, string provider = "openai", params (string Key, string Value)[] more)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Models:0:Name"] = "test",
            ["Models:0:Provider"] = provider,
            ["Models:0:Model"] = "m-1",
            ["Models:0:Endpoint"] = endpoint.ToString(),
            ["Models:0:ApiKey"] = Key,
        };
        foreach (var (key, value) in more) settings[key.Contains(':') ? $"Models:{key}" : $"Models:0:{key}"] = value;
        var options = Options(settings);
        Assert.Empty(options.Mistakes);
        return new ModelCatalog(options, time ?? TimeProvider.System, NullLoggerFactory.Instance);
    }

    public static IChatClient Client(this ModelCatalog catalog, string name = "test")
    {
        Assert.True(catalog.TryGet(name, out var client));
        return client;
    }

    public static IAsyncEnumerable<ChatResponseUpdate> Ask(this IChatClient client, string question, CancellationToken cancellationToken = default) =>
        client.GetStreamingResponseAsync([new ChatMessage(ChatRole.User, question)], null, cancellationToken);

    /// <summary>Reads <paramref name="updates"/> to their end or failure, whichever comes.</summary>
    public static async Task<Answer> CollectAsync(this IAsyncEnumerable<ChatResponseUpdate> updates)
    {
        var answer = new Answer();
        await ReadAsync().WaitAsync(FakeUpstream.Bound);
        return answer;

        async Task ReadAsync()
        {
            try
            {
                await foreach (var update in updates)
                {
                    Assert.Null(answer.FinishReason); // the update with the reason is the last
                    if (update.Text.Length > 0) answer.Pieces.Add(update.Text);
                    answer.FinishReason = update.FinishReason;
                    answer.Usage = update.Contents.OfType<UsageContent>().SingleOrDefault()?.Details;
                }
            }
            catch (Exception e)
            {
                answer.Failure = e;
            }
        }
    }

    internal sealed class Answer
    {
        public List<string> Pieces { get; } = [];

        public string Text => string.Concat(Pieces);

        public ChatFinishReason? FinishReason { get; set; }

        public UsageDetails? Usage { get; set; }

        public Exception? Failure { get; set; }

        public void Succeeded() => Assert.Null(Failure);

        public Chat.ModelException Failed(Chat.ModelFailure failure)
        {
            var e = Assert.IsType<Chat.ModelException>(Failure);
            Assert.Equal(failure, e.Failure);
            Assert.DoesNotContain(Key, e.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("127.0.0.1", e.Message, StringComparison.Ordinal);
            return e;
        }
    }
}
