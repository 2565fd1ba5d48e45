using System.Data.Common;
using FastChat.Server.Storage.Sql;
using FastChat.Storage;
using FastChat.Storage.Retrieval;

namespace FastChat.Server.Storage.Sqlite;

/// <summary>
/// Search with FTS5. Queries are built here from folded words alone, each in quotes: nothing that a user types is FTS5 syntax.
/// </summary>
internal sealed class SqliteSearch : SqlSearch
{
    private const string InsertMessage = "INSERT INTO message_search (rowid, scope, terms) VALUES (@key, @scope, @terms)";
    private const string InsertPassage = "INSERT INTO passage_search (rowid, scope, terms) VALUES (@key, @scope, @terms)";
    private const string DeleteTitle = "DELETE FROM title_search WHERE rowid = @key";
    private const string InsertTitle = "INSERT INTO title_search (rowid, scope, terms) VALUES (@key, @scope, @terms)";

    private const string FindConversations = "SELECT " + SqlText.ConversationColumns + ", m.id, m.content " +
        """
        FROM (SELECT conversation, max(message) AS message
              FROM (SELECT f.conversation_key AS conversation, f.key AS message
                    FROM message_search JOIN messages f ON f.key = message_search.rowid WHERE message_search MATCH @match
                    UNION ALL SELECT rowid, NULL FROM title_search WHERE title_search MATCH @match)
              GROUP BY conversation) hit
        JOIN conversations c ON c.key = hit.conversation JOIN users u ON u.key = c.user_key JOIN chatbots b ON b.key = c.chatbot_key
        LEFT JOIN messages m ON m.key = hit.message
        WHERE c.user_key = @user AND (c.updated_at, c.id) < (@time, @before)
        ORDER BY c.updated_at DESC, c.id DESC LIMIT @limit
        """;

    // The scope column has weight 0. FTS5's bm25 is negative, the best the lowest.
    private const string FindPassages =
        """
        SELECT d.id, d.file_name, p.place, p.text, -bm25(passage_search, 0.0, 1.0) AS score
        FROM passage_search JOIN passages p ON p.key = passage_search.rowid JOIN documents d ON d.key = p.document_key
        WHERE passage_search MATCH @match ORDER BY score DESC, p.key LIMIT @limit
        """;

    public override void AddMessage(SqlSession session, long key, long user, string terms) =>
        session.Execute(InsertMessage, ("@key", key), ("@scope", $"u{user}"), ("@terms", terms));

    public override void SetTitle(SqlSession session, long key, long user, string title)
    {
        session.Execute(DeleteTitle, ("@key", key));
        session.Execute(InsertTitle, ("@key", key), ("@scope", $"u{user}"), ("@terms", SearchTerms.ForIndex(title)));
    }

    public override void AddPassage(SqlSession session, long key, PassageScope scope, string terms) => session.Execute(InsertPassage,
        ("@key", key), ("@scope", $"b{scope.Chatbot} o{scope.Owner} d{scope.Document}"), ("@terms", terms));

    public override List<(ConversationRecord Conversation, string? MessageId, string? Content)> Conversations(
        SqlSession session, long user, IReadOnlyList<string> terms, Cursor from, long limit)
    {
        string match = $"scope : u{user} AND terms : ({string.Join(" AND ", terms.Select(term => $"\"{term}\" *"))})";
        return session.List(FindConversations, Map,
            ("@match", match), ("@user", user), ("@time", from.Time), ("@before", from.Id), ("@limit", limit));

        static (ConversationRecord, string?, string?) Map(DbDataReader row) => (ConversationRows.Map(row), row.Text(8), row.Text(9));
    }

    public override List<PassageHit> Passages(SqlSession session, PassageFilter filter, IReadOnlyList<string> terms, int limit)
    {
        var scope = new List<string>();
        if (filter.Document is { } document)
            scope.Add($"d{document}");
        if (filter.Chatbot is { } chatbot)
            scope.Add($"b{chatbot}");
        // A document was found to be the user's to read already.
        if (filter.Document is null)
            scope.Add(filter.OtherOwner is { } other ? $"(o{filter.Owner} OR o{other})" : $"o{filter.Owner}");
        string match = $"scope : ({string.Join(" AND ", scope)}) AND terms : ({string.Join(" OR ", terms.Select(term => $"\"{term}\""))})";
        return session.List(FindPassages, Map, ("@match", match), ("@limit", (long)limit));

        static PassageHit Map(DbDataReader row) =>
            new(row.GetString(0), row.GetString(1), row.GetInt32(2), row.GetString(3), row.GetDouble(4), 0);
    }
}
