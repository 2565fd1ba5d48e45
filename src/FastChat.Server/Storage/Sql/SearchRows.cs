using FastChat.Storage;
using FastChat.Storage.Retrieval;

namespace FastChat.Server.Storage.Sql;

/// <summary>Searches in SQL: who may find what.</summary>
internal static class SearchRows
{
    private const int MaxPassages = 100;

    public static Page<ConversationHit> Conversations(SqlSession session, SqlSearch search, string userId, string query, PageRequest page)
    {
        long limit = Cursor.LimitPlusOne(page);
        var terms = SearchTerms.OfQuery(query);
        var from = ConversationRows.From(session, userId, page);
        if (terms.Count == 0 || UserRows.Key(session, userId) is not { } user)
            return new Page<ConversationHit>([], null);
        var hits = Cursor.Page(search.Conversations(session, user, terms, from, limit), page.Limit,
            hit => Cursor.Write(hit.Conversation.UpdatedAt, hit.Conversation.Id));
        return new Page<ConversationHit>(
            [.. hits.Items.Select(hit => new ConversationHit(
                hit.Conversation, hit.MessageId, Snippet.Around(hit.Content ?? hit.Conversation.Title, terms)))],
            hits.Next);
    }

    public static IReadOnlyList<PassageHit> Passages(SqlSession session, SqlSearch search, PassageQuery query)
    {
        var terms = SearchTerms.OfQuestion(query.Query);
        if (terms.Count == 0 || Filter(session, query) is not { } filter)
            return [];
        return [.. search.Passages(session, filter, terms, Math.Clamp(query.Limit, 1, MaxPassages))
            .Select(hit => hit with { Coverage = Bm25.Coverage(hit.Text, terms) })];
    }

    /// <summary>The ownership check: null when the user may not look there.</summary>
    private static PassageFilter? Filter(SqlSession session, PassageQuery query)
    {
        if (UserRows.Key(session, query.UserId) is not { } user)
            return null;
        var chatbot = query.ChatbotId is null ? null : ChatbotRows.Keys(session, query.UserId, query.ChatbotId);
        if (query.ChatbotId is not null && chatbot is null)
            return null;
        if (query.DocumentId is null)
            return new PassageFilter(null, chatbot?.Key, user, chatbot?.Owner);
        return session.Number(SqlText.SearchableDocument, ("@id", query.DocumentId), ("@user", query.UserId)) is { } document
            ? new PassageFilter(document, chatbot?.Key, user, chatbot?.Owner)
            : null;
    }
}
