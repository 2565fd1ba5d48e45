#if LITEDB
using System.Globalization;
using FastChat.Storage;
using LiteDB;

namespace FastChat.Server.Storage.LiteDb;

/// <summary>Documents and their passages in LiteDB.</summary>
internal static class LiteDocuments
{
    private const int PieceLength = 1 << 20;

    public static DocumentRecord? Add(LiteSession session, NewDocument document, IReadOnlyList<string[]> terms, long now)
    {
        if (LiteUsers.Number(session, document.OwnerId) is not { } owner
            || LiteChatbots.Get(session, document.OwnerId, document.ChatbotId) is null)
            return null;
        string id = StoreId.New(StoreClock.FromMicroseconds(now));
        var made = new BsonDocument
        {
            ["_id"] = id,
            ["k"] = LiteSession.Key(Scope(owner, document.ChatbotId), now, id),
            ["n"] = owner,
            ["chatbot"] = document.ChatbotId,
            ["owner"] = document.OwnerId,
            ["name"] = StoredText.Clean(document.FileName),
            ["type"] = StoredText.Clean(document.ContentType),
            ["size"] = document.Size,
            ["passages"] = document.Passages.Count,
            ["words"] = terms.Sum(words => (long)words.Length),
            ["created"] = now,
        };
        session.Documents.Insert(made);
        string text = StoredText.Clean(document.Text);
        for (int at = 0, length; at < text.Length; at += length)
        {
            length = Math.Min(PieceLength, text.Length - at);
            if (char.IsHighSurrogate(text[at + length - 1]) && at + length < text.Length)
                length--;
            session.Texts.Insert(new BsonDocument { ["_id"] = Part(id, at), ["text"] = text.Substring(at, length) });
        }
        for (int i = 0; i < document.Passages.Count; i++)
        {
            session.Passages.Insert(new BsonDocument
            {
                ["_id"] = Part(id, i),
                ["document"] = id,
                ["chatbot"] = document.ChatbotId,
                ["place"] = i,
                ["text"] = StoredText.Clean(document.Passages[i]),
                ["terms"] = LiteSession.Terms(owner, terms[i]),
            });
        }
        return Map(made);
    }

    public static DocumentRecord? Get(LiteSession session, string userId, string id) =>
        Find(session, userId, id) is { } document ? Map(document) : null;

    public static DocumentRecord? GetByName(LiteSession session, string userId, string fileName) =>
        OfOwner(session, userId).Where(document => document["name"].AsString == fileName).MaxBy(document => document["created"].AsInt64)
            is { } document ? Map(document) : null;

    public static string? Text(LiteSession session, string userId, string id) => Find(session, userId, id) is null
        ? null
        : string.Concat(session.Texts.Query().Where(LiteSession.Within("_id", id)).OrderBy("$._id").ToList()
            .Select(piece => piece["text"].AsString));

    public static Page<DocumentRecord>? List(LiteSession session, string userId, string chatbotId, PageRequest page)
    {
        long limit = Cursor.LimitPlusOne(page);
        if (LiteChatbots.Get(session, userId, chatbotId) is null)
            return null;
        var from = Cursor.Read(page.Before, id => Find(session, userId, id) is { } found ? new Cursor(found["created"], id) : null);
        if (LiteUsers.Number(session, userId) is not { } owner)
            return new Page<DocumentRecord>([], null);
        string scope = Scope(owner, chatbotId);
        var found = LiteSession.Newest(
            session.Documents, scope, from == Cursor.Newest ? null : LiteSession.Key(scope, from.Time, from.Id), limit);
        return Cursor.Page(found.ConvertAll(Map), page.Limit, document => Cursor.Write(document.CreatedAt, document.Id));
    }

    public static bool Delete(LiteSession session, string userId, string id) => Find(session, userId, id) is not null && Delete(session, id);

    /// <summary>Deletes a document, whosever it is, with its parts.</summary>
    public static bool Delete(LiteSession session, string id)
    {
        session.Texts.DeleteMany(LiteSession.Within("_id", id));
        session.Passages.DeleteMany(LiteSession.Within("_id", id));
        return session.Documents.Delete(id);
    }

    /// <summary>A user's documents as they are stored.</summary>
    public static List<BsonDocument> OfOwner(LiteSession session, string userId) =>
        LiteUsers.Number(session, userId) is { } owner
            ? [.. session.Documents.Find(LiteSession.Within("k", owner.ToString(CultureInfo.InvariantCulture)))]
            : [];

    private static BsonDocument? Find(LiteSession session, string userId, string id) =>
        session.Documents.FindById(id) is { } document && document["owner"].AsString == userId ? document : null;

    private static string Scope(long owner, string chatbotId) => string.Create(CultureInfo.InvariantCulture, $"{owner}/{chatbotId}");

    private static string Part(string id, int place) => string.Create(CultureInfo.InvariantCulture, $"{id}/{place:x8}");

    private static DocumentRecord Map(BsonDocument document) => new()
    {
        Id = document["_id"],
        ChatbotId = document["chatbot"],
        OwnerId = document["owner"],
        FileName = document["name"],
        ContentType = document["type"],
        Size = document["size"],
        PassageCount = document["passages"],
        CreatedAt = LiteSession.Time(document["created"]),
    };
}
#endif
