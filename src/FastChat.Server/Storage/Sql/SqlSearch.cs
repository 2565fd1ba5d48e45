using FastChat.Storage;

namespace FastChat.Server.Storage.Sql;

/// <summary>Whose a passage is, by keys.</summary>
internal readonly record struct PassageScope(long Chatbot, long Owner, long Document);

/// <summary>
/// Where to look for passages: in one document, in a chatbot's documents of up to two owners, or in all of an owner's.
/// </summary>
internal readonly record struct PassageFilter(long? Document, long? Chatbot, long Owner, long? OtherOwner);

/// <summary>Full-text search, which is each database's own. Stateless. Terms are those of <c>SearchTerms</c>.</summary>
internal abstract class SqlSearch
{
    public abstract void AddMessage(SqlSession session, long key, long user, string terms);

    public abstract void SetTitle(SqlSession session, long key, long user, string title);

    public abstract void AddPassage(SqlSession session, long key, PassageScope scope, string terms);

    /// <summary>
    /// The user's conversations of which the title or one message holds words that start with all of <paramref name="terms"/>, with the
    /// newest such message: its id and its content.
    /// </summary>
    public abstract List<(ConversationRecord Conversation, string? MessageId, string? Content)> Conversations(
        SqlSession session, long user, IReadOnlyList<string> terms, Cursor from, long limit);

    /// <summary>The passages that hold any of <paramref name="terms"/>, best first; <see cref="PassageHit.Coverage"/> is not set.</summary>
    public abstract List<PassageHit> Passages(SqlSession session, PassageFilter filter, IReadOnlyList<string> terms, int limit);
}
