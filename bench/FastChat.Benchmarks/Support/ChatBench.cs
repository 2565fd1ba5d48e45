using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Server.Storage.Sqlite;
using FastChat.Storage;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Benchmarks.Support;

/// <summary>A chat engine on SQLite in memory, with one model and no limits on requests.</summary>
internal sealed class ChatBench : IAsyncDisposable
{
    private readonly IChatStore _store;

    private ChatBench(IChatStore store, IChatClient model, UserRecord user)
    {
        _store = store;
        User = user;
        // Without history, so that a message costs the same however many came before it.
        var options = new ChatEngineOptions { MaxHistoryMessages = 0, MaxPassages = 0, MaxAnswerChars = 16 << 20, MaxConcurrentGenerations = 10_000 };
        Engine = new ChatEngine(store, new OneModel(model), options, TimeProvider.System, NullLogger<ChatEngine>.Instance);
    }

    public ChatEngine Engine { get; }

    public UserRecord User { get; }

    public static async Task<ChatBench> OpenAsync(IChatClient model)
    {
        var store = await SqliteChatStore.OpenAsync(new SqliteStoreOptions { Path = SqliteStoreOptions.InMemory }, TimeProvider.System, NullLogger.Instance);
        return new ChatBench(store, model, (await store.CreateUserAsync("alice"))!);
    }

    public Task<UserRecord> AddUserAsync(string name) => _store.EnsureUserAsync(name, name);

    /// <summary>An open socket, on a session of its own where the dialect has sessions.</summary>
    public async Task<ChatSocket> OpenSocketAsync(ChatDialect dialect, IChatPeer peer, UserRecord user)
    {
        string? session = dialect == ChatDialect.Session
            ? (await Engine.Sessions.OpenAsync(new SessionRequest(user.Id, ChatbotRecord.AssistantId))).Session.Id
            : null;
        var socket = ChatSocket.Create(dialect, Engine, peer, new ChatSocketRequest { User = user, SessionId = session }, Unlimited.Instance);
        return await socket.OpenAsync() ? socket : throw new InvalidOperationException("The socket was refused.");
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await _store.DisposeAsync();
    }

    private sealed class OneModel(IChatClient client) : IModelCatalog
    {
        public IReadOnlyList<ModelInfo> Models { get; } = [new ModelInfo("bench", "bench")];

        public string DefaultModel => "bench";

        public bool TryGet(string name, [NotNullWhen(true)] out IChatClient? found)
        {
            found = client;
            return true;
        }
    }

    private sealed class Unlimited : IChatRateLimiter
    {
        public static readonly Unlimited Instance = new();

        public ValueTask<RateDecision> AcquireAsync(string userId, CancellationToken cancellationToken = default) => new(RateDecision.Allowed);
    }
}

/// <summary>A model that says the same words at once.</summary>
internal sealed class InstantModel(params string[] words) : IChatClient
{
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.CompletedTask;
        foreach (string word in words) yield return new ChatResponseUpdate(ChatRole.Assistant, word);
        yield return new ChatResponseUpdate { FinishReason = ChatFinishReason.Stop };
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("The engine streams.");

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}

/// <summary>A model all of whose answers say one word more each time <see cref="Step"/> is called, for ever.</summary>
internal sealed class SteppedModel(string word) : IChatClient
{
    private readonly List<Stream> _streams = [];
    // One update for all: what a provider's client allocates for its own is not this server's.
    private readonly ChatResponseUpdate _update = new(ChatRole.Assistant, word);

    /// <summary>Answers that wait for a step.</summary>
    public int Waiting
    {
        get { lock (_streams) return _streams.Count(s => s.IsWaiting); }
    }

    /// <summary>One word in every answer, given on this thread.</summary>
    public void Step()
    {
        foreach (var stream in _streams) stream.Release();
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var stream = new Stream();
        lock (_streams) _streams.Add(stream);
        while (true)
        {
            await stream.WaitAsync();
            cancellationToken.ThrowIfCancellationRequested();
            yield return _update;
        }
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("The engine streams.");

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }

    private sealed class Stream : IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _core;

        public volatile bool IsWaiting;

        public ValueTask WaitAsync() => new(this, _core.Version);

        public void Release()
        {
            var spin = new SpinWait();
            while (!IsWaiting) spin.SpinOnce();
            IsWaiting = false;
            _core.SetResult(true);
        }

        public void GetResult(short token)
        {
            _core.GetResult(token);
            _core.Reset();
        }

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        {
            _core.OnCompleted(continuation, state, token, flags);
            IsWaiting = true;
        }
    }
}
