using System.Data.Common;
using FastChat.Storage;

namespace FastChat.Server.Storage.Sql;

/// <summary>Chatbots in SQL.</summary>
internal static class ChatbotRows
{
    public static ChatbotRecord? Create(SqlSession session, NewChatbot chatbot, long now)
    {
        string id = StoreId.New(StoreClock.FromMicroseconds(now));
        int made = session.Execute(SqlText.InsertChatbot,
            ("@id", id), ("@name", StoredText.Clean(chatbot.Name)), ("@model", StoredText.Clean(chatbot.Model)),
            ("@prompt", StoredText.Clean(chatbot.SystemPrompt)), ("@visibility", (long)chatbot.Visibility), ("@time", now),
            ("@user", chatbot.OwnerId));
        return made > 0 ? Get(session, chatbot.OwnerId, id) : null;
    }

    public static ChatbotRecord? Get(SqlSession session, string userId, string id) =>
        session.First(SqlText.GetChatbot, Map, ("@id", id), ("@user", userId));

    public static Page<ChatbotRecord> List(SqlSession session, string userId, PageRequest page)
    {
        var from = Cursor.Read(page.Before, id => Get(session, userId, id) is { } chatbot ? At(chatbot) : null);
        var chatbots = session.List(SqlText.ListChatbots, Map,
            ("@user", userId), ("@time", from.Time), ("@before", from.Id), ("@limit", Cursor.LimitPlusOne(page)));
        return Cursor.Page(chatbots, page.Limit, chatbot => Cursor.Write(chatbot.CreatedAt, chatbot.Id));
    }

    public static ChatbotRecord? Update(SqlSession session, string userId, string id, ChatbotChanges changes, long now)
    {
        int changed = session.Execute(SqlText.UpdateChatbot,
            ("@name", StoredText.Clean(changes.Name)), ("@model", StoredText.Clean(changes.Model)),
            ("@prompt", StoredText.Clean(changes.SystemPrompt)),
            ("@visibility", (long?)changes.Visibility), ("@time", now), ("@id", id), ("@user", userId));
        return changed > 0 ? Get(session, userId, id) : null;
    }

    public static bool Delete(SqlSession session, string userId, string id) =>
        session.Execute(SqlText.DeleteChatbot, ("@id", id), ("@user", userId)) > 0;

    /// <summary>The keys of a chatbot that the user may use and of its owner (0: built in); null when there is none.</summary>
    public static (long Key, long Owner)? Keys(SqlSession session, string userId, string id) =>
        session.First<(long, long)?>(SqlText.ChatbotKeys, row => (row.GetInt64(0), row.IsDBNull(1) ? 0 : row.GetInt64(1)),
            ("@id", id), ("@user", userId));

    private static Cursor At(ChatbotRecord chatbot) => new(StoreClock.ToMicroseconds(chatbot.CreatedAt), chatbot.Id);

    private static ChatbotRecord Map(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        Name = row.GetString(1),
        Model = row.Text(2),
        SystemPrompt = row.GetString(3),
        OwnerId = row.Text(4),
        Visibility = (ChatbotVisibility)row.GetInt64(5),
        CreatedAt = row.Time(6),
        UpdatedAt = row.Time(7),
    };
}
