#if LITEDB
using FastChat.Storage;
using LiteDB;

namespace FastChat.Server.Storage.LiteDb;

/// <summary>Chatbots in LiteDB.</summary>
internal static class LiteChatbots
{
    private const string All = "b";

    public static BsonDocument Assistant(long now) =>
        Document(ChatbotRecord.AssistantId, ChatbotRecord.AssistantName, null, "", null, ChatbotVisibility.Public, now);

    public static ChatbotRecord? Create(LiteSession session, NewChatbot chatbot, long now)
    {
        if (LiteUsers.Number(session, chatbot.OwnerId) is null)
            return null;
        var made = Document(StoreId.New(StoreClock.FromMicroseconds(now)), StoredText.Clean(chatbot.Name), StoredText.Clean(chatbot.Model),
            StoredText.Clean(chatbot.SystemPrompt), chatbot.OwnerId, chatbot.Visibility, now);
        session.Chatbots.Insert(made);
        return Map(made);
    }

    public static ChatbotRecord? Get(LiteSession session, string userId, string id) =>
        session.Chatbots.FindById(id) is { } found && Map(found) is var chatbot
            && (chatbot.Visibility == ChatbotVisibility.Public || chatbot.OwnerId == userId) ? chatbot : null;

    public static Page<ChatbotRecord> List(LiteSession session, string userId, PageRequest page)
    {
        long limit = Cursor.LimitPlusOne(page);
        var from = Cursor.Read(page.Before,
            id => Get(session, userId, id) is { } bot ? new Cursor(StoreClock.ToMicroseconds(bot.CreatedAt), id) : null);
        var visible = BsonExpression.Create("($.visibility = 1 OR $.owner = @0)", userId);
        var chatbots = LiteSession.Newest(
            session.Chatbots, All, from == Cursor.Newest ? null : LiteSession.Key(All, from.Time, from.Id), limit, visible);
        return Cursor.Page(chatbots.ConvertAll(Map), page.Limit, chatbot => Cursor.Write(chatbot.CreatedAt, chatbot.Id));
    }

    public static ChatbotRecord? Update(LiteSession session, string userId, string id, ChatbotChanges changes, long now)
    {
        if (Owned(session, userId, id) is not { } chatbot)
            return null;
        if (changes.Name is not null)
            chatbot["name"] = StoredText.Clean(changes.Name);
        if (changes.Model is not null)
            chatbot["model"] = changes.Model.Length == 0 ? BsonValue.Null : StoredText.Clean(changes.Model);
        if (changes.SystemPrompt is not null)
            chatbot["prompt"] = StoredText.Clean(changes.SystemPrompt);
        if (changes.Visibility is { } visibility)
            chatbot["visibility"] = (int)visibility;
        chatbot["updated"] = now;
        session.Chatbots.Update(chatbot);
        return Map(chatbot);
    }

    public static bool Delete(LiteSession session, string userId, string id)
    {
        if (Owned(session, userId, id) is null)
            return false;
        foreach (var document in session.Documents.Find(LiteSession.Equal("chatbot", id)).ToList())
            LiteDocuments.Delete(session, document["_id"]);
        foreach (var conversation in session.Conversations.Find(LiteSession.Equal("chatbot", id)).ToList())
        {
            conversation["chatbot"] = ChatbotRecord.AssistantId;
            session.Conversations.Update(conversation);
        }
        return session.Chatbots.Delete(id);
    }

    private static BsonDocument? Owned(LiteSession session, string userId, string id) =>
        session.Chatbots.FindById(id) is { } chatbot && LiteSession.Text(chatbot["owner"]) == userId ? chatbot : null;

    private static BsonDocument Document(
        string id, string name, string? model, string prompt, string? owner, ChatbotVisibility visibility, long now) => new()
        {
            ["_id"] = id,
            ["k"] = LiteSession.Key(All, now, id),
            ["name"] = name,
            ["model"] = LiteSession.Text(model),
            ["prompt"] = prompt,
            ["owner"] = LiteSession.Text(owner),
            ["visibility"] = (int)visibility,
            ["created"] = now,
            ["updated"] = now,
        };

    private static ChatbotRecord Map(BsonDocument chatbot) => new()
    {
        Id = chatbot["_id"],
        Name = chatbot["name"],
        Model = LiteSession.Text(chatbot["model"]),
        SystemPrompt = chatbot["prompt"],
        OwnerId = LiteSession.Text(chatbot["owner"]),
        Visibility = (ChatbotVisibility)chatbot["visibility"].AsInt32,
        CreatedAt = LiteSession.Time(chatbot["created"]),
        UpdatedAt = LiteSession.Time(chatbot["updated"]),
    };
}
#endif
