using System.Buffers;
using System.Text;
using System.Text.Json;
using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Storage;
using FastChat.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Core.Tests.Chat;

/// <summary>An engine on a store in memory, a scripted model and a clock that stands still.</summary>
internal sealed class ChatHarness : IAsyncDisposable
{
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly List<ChatSocket> _sockets = [];

    public ChatHarness(Action<ChatEngineOptions>? configure = null, ILogger<ChatEngine>? logger = null)
    {
        Store = new MemoryChatStore(Time);
        var options = new ChatEngineOptions { BufferPool = Pool };
        configure?.Invoke(options);
        Engine = new ChatEngine(Store, new FakeModelCatalog(("first", Model), ("second", Second)), options, Time,
            logger ?? NullLogger<ChatEngine>.Instance);
        Alice = Store.EnsureUserAsync("alice-id", "alice").Result;
        Bob = Store.EnsureUserAsync("bob-id", "bob").Result;
    }

    public FakeTimeProvider Time { get; } = new();

    public TrackingArrayPool Pool { get; } = new();

    public MemoryChatStore Store { get; }

    public ScriptedChatClient Model { get; } = new();

    public ScriptedChatClient Second { get; } = new();

    public ChatEngine Engine { get; }

    public UserRecord Alice { get; }

    public UserRecord Bob { get; }

    public FakeRateLimiter Limiter { get; } = new();

    /// <summary>Stores a message, has it answered, and gives back the turn.</summary>
    public async Task<ChatTurn> AskAsync(string text, string answer, string? conversationId = null)
    {
        var (turn, _) = await SubmitAsync(text, conversationId);
        (await Model.NextAsync()).Say(answer).Finish();
        await turn.Answer.Completion.WaitAsync(Bound);
        return turn;
    }

    public async Task<ChatSubmission> SubmitAsync(string text, string? conversationId = null, string? clientId = null) =>
        await Engine.SubmitAsync(new TurnRequest(Alice.Id, text) { ConversationId = conversationId, ClientMessageId = clientId })
            .AsTask().WaitAsync(Bound);

    public ChatSocket Socket(ChatDialect dialect, RecordingPeer peer, UserRecord? user, string? sessionId = null, bool trust = false)
    {
        var socket = ChatSocket.Create(dialect, Engine, peer,
            new ChatSocketRequest { User = user, SessionId = sessionId, TrustUserId = trust }, Limiter);
        _sockets.Add(socket);
        return socket;
    }

    /// <summary>A socket of Alice's that is open.</summary>
    public async Task<(ChatSocket Socket, RecordingPeer Peer)> OpenAsync(ChatDialect dialect, string? sessionId = null, UserRecord? user = null)
    {
        var peer = new RecordingPeer();
        var socket = Socket(dialect, peer, user ?? Alice, sessionId);
        Assert.True(await socket.OpenAsync().AsTask().WaitAsync(Bound));
        return (socket, peer);
    }

    /// <summary>A session of Alice's with a socket on it that has had its session_info.</summary>
    public async Task<(ChatSocket Socket, RecordingPeer Peer, ChatSession Session)> OpenSessionAsync()
    {
        var opened = await Engine.Sessions.OpenAsync(new SessionRequest(Alice.Id, ChatbotRecord.AssistantId));
        var (socket, peer) = await OpenAsync(ChatDialect.Session, opened.Session.Id);
        await peer.NextAsync("session_info");
        return (socket, peer, opened.Session);
    }

    /// <summary>Waits for what has no event to wait for. Bounded.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        using var bound = new CancellationTokenSource(Bound);
        while (!condition())
        {
            bound.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var socket in _sockets)
            await socket.DisposeAsync();
        await Engine.DisposeAsync().AsTask().WaitAsync(Bound);
        // A socket that is let go does not wait for the frame that it is just sending.
        await UntilAsync(() => Pool.Outstanding == 0);
    }
}

/// <summary>Allows everything until told otherwise, and counts.</summary>
internal sealed class FakeRateLimiter : IChatRateLimiter
{
    public RateDecision Decision { get; set; } = RateDecision.Allowed;

    public List<string> Asked { get; } = [];

    public ValueTask<RateDecision> AcquireAsync(string userId, CancellationToken cancellationToken = default)
    {
        Asked.Add(userId);
        return new(Decision);
    }
}

internal static class SocketExtensions
{
    /// <summary>Receives a message that came in segments of seven bytes.</summary>
    public static Task SendAsync(this ChatSocket socket, string message) =>
        socket.ReceiveAsync(SequenceReplay.Chunks(Encoding.UTF8.GetBytes(message), 7)).AsTask().WaitAsync(ChatHarness.Bound);

    public static Task<T> Bounded<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(ChatHarness.Bound);

    public static Task<T> Bounded<T>(this Task<T> task) => task.WaitAsync(ChatHarness.Bound);

    public static Task Bounded(this ValueTask task) => task.AsTask().WaitAsync(ChatHarness.Bound);

    public static Task Bounded(this Task task) => task.WaitAsync(ChatHarness.Bound);

    /// <summary>The names of an object's fields, in order.</summary>
    public static string Fields(this JsonElement json) => string.Join(' ', json.EnumerateObject().Select(p => p.Name));

    public static string? Text(this JsonElement json, string field) => json.GetProperty(field).GetString();
}
