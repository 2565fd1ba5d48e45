using System.Diagnostics.CodeAnalysis;
using FastChat.Diagnostics;
using FastChat.Storage;
using Microsoft.Extensions.Logging;

namespace FastChat.Chat;

/// <summary>
/// The sessions of all users (seed 002): one a user, a new one ends the old. A session without a socket ends after a grace period, one that
/// nobody uses after a longer time. Safe for concurrent use.
/// </summary>
public sealed class ChatSessions
{
    private readonly IChatStore _store;
    private readonly ChatEngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ChatMetrics _metrics;
    private readonly ILogger _logger;
    private readonly LiveConversations _live;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ChatSession> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ChatSession> _byUser = new(StringComparer.Ordinal);

    internal ChatSessions(
        IChatStore store, ChatEngineOptions options, TimeProvider time, ChatMetrics metrics, ILogger logger, LiveConversations live) =>
        (_store, _options, _time, _metrics, _logger, _live) = (store, options, time, metrics, logger, live);

    /// <summary>Opens a session; the one the user had before ends with <see cref="SessionEnd.Replaced"/>.</summary>
    /// <exception cref="ChatException">
    /// <see cref="ChatErrorCode.NotFound"/>: no such chatbot, or no such conversation with it. <see cref="ChatErrorCode.Overloaded"/>.
    /// </exception>
    public async ValueTask<OpenedSession> OpenAsync(SessionRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var chatbot = await _store.GetChatbotAsync(request.UserId, request.ChatbotId, cancellationToken)
            ?? throw ChatException.NotFound("Chatbot");
        var conversation = await ChooseConversationAsync(request, cancellationToken);
        var messages = conversation.MessageCount == 0 || _options.MaxPreviousMessages == 0 ? null : await _store.ListMessagesAsync(
            request.UserId, conversation.Id, new PageRequest(_options.MaxPreviousMessages), cancellationToken);
        var session = new ChatSession(StoreId.New(_time.GetUtcNow()), conversation, chatbot, _time.GetTimestamp());
        ChatSession? old;
        ISessionSocket[] sockets = [];
        lock (_gate)
        {
            if (_byUser.TryGetValue(session.UserId, out old))
                sockets = RemoveLocked(old);
            else if (_byId.Count >= _options.MaxSessions)
                throw new ChatException(ChatErrorCode.Overloaded, "Too many sessions are open. Please try again later.");
            _byId.Add(session.Id, session);
            _byUser.Add(session.UserId, session);
        }
        if (old is not null)
            Tell(old, sockets, SessionEnd.Replaced);
        _metrics.SessionsChanged(1);
        ChatLog.SessionOpened(_logger, session.Id, session.UserId, session.ConversationId);
        return new OpenedSession(session, conversation, messages?.Items ?? []);
    }

    /// <summary>Returns one of the user's sessions, or null.</summary>
    public ChatSession? Find(string userId, string sessionId)
    {
        lock (_gate)
            return _byId.TryGetValue(sessionId, out var session) && session.UserId == userId ? session : null;
    }

    /// <summary>Ends one of the user's sessions; its sockets are told and closed. A running answer goes on. False when there is none.</summary>
    public bool Close(string userId, string sessionId) => Find(userId, sessionId) is { } session && End(session, SessionEnd.Deleted);

    /// <summary>How many sessions are open.</summary>
    public int Count { get { lock (_gate) return _byId.Count; } }

    /// <summary>Puts a socket on a session. False when the session is not there, not this user's, or has as many sockets as it may.</summary>
    internal bool TryAttach(string userId, string sessionId, ISessionSocket socket, [NotNullWhen(true)] out ChatSession? session, out ChatError? error)
    {
        lock (_gate)
        {
            error = null;
            if (!_byId.TryGetValue(sessionId, out session) || session.UserId != userId)
                error = new ChatError(ChatErrorCode.NotFound, "Session not found.");
            else if (session.Sockets.Count >= _options.MaxSocketsPerSession)
                error = new ChatError(ChatErrorCode.Overloaded, "This session has too many connections.");
            if (error is not null || session is null)
            {
                session = null;
                return false;
            }
            session.Sockets.Add(socket);
        }
        Touch(session);
        return true;
    }

    internal void Detach(ChatSession session, ISessionSocket socket)
    {
        lock (_gate)
        {
            if (session.Sockets.Remove(socket) && session.Sockets.Count == 0)
                session.DetachedAt = _time.GetTimestamp();
        }
    }

    internal void Touch(ChatSession session) => session.UsedAt = _time.GetTimestamp();

    internal void CloseConversation(string conversationId)
    {
        ChatSession[] sessions;
        lock (_gate)
            sessions = [.. _byId.Values.Where(s => s.ConversationId == conversationId)];
        foreach (var session in sessions)
            End(session, SessionEnd.Deleted);
    }

    internal void Sweep()
    {
        List<(ChatSession Session, SessionEnd Reason)> over = [];
        lock (_gate)
        {
            foreach (var session in _byId.Values)
            {
                if (session.Sockets.Count == 0 && _time.GetElapsedTime(session.DetachedAt) >= _options.SessionGracePeriod)
                    over.Add((session, SessionEnd.Detached));
                else if (_time.GetElapsedTime(session.UsedAt) >= _options.SessionIdleTimeout
                    && _live.Find(session.ConversationId) is not { IsBusy: true })
                    over.Add((session, SessionEnd.Idle));
            }
        }
        foreach (var (session, reason) in over)
            End(session, reason);
    }

    private async Task<ConversationRecord> ChooseConversationAsync(SessionRequest request, CancellationToken cancellationToken)
    {
        if (request is { ConversationId: { } id, StartNew: false })
        {
            var wanted = await _store.GetConversationAsync(request.UserId, id, cancellationToken);
            return wanted?.ChatbotId == request.ChatbotId ? wanted : throw ChatException.NotFound("Conversation");
        }
        if (!request.StartNew)
        {
            var latest = await _store.ListConversationsAsync(request.UserId, new PageRequest(1), request.ChatbotId, cancellationToken);
            if (latest.Items is [var conversation])
                return conversation;
        }
        var created = await _store.CreateConversationAsync(
            new NewConversation(request.UserId, request.ChatbotId), null, cancellationToken);
        return created?.Conversation ?? throw ChatException.NotFound("Chatbot");
    }

    private bool End(ChatSession session, SessionEnd reason)
    {
        ISessionSocket[] sockets;
        lock (_gate)
        {
            // A socket may have come between the sweep's look and now: a session in use does not end for want of one.
            if (!_byId.ContainsKey(session.Id) || (reason == SessionEnd.Detached && session.Sockets.Count > 0))
                return false;
            sockets = RemoveLocked(session);
        }
        Tell(session, sockets, reason);
        return true;
    }

    private ISessionSocket[] RemoveLocked(ChatSession session)
    {
        _byId.Remove(session.Id);
        _byUser.Remove(session.UserId);
        ISessionSocket[] sockets = [.. session.Sockets];
        session.Sockets.Clear();
        return sockets;
    }

    private void Tell(ChatSession session, ISessionSocket[] sockets, SessionEnd reason)
    {
        _metrics.SessionsChanged(-1);
        ChatLog.SessionClosed(_logger, session.Id, session.UserId, reason);
        foreach (var socket in sockets)
            socket.OnSessionEnded(reason);
    }
}
