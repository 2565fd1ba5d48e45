using System.Data.Common;
using FastChat.Storage;

namespace FastChat.Server.Storage.Sql;

/// <summary>Documents and their passages in SQL.</summary>
internal static class DocumentRows
{
    /// <param name="session">Where to.</param>
    /// <param name="search">Where to index.</param>
    /// <param name="document">What.</param>
    /// <param name="terms">For each passage, its words.</param>
    /// <param name="now">The time.</param>
    public static DocumentRecord? Add(SqlSession session, SqlSearch search, NewDocument document, IReadOnlyList<string> terms, long now)
    {
        if (UserRows.Key(session, document.OwnerId) is not { } owner
            || ChatbotRows.Keys(session, document.OwnerId, document.ChatbotId) is not { } chatbot)
            return null;
        string id = StoreId.New(StoreClock.FromMicroseconds(now));
        long key = session.Number(SqlText.InsertDocument, ("@id", id), ("@chatbot", chatbot.Key), ("@owner", owner),
            ("@name", StoredText.Clean(document.FileName)), ("@type", StoredText.Clean(document.ContentType)), ("@size", document.Size),
            ("@passages", (long)document.Passages.Count), ("@text", StoredText.Clean(document.Text)), ("@time", now))!.Value;
        for (int i = 0; i < document.Passages.Count; i++)
        {
            long passage = session.Number(SqlText.InsertPassage,
                ("@document", key), ("@place", (long)i), ("@text", StoredText.Clean(document.Passages[i])))!.Value;
            search.AddPassage(session, passage, new PassageScope(chatbot.Key, owner, key), terms[i]);
        }
        return Get(session, document.OwnerId, id);
    }

    public static DocumentRecord? Get(SqlSession session, string userId, string id) =>
        session.First(SqlText.GetDocument, Map, ("@id", id), ("@user", userId));

    public static DocumentRecord? GetByName(SqlSession session, string userId, string fileName) =>
        session.First(SqlText.GetDocumentByName, Map, ("@user", userId), ("@name", fileName));

    public static string? Text(SqlSession session, string userId, string id) =>
        session.First(SqlText.GetDocumentText, row => row.GetString(0), ("@id", id), ("@user", userId));

    public static Page<DocumentRecord>? List(SqlSession session, string userId, string chatbotId, PageRequest page)
    {
        if (ChatbotRows.Keys(session, userId, chatbotId) is not { } chatbot)
            return null;
        var from = Cursor.Read(page.Before,
            id => Get(session, userId, id) is { } found ? new Cursor(StoreClock.ToMicroseconds(found.CreatedAt), found.Id) : null);
        var documents = session.List(SqlText.ListDocuments, Map, ("@chatbot", chatbot.Key), ("@user", userId), ("@time", from.Time),
            ("@before", from.Id), ("@limit", Cursor.LimitPlusOne(page)));
        return Cursor.Page(documents, page.Limit, document => Cursor.Write(document.CreatedAt, document.Id));
    }

    public static bool Delete(SqlSession session, string userId, string id) =>
        session.Execute(SqlText.DeleteDocument, ("@id", id), ("@user", userId)) > 0;

    private static DocumentRecord Map(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        ChatbotId = row.GetString(1),
        OwnerId = row.GetString(2),
        FileName = row.GetString(3),
        ContentType = row.GetString(4),
        Size = row.GetInt64(5),
        PassageCount = row.GetInt32(6),
        CreatedAt = row.Time(7),
    };
}
