using System.Diagnostics.CodeAnalysis;
using FastChat.Chat;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Models;

/// <summary>The configured models and the HTTP connections they share: one pool per endpoint, disposed with the catalogue.</summary>
internal sealed class ModelCatalog : IModelCatalog, IDisposable
{
    private readonly Dictionary<string, IChatClient> _clients = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, HttpClient> _pools = new(StringComparer.OrdinalIgnoreCase);

    public ModelCatalog(ModelsOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        Models = [.. options.Models.Select(m => new ModelInfo(m.Name, ProviderName(m.Provider)))];
        DefaultModel = Models.First(m => m.Name.Equals(options.DefaultModel, StringComparison.OrdinalIgnoreCase)).Name;
        var logger = loggers.CreateLogger("FastChat.Models");
        foreach (var model in options.Models) _clients.Add(model.Name, Create(model, time, logger));
    }

    public IReadOnlyList<ModelInfo> Models { get; }

    public string DefaultModel { get; }

    public bool TryGet(string name, [NotNullWhen(true)] out IChatClient? client) => _clients.TryGetValue(name, out client);

    public void Dispose()
    {
        foreach (var client in _clients.Values) client.Dispose();
        foreach (var pool in _pools.Values) pool.Dispose();
    }

    internal static string ProviderName(ModelProvider provider) => provider switch
    {
        ModelProvider.OpenAI => "openai",
        ModelProvider.Gemini => "gemini",
        _ => "offline",
    };

    private IChatClient Create(ModelSettings model, TimeProvider time, ILogger logger)
    {
        if (model.Provider is ModelProvider.Offline) return new OfflineChatClient(model.WordDelay, time);
#if GOOGLE_GENAI
        // An endpoint that was configured is an OpenAI-compatible one in either build.
        if (model is { Provider: ModelProvider.Gemini, Endpoint: null })
            return new ResilientChatClient(new GeminiChatClient(model, time), model, time, logger);
#endif
        var endpoint = model.Endpoint ??
            (model.Provider is ModelProvider.Gemini ? ModelSettings.GeminiEndpoint : ModelSettings.OpenAIEndpoint);
        string authority = endpoint.GetLeftPart(UriPartial.Authority);
        if (!_pools.TryGetValue(authority, out var pool)) _pools.Add(authority, pool = CreatePool());
        return new ResilientChatClient(new OpenAIChatClient(model, endpoint, pool, time), model, time, logger);
    }

    private static HttpClient CreatePool() => new(new SocketsHttpHandler
    {
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5), // so that a changed DNS record is noticed
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),
        // An answer that nobody wants any more ends at once: reading on to save the connection would have the model go on for as long.
        ResponseDrainTimeout = TimeSpan.Zero,
        MaxConnectionsPerServer = 1024,
        AllowAutoRedirect = false, // a redirect would carry the conversation to an address nobody configured
        UseCookies = false,
    })
    {
        // It would end a long answer; ResilientChatClient bounds the first token and every silence instead.
        Timeout = Timeout.InfiniteTimeSpan,
    };
}
