using System.Data.Common;
using FastChat.Storage;

namespace FastChat.Server.Storage.Sql;

/// <summary>Conversations in SQL.</summary>
internal static class ConversationRows
{
    public static CreatedConversation? Create(
        SqlSession session, SqlSearch search, NewConversation conversation, (NewMessage Message, string Terms)? first, long now)
    {
        if (UserRows.Key(session, conversation.UserId) is not { } user
            || ChatbotRows.Keys(session, conversation.UserId, conversation.ChatbotId) is not { } chatbot)
            return null;
        string id = StoreId.New(StoreClock.FromMicroseconds(now)), title = StoredText.Clean(conversation.Title);
        string? prompt = string.IsNullOrEmpty(conversation.SystemPrompt) ? null : StoredText.Clean(conversation.SystemPrompt);
        long key = session.Number(SqlText.InsertConversation, ("@id", id), ("@user", user), ("@chatbot", chatbot.Key), ("@title", title),
            ("@prompt", prompt), ("@time", now))!.Value;
        search.SetTitle(session, key, user, title);
        var message = first is null
            ? null
            : MessageRows.Insert(session, search, (key, user), id, first.Value.Message, first.Value.Terms, now);
        return new CreatedConversation(Get(session, conversation.UserId, id)!, message);
    }

    public static ConversationRecord? Get(SqlSession session, string userId, string id) =>
        session.First(SqlText.GetConversation, Map, ("@id", id), ("@user", userId));

    public static Page<ConversationRecord> List(SqlSession session, string userId, PageRequest page, string? chatbotId)
    {
        var from = From(session, userId, page);
        long limit = Cursor.LimitPlusOne(page);
        var conversations = chatbotId is null
            ? session.List(SqlText.ListConversations, Map,
                ("@user", userId), ("@time", from.Time), ("@before", from.Id), ("@limit", limit))
            : session.List(SqlText.ListConversationsOfChatbot, Map,
                ("@user", userId), ("@chatbot", chatbotId), ("@time", from.Time), ("@before", from.Id), ("@limit", limit));
        return Cursor.Page(conversations, page.Limit, conversation => Cursor.Write(conversation.UpdatedAt, conversation.Id));
    }

    public static ConversationRecord? Update(
        SqlSession session, SqlSearch search, string userId, string id, ConversationChanges changes, long now)
    {
        string? title = StoredText.Clean(changes.Title), prompt = StoredText.Clean(changes.SystemPrompt);
        var changed = session.Number(SqlText.UpdateConversation,
            ("@title", title), ("@prompt", prompt), ("@time", now), ("@id", id), ("@user", userId));
        if (changed is not { } key)
            return null;
        if (title is not null)
            search.SetTitle(session, key, UserRows.Key(session, userId)!.Value, title);
        return Get(session, userId, id);
    }

    public static bool Delete(SqlSession session, string userId, string id) =>
        session.Execute(SqlText.DeleteConversation, ("@id", id), ("@user", userId)) > 0;

    public static long? Key(SqlSession session, string userId, string id) =>
        session.Number(SqlText.ConversationKey, ("@id", id), ("@user", userId));

    /// <summary>Where a list of the user's conversations continues.</summary>
    public static Cursor From(SqlSession session, string userId, PageRequest page) => Cursor.Read(page.Before,
        id => Get(session, userId, id) is { } found ? new Cursor(StoreClock.ToMicroseconds(found.UpdatedAt), found.Id) : null);

    /// <summary>Reads <see cref="SqlText.ConversationColumns"/>.</summary>
    public static ConversationRecord Map(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        UserId = row.GetString(1),
        ChatbotId = row.GetString(2),
        Title = row.GetString(3),
        SystemPrompt = row.Text(4),
        CreatedAt = row.Time(5),
        UpdatedAt = row.Time(6),
        MessageCount = row.GetInt32(7),
    };
}
