using System.Data.Common;
using FastChat.Storage;

namespace FastChat.Server.Storage.Sql;

/// <summary>Messages in SQL.</summary>
internal static class MessageRows
{
    public static AppendResult? Append(
        SqlSession session, SqlSearch search, string userId, string conversationId, NewMessage message, string terms, long now)
    {
        if (UserRows.Key(session, userId) is not { } user || ConversationRows.Key(session, userId, conversationId) is not { } conversation)
            return null;
        return Find(session, conversation, message) is { } existing
            ? new AppendResult(existing, Created: false)
            : new AppendResult(Insert(session, search, (conversation, user), conversationId, message, terms, now), Created: true);
    }

    /// <summary>Stores a message as the next of its conversation.</summary>
    public static MessageRecord Insert(SqlSession session, SqlSearch search, (long Conversation, long User) keys, string conversationId,
        NewMessage message, string terms, long now)
    {
        long seq = session.Number(SqlText.NextSeq, ("@time", now), ("@conversation", keys.Conversation))!.Value;
        var stored = new MessageRecord
        {
            Id = message.Id ?? StoreId.New(StoreClock.FromMicroseconds(now)),
            ConversationId = conversationId,
            Seq = seq,
            Role = message.Role,
            Content = message.Content,
            CreatedAt = StoreClock.FromMicroseconds(now),
            TurnId = message.TurnId,
            ClientMessageId = message.ClientMessageId,
            Model = message.Model,
            FinishReason = message.FinishReason,
            Usage = message.Usage,
            SourcesJson = message.SourcesJson,
            Status = message.Status,
        };
        long key = session.Number(SqlText.InsertMessage,
            ("@id", stored.Id), ("@conversation", keys.Conversation), ("@seq", seq), ("@role", (long)stored.Role),
            ("@content", stored.Content), ("@time", now), ("@turn", stored.TurnId), ("@client", stored.ClientMessageId),
            ("@model", stored.Model), ("@finish", stored.FinishReason), ("@prompt", stored.Usage?.PromptTokens),
            ("@completion", stored.Usage?.CompletionTokens), ("@sources", stored.SourcesJson), ("@status", (long)stored.Status))!.Value;
        search.AddMessage(session, key, keys.User, terms);
        return stored;
    }

    public static Page<MessageRecord>? List(SqlSession session, string userId, string conversationId, PageRequest page)
    {
        long limit = Cursor.LimitPlusOne(page);
        if (ConversationRows.Key(session, userId, conversationId) is not { } conversation)
            return null;
        long before = Cursor.ReadSeq(page.Before, id => FindById(session, conversation, id)?.Seq);
        var messages = session.List(
            SqlText.ListMessages, Map, ("@conversation", conversation), ("@before", before), ("@limit", limit));
        var newestFirst = Cursor.Page(messages, page.Limit, message => $"{message.Seq}");
        messages.Reverse();
        return newestFirst;
    }

    public static MessageRecord? Get(SqlSession session, string userId, string id) =>
        session.First(SqlText.GetMessage, Map, ("@id", id), ("@user", userId));

    public static List<MessageRecord> Turn(SqlSession session, string userId, string conversationId, string turnId) =>
        ConversationRows.Key(session, userId, conversationId) is { } conversation
            ? session.List(SqlText.ListTurn, Map, ("@conversation", conversation), ("@turn", turnId))
            : [];

    private static MessageRecord? Find(SqlSession session, long conversation, NewMessage message)
    {
        var existing = message.ClientMessageId is null
            ? null
            : session.First(SqlText.FindByClientId, Map, ("@conversation", conversation), ("@client", message.ClientMessageId));
        return existing ?? (message.Id is null ? null : FindById(session, conversation, message.Id));
    }

    private static MessageRecord? FindById(SqlSession session, long conversation, string id) =>
        session.First(SqlText.FindById, Map, ("@conversation", conversation), ("@id", id));

    private static MessageRecord Map(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        ConversationId = row.GetString(1),
        Seq = row.GetInt64(2),
        Role = (MessageRole)row.GetInt64(3),
        Content = row.GetString(4),
        CreatedAt = row.Time(5),
        TurnId = row.Text(6),
        ClientMessageId = row.Text(7),
        Model = row.Text(8),
        FinishReason = row.Text(9),
        Usage = row.IsDBNull(10) ? null : new TokenUsage(row.GetInt64(10), row.GetInt64(11)),
        SourcesJson = row.Text(12),
        Status = (MessageStatus)row.GetInt64(13),
    };
}
