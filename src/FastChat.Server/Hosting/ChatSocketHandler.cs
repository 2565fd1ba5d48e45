using System.Collections.Concurrent;
using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Connections;
using FastChat.Handshake;
using FastChat.Protocol;
using FastChat.Server.Auth;
using FastChat.Storage;

namespace FastChat.Server.Hosting;

/// <summary>Joins WebSocket connections and the chat: who may come in, in which dialect, and then every message.</summary>
internal sealed class ChatSocketHandler : WebSocketHandler, IDisposable
{
    private static readonly TimeSpan ExpiryTick = TimeSpan.FromSeconds(1);

    private readonly ChatEngine _engine;
    private readonly ChatUsers _users;
    private readonly IUserAuthenticator _authenticator;
    private readonly IChatRateLimiter _limiter;
    private readonly AllowedOrigins _origins;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<WebSocketConnection, Client> _open = new();
    private readonly ITimer _expiry;

    public ChatSocketHandler(
        ChatEngine engine, ChatUsers users, IUserAuthenticator authenticator, IChatRateLimiter limiter, AllowedOrigins origins, TimeProvider time)
    {
        (_engine, _users, _authenticator, _limiter, _origins, _time) = (engine, users, authenticator, limiter, origins, time);
        // One timer for all: ten thousand of their own would be megabytes.
        _expiry = time.CreateTimer(static handler => ((ChatSocketHandler)handler!).CloseExpired(), this, ExpiryTick, ExpiryTick);
    }

    /// <summary>Paths of sockets; each with and without a slash at its end.</summary>
    public static IReadOnlyList<string> Paths { get; } = ["/ws", "/chat", "/ws/chat", "/ws/chat/{session_id}", "/ws/codes"];

    /// <summary>Sockets open now.</summary>
    public int Count => _open.Count;

    public override async ValueTask<UpgradeRefusal?> OnUpgradeAsync(WebSocketRequest request)
    {
        if (_engine.IsDraining)
            return new UpgradeRefusal(503, "The server is shutting down.", [new("Retry-After", "5")]);
        if (!_origins.Allows(request.Origin))
            return new UpgradeRefusal(403, "Pages of this origin may not connect.");
        var credentials = new CredentialRequest(request.GetHeader, name => request.GetQueryValues(name) is { Count: > 0 } values ? string.Join(',', values) : null);
        var dialect = DialectOf(request);
        var result = await _authenticator.AuthenticateAsync(credentials);
        try
        {
            return result.User is { } user
                ? await AdmitAsync(request, dialect, user)
                : Decide(request, dialect, credentials, result.Failure);
        }
        catch (StoreException)
        {
            return new UpgradeRefusal(503, "The store cannot be reached right now.", [new("Retry-After", "5")]);
        }
    }

    public override async ValueTask OnOpenAsync(WebSocketConnection connection)
    {
        var admission = (Admission)connection.State!;
        var socket = ChatSocket.Create(admission.Dialect, _engine, new ChatPeer(connection), admission.Request, _limiter);
        var client = new Client(socket, admission.ExpiresAt);
        connection.State = client;
        _open.TryAdd(connection, client);
        await socket.OpenAsync();
    }

    public override ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message) =>
        ((Client)connection.State!).Socket.ReceiveAsync(message.Payload);

    public override async ValueTask OnClosedAsync(WebSocketConnection connection)
    {
        if (connection.State is not Client client)
            return;
        _open.TryRemove(connection, out _);
        await client.Socket.DisposeAsync();
    }

    /// <summary>Completes when the answers that are over have gone out to every socket that takes them.</summary>
    public Task IdleAsync() => Task.WhenAll(_open.Values.Select(client => client.Socket.IdleAsync()));

    public void Dispose() => _expiry.Dispose();

    /// <summary>Ends the sockets whose tokens have expired, at most a tick after they did.</summary>
    private void CloseExpired()
    {
        var now = _time.GetUtcNow();
        foreach (var (connection, client) in _open)
        {
            if (!(client.ExpiresAt <= now))
                continue;
            string reason = AuthFailure.Expired.Describe();
            // Whoever has not taken the message within a tick is closed without.
            _ = client.TryTell() ? client.Socket.ExpireAsync(reason).AsTask() : connection.CloseAsync(CloseCode.PolicyViolation, reason).AsTask();
        }
    }

    // docs/protocol.md has the table. Paths that two contracts share are told apart by what the front end of each sends.
    private static ChatDialect DialectOf(WebSocketRequest request)
    {
        string path = request.Path;
        if (path.StartsWith("/ws/codes", StringComparison.Ordinal))
            return ChatDialect.Codes;
        if (request.RouteValues.ContainsKey("session_id"))
            return ChatDialect.Session;
        if (path is not ("/ws" or "/ws/"))
            return ChatDialect.Message;
        if (request.TryGetQuery("user_id", out _))
            return ChatDialect.Conversation;
        return path == "/ws/" || request.TryGetQuery("token", out _) ? ChatDialect.Text : ChatDialect.Conversation;
    }

    private async ValueTask<UpgradeRefusal?> AdmitAsync(WebSocketRequest request, ChatDialect dialect, AuthenticatedUser user)
    {
        // A user_id beside a token must be its user's: nobody else is there for them.
        if (request.TryGetQuery("user_id", out string? claimed) && claimed != user.Id)
            return new UpgradeRefusal(404, "User not found.");
        // Users of seed 004 are made beforehand; an id that nobody made is a mistake.
        bool trusted = user.ExpiresAt is null;
        var record = dialect == ChatDialect.Codes && trusted ? await _users.FindAsync(user.Id) : await _users.GetOrAddAsync(user);
        if (record is null)
            return new UpgradeRefusal(404, "User not found.");
        request.State = new Admission(dialect, new ChatSocketRequest { User = record, SessionId = SessionOf(request) }, user.ExpiresAt);
        return null;
    }

    private UpgradeRefusal? Decide(WebSocketRequest request, ChatDialect dialect, CredentialRequest credentials, AuthFailure failure)
    {
        bool trusts = failure == AuthFailure.NoCredentials && _authenticator.IdentifyByUserId(credentials, "anybody").User is not null;
        if (dialect == ChatDialect.Codes && trusts)
        {
            request.State = new Admission(dialect, new ChatSocketRequest { TrustUserId = true }, null);
            return null;
        }
        // Seed 000 closes "with an appropriate error message", which a browser sees only on an open socket.
        if (dialect == ChatDialect.Text)
        {
            request.State = new Admission(dialect, new ChatSocketRequest { AuthError = failure.Describe() }, null);
            return null;
        }
        return new UpgradeRefusal(failure.StatusCode(), failure.Describe(), [new("WWW-Authenticate", failure.Challenge())]);
    }

    private static string? SessionOf(WebSocketRequest request)
    {
        if (request.RouteValues.TryGetValue("session_id", out string? id))
            return id;
        return request.TryGetQuery("session_id", out id) || request.TryGetQuery("conversation_id", out id) ? id : null;
    }

    private sealed record Admission(ChatDialect Dialect, ChatSocketRequest Request, DateTimeOffset? ExpiresAt);

    private sealed record Client(ChatSocket Socket, DateTimeOffset? ExpiresAt)
    {
        private int _told;

        public bool TryTell() => Interlocked.Exchange(ref _told, 1) == 0;
    }
}
