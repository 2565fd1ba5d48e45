using FastChat.Storage;

namespace FastChat.Chat;

/// <summary>Why a session ended.</summary>
public enum SessionEnd
{
    /// <summary>The same user opened another.</summary>
    Replaced,
    /// <summary>Its user deleted it, or its conversation.</summary>
    Deleted,
    /// <summary>Nobody used it for <see cref="ChatEngineOptions.SessionIdleTimeout"/>.</summary>
    Idle,
    /// <summary>It had no socket for <see cref="ChatEngineOptions.SessionGracePeriod"/>.</summary>
    Detached,
}

/// <summary>A socket on a session.</summary>
internal interface ISessionSocket
{
    /// <summary>The session is over. Must return at once and not throw.</summary>
    void OnSessionEnded(SessionEnd reason);
}

/// <summary>A live lease of a user on a conversation. Known to this process alone: a restart ends it, and the client opens another.</summary>
public sealed class ChatSession
{
    internal ChatSession(string id, ConversationRecord conversation, ChatbotRecord chatbot, long now)
    {
        Id = id;
        UserId = conversation.UserId;
        ConversationId = conversation.Id;
        ChatbotId = chatbot.Id;
        ChatbotName = chatbot.Name;
        UsedAt = DetachedAt = now;
    }

    /// <summary>Opaque and unguessable.</summary>
    public string Id { get; }

    /// <summary>Whose it is.</summary>
    public string UserId { get; }

    /// <summary>The conversation it is about.</summary>
    public string ConversationId { get; }

    /// <summary>The chatbot of that conversation.</summary>
    public string ChatbotId { get; }

    /// <summary>Its name when the session opened.</summary>
    public string ChatbotName { get; }

    /// <summary>When it was last used (a <see cref="TimeProvider"/> timestamp).</summary>
    internal long UsedAt { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>Since when it has no socket; meaningless while it has one. Guarded by <see cref="ChatSessions"/>, as the sockets are.</summary>
    internal long DetachedAt { get; set; }

    internal List<ISessionSocket> Sockets { get; } = new(1); // nearly always one
}

/// <summary>A session to be opened.</summary>
/// <param name="UserId">Who opens it.</param>
/// <param name="ChatbotId">The chatbot to talk to.</param>
public sealed record SessionRequest(string UserId, string ChatbotId)
{
    /// <summary>Which conversation with this chatbot to go on with; the one last changed when null, a new one when there is none.</summary>
    public string? ConversationId { get; init; }

    /// <summary>Starts a new conversation in any case.</summary>
    public bool StartNew { get; init; }
}

/// <summary>A session that was opened.</summary>
/// <param name="Session">The session.</param>
/// <param name="Conversation">Its conversation.</param>
/// <param name="PreviousMessages">The newest messages of its conversation, oldest first.</param>
public sealed record OpenedSession(ChatSession Session, ConversationRecord Conversation, IReadOnlyList<MessageRecord> PreviousMessages);
