#if LITEDB
using System.Globalization;
using FastChat.Storage;
using FastChat.Storage.Retrieval;
using LiteDB;

namespace FastChat.Server.Storage.LiteDb;

/// <summary>Conversations in LiteDB.</summary>
internal static class LiteConversations
{
    public static CreatedConversation? Create(
        LiteSession session, NewConversation conversation, (NewMessage Message, string[] Terms)? first, long now)
    {
        if (LiteUsers.Number(session, conversation.UserId) is not { } user
            || LiteChatbots.Get(session, conversation.UserId, conversation.ChatbotId) is null)
            return null;
        string id = StoreId.New(StoreClock.FromMicroseconds(now)), title = StoredText.Clean(conversation.Title);
        var made = new BsonDocument
        {
            ["_id"] = id,
            ["n"] = user,
            ["user"] = conversation.UserId,
            ["chatbot"] = conversation.ChatbotId,
            ["title"] = title,
            ["prompt"] = LiteSession.Text(string.IsNullOrEmpty(conversation.SystemPrompt) ? null : StoredText.Clean(conversation.SystemPrompt)),
            ["created"] = now,
            ["seq"] = 0L,
            ["terms"] = TitleTerms(user, title),
        };
        Touch(made, now);
        session.Conversations.Insert(made);
        var message = first is null ? null : LiteMessages.Insert(session, made, first.Value.Message, first.Value.Terms, now);
        return new CreatedConversation(Map(made), message);
    }

    public static ConversationRecord? Get(LiteSession session, string userId, string id) =>
        Find(session, userId, id) is { } conversation ? Map(conversation) : null;

    public static Page<ConversationRecord> List(LiteSession session, string userId, PageRequest page, string? chatbotId)
    {
        long limit = Cursor.LimitPlusOne(page);
        var from = From(session, userId, page);
        if (LiteUsers.Number(session, userId) is not { } user)
            return new Page<ConversationRecord>([], null);
        string scope = Scope(user);
        var filter = chatbotId is null ? null : BsonExpression.Create("$.chatbot = @0", chatbotId);
        var found = LiteSession.Newest(
            session.Conversations, scope, from == Cursor.Newest ? null : LiteSession.Key(scope, from.Time, from.Id), limit, filter);
        return Cursor.Page(found.ConvertAll(Map), page.Limit, conversation => Cursor.Write(conversation.UpdatedAt, conversation.Id));
    }

    public static ConversationRecord? Update(LiteSession session, string userId, string id, ConversationChanges changes, long now)
    {
        if (Find(session, userId, id) is not { } conversation)
            return null;
        if (changes.Title is not null)
        {
            string title = StoredText.Clean(changes.Title);
            conversation["title"] = title;
            conversation["terms"] = TitleTerms(conversation["n"], title);
            Touch(conversation, now);
        }
        if (changes.SystemPrompt is not null)
            conversation["prompt"] = changes.SystemPrompt.Length == 0 ? BsonValue.Null : StoredText.Clean(changes.SystemPrompt);
        session.Conversations.Update(conversation);
        return Map(conversation);
    }

    public static bool Delete(LiteSession session, string userId, string id)
    {
        if (Find(session, userId, id) is null)
            return false;
        session.Messages.DeleteMany(LiteSession.Within("k", id));
        return session.Conversations.Delete(id);
    }

    /// <summary>The user's conversation as it is stored, or null.</summary>
    public static BsonDocument? Find(LiteSession session, string userId, string id) =>
        session.Conversations.FindById(id) is { } conversation && conversation["user"].AsString == userId ? conversation : null;

    /// <summary>Makes a conversation the last changed.</summary>
    public static void Touch(BsonDocument conversation, long now)
    {
        conversation["updated"] = now;
        conversation["k"] = LiteSession.Key(Scope(conversation["n"]), now, conversation["_id"]);
    }

    /// <summary>Where a list of the user's conversations continues.</summary>
    public static Cursor From(LiteSession session, string userId, PageRequest page) => Cursor.Read(page.Before,
        id => Find(session, userId, id) is { } found ? new Cursor(found["updated"], id) : null);

    public static ConversationRecord Map(BsonDocument conversation) => new()
    {
        Id = conversation["_id"],
        UserId = conversation["user"],
        ChatbotId = conversation["chatbot"],
        Title = conversation["title"],
        SystemPrompt = LiteSession.Text(conversation["prompt"]),
        CreatedAt = LiteSession.Time(conversation["created"]),
        UpdatedAt = LiteSession.Time(conversation["updated"]),
        MessageCount = (int)conversation["seq"].AsInt64,
    };

    private static string Scope(long user) => user.ToString(CultureInfo.InvariantCulture);

    private static BsonArray TitleTerms(long user, string title) =>
        LiteSession.Terms(user, SearchTerms.Of(title).Select(term => term.Text));
}
#endif
