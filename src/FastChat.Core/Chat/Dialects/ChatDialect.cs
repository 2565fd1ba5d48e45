using FastChat.Storage;

namespace FastChat.Chat.Dialects;

/// <summary>The languages that sockets speak; docs/protocol.md has every message of each. All of them understand the numeric codes too.</summary>
public enum ChatDialect
{
    /// <summary>Seed 000: text or <c>{message}</c> in, the answer out.</summary>
    Text,
    /// <summary>Seed 001: <c>{message, session_id}</c> both ways.</summary>
    Message,
    /// <summary>Seed 002: sessions and streaming.</summary>
    Session,
    /// <summary>Seed 003: <c>{type: "message", content}</c> in, <c>{type: "response", content}</c> out.</summary>
    Conversation,
    /// <summary>Seed 004: an integer <c>type</c> with <c>data</c>.</summary>
    Codes,
}

/// <summary>Who opened a socket, and with what.</summary>
public sealed record ChatSocketRequest
{
    /// <summary>The user, authenticated by the host; null when that failed, or when <see cref="TrustUserId"/> lets messages say who it is.</summary>
    public UserRecord? User { get; init; }

    /// <summary>Why authentication failed, one sentence for the user; null for a general one.</summary>
    public string? AuthError { get; init; }

    /// <summary>
    /// The <c>session_id</c> (or <c>conversation_id</c>) of path or query: a session for <see cref="ChatDialect.Session"/>, a conversation
    /// for the others. Null or empty for none.
    /// </summary>
    public string? SessionId { get; init; }

    /// <summary>Without a <see cref="User"/>: believe the <c>user_id</c> of each numeric message. Only where the network can be trusted.</summary>
    public bool TrustUserId { get; init; }
}
