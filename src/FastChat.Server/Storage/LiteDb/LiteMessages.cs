#if LITEDB
using FastChat.Storage;
using LiteDB;

namespace FastChat.Server.Storage.LiteDb;

/// <summary>Messages in LiteDB.</summary>
internal static class LiteMessages
{
    public static AppendResult? Append(
        LiteSession session, string userId, string conversationId, NewMessage message, string[] terms, long now)
    {
        if (LiteConversations.Find(session, userId, conversationId) is not { } conversation)
            return null;
        return Find(session, conversationId, message) is { } existing
            ? new AppendResult(Map(existing), Created: false)
            : new AppendResult(Insert(session, conversation, message, terms, now), Created: true);
    }

    /// <summary>Stores a message as the next of its conversation.</summary>
    public static MessageRecord Insert(LiteSession session, BsonDocument conversation, NewMessage message, string[] terms, long now)
    {
        string conversationId = conversation["_id"];
        long seq = conversation["seq"].AsInt64 + 1;
        var stored = new BsonDocument
        {
            ["_id"] = message.Id ?? StoreId.New(StoreClock.FromMicroseconds(now)),
            ["k"] = LiteSession.Key(conversationId, seq, ""),
            ["conversation"] = conversationId,
            ["user"] = conversation["user"],
            ["seq"] = seq,
            ["role"] = (int)message.Role,
            ["content"] = message.Content,
            ["created"] = now,
            ["status"] = (int)message.Status,
            ["terms"] = LiteSession.Terms(conversation["n"], terms),
        };
        SetOptional(stored, conversationId, message);
        session.Messages.Insert(stored);
        conversation["seq"] = seq;
        LiteConversations.Touch(conversation, now);
        session.Conversations.Update(conversation);
        return Map(stored);
    }

    public static Page<MessageRecord>? List(LiteSession session, string userId, string conversationId, PageRequest page)
    {
        long limit = Cursor.LimitPlusOne(page);
        if (LiteConversations.Find(session, userId, conversationId) is null)
            return null;
        long before = Cursor.ReadSeq(page.Before, id => FindById(session, conversationId, id)?["seq"].AsInt64);
        var messages = LiteSession.Newest(session.Messages, conversationId, LiteSession.Key(conversationId, before, ""), limit);
        var found = messages.ConvertAll(Map);
        var newestFirst = Cursor.Page(found, page.Limit, message => $"{message.Seq}");
        found.Reverse();
        return newestFirst;
    }

    public static MessageRecord? Get(LiteSession session, string userId, string id) =>
        session.Messages.FindById(id) is { } message && message["user"].AsString == userId ? Map(message) : null;

    public static IReadOnlyList<MessageRecord> Turn(LiteSession session, string userId, string conversationId, string turnId) =>
        LiteConversations.Find(session, userId, conversationId) is null
            ? []
            : [.. session.Messages.Find(LiteSession.Equal("turn", LiteSession.Hashed(conversationId, turnId)))
                .Select(Map).OrderBy(message => message.Seq)];

    private static BsonDocument? Find(LiteSession session, string conversationId, NewMessage message)
    {
        var existing = message.ClientMessageId is null
            ? null
            : session.Messages.FindOne(LiteSession.Equal("client", LiteSession.Hashed(conversationId, message.ClientMessageId)));
        return existing ?? (message.Id is null ? null : FindById(session, conversationId, message.Id));
    }

    private static BsonDocument? FindById(LiteSession session, string conversationId, string id) =>
        session.Messages.FindById(id) is { } message && message["conversation"].AsString == conversationId ? message : null;

    private static void SetOptional(BsonDocument stored, string conversationId, NewMessage message)
    {
        if (message.TurnId is not null)
            (stored["turn"], stored["turn_id"]) = (LiteSession.Hashed(conversationId, message.TurnId), message.TurnId);
        if (message.ClientMessageId is not null)
            (stored["client"], stored["client_id"]) = (LiteSession.Hashed(conversationId, message.ClientMessageId), message.ClientMessageId);
        if (message.Usage is { } usage)
            (stored["prompt_tokens"], stored["completion_tokens"]) = (usage.PromptTokens, usage.CompletionTokens);
        stored["model"] = LiteSession.Text(message.Model);
        stored["finish"] = LiteSession.Text(message.FinishReason);
        stored["sources"] = LiteSession.Text(message.SourcesJson);
    }

    // A field that is not there reads as null.
    private static MessageRecord Map(BsonDocument message) => new()
    {
        Id = message["_id"],
        ConversationId = message["conversation"],
        Seq = message["seq"],
        Role = (MessageRole)message["role"].AsInt32,
        Content = message["content"],
        CreatedAt = LiteSession.Time(message["created"]),
        TurnId = LiteSession.Text(message["turn_id"]),
        ClientMessageId = LiteSession.Text(message["client_id"]),
        Model = LiteSession.Text(message["model"]),
        FinishReason = LiteSession.Text(message["finish"]),
        Usage = message["prompt_tokens"].IsNull ? null : new TokenUsage(message["prompt_tokens"], message["completion_tokens"]),
        SourcesJson = LiteSession.Text(message["sources"]),
        Status = (MessageStatus)message["status"].AsInt32,
    };
}
#endif
