#if LITEDB
using FastChat.Storage;
using FastChat.Storage.Retrieval;
using LiteDB;

namespace FastChat.Server.Storage.LiteDb;

/// <summary>Searches in LiteDB: an index of words finds candidates, the rest is done here.</summary>
internal static class LiteSearch
{
    private const int MaxPassages = 100;

    public static Page<ConversationHit> Conversations(LiteSession session, string userId, string query, PageRequest page)
    {
        long limit = Cursor.LimitPlusOne(page);
        var terms = SearchTerms.OfQuery(query);
        var from = LiteConversations.From(session, userId, page);
        if (terms.Count == 0 || LiteUsers.Number(session, userId) is not { } user)
            return new Page<ConversationHit>([], null);
        // For each conversation its newest message that matches; null where only the title does.
        var newest = WithAll(session.Messages, user, terms, "{ _id: $._id, conversation: $.conversation, seq: $.seq, terms: $.terms }")
            .GroupBy(message => message["conversation"].AsString)
            .ToDictionary(group => group.Key, string? (group) => group.MaxBy(message => message["seq"].AsInt64)!["_id"].AsString);
        foreach (var titled in WithAll(session.Conversations, user, terms, "{ _id: $._id, terms: $.terms }"))
            newest.TryAdd(titled["_id"], null);
        var hits = newest.Select(hit => (Conversation: LiteConversations.Get(session, userId, hit.Key), MessageId: hit.Value))
            .Where(hit => hit.Conversation is not null && IsAfter(hit.Conversation, from))
            .OrderByDescending(hit => hit.Conversation!.UpdatedAt).ThenByDescending(hit => hit.Conversation!.Id, StringComparer.Ordinal)
            .Take((int)Math.Min(limit, int.MaxValue))
            .Select(hit => new ConversationHit(hit.Conversation!, hit.MessageId, Show(session, userId, hit.Conversation!, hit.MessageId, terms)))
            .ToList();
        return Cursor.Page(hits, page.Limit, hit => Cursor.Write(hit.Conversation.UpdatedAt, hit.Conversation.Id));
    }

    public static IReadOnlyList<PassageHit> Passages(LiteSession session, PassageQuery query)
    {
        var terms = SearchTerms.OfQuestion(query.Query);
        if (terms.Count == 0)
            return [];
        var documents = Searchable(session, query).ToDictionary(document => document["_id"].AsString);
        int passages = documents.Values.Sum(document => document["passages"].AsInt32);
        double average = documents.Values.Sum(document => document["words"].AsInt64) / (double)Math.Max(passages, 1);
        var found = new Dictionary<string, BsonDocument>();
        var frequencies = new List<int>();
        foreach (string term in terms)
        {
            var with = documents.Values.Select(document => document["n"].AsInt64).Distinct()
                .SelectMany(owner => session.Passages
                    .Find(BsonExpression.Create("$.terms[*] ANY = @0", LiteSession.Term(owner, term))).ToList())
                .Where(passage => documents.ContainsKey(passage["document"])).ToList();
            frequencies.Add(with.Count);
            foreach (var passage in with)
                found[passage["_id"]] = passage;
        }
        return [.. found.Values.Select(passage => Hit(passage, documents[passage["document"]]["name"]))
            .OrderByDescending(hit => hit.Score).ThenBy(hit => hit.DocumentId, StringComparer.Ordinal).ThenBy(hit => hit.Index)
            .Take(Math.Clamp(query.Limit, 1, MaxPassages))];

        PassageHit Hit(BsonDocument passage, string fileName)
        {
            string text = passage["text"];
            double score = Bm25.Score(SearchTerms.ForPassageIndex(text).Split(' '), terms, frequencies, passages, average);
            return new PassageHit(passage["document"], fileName, passage["place"], text, score, Bm25.Coverage(text, terms));
        }
    }

    /// <summary>The ownership check: the documents in which the user may look.</summary>
    private static IEnumerable<BsonDocument> Searchable(LiteSession session, PassageQuery query)
    {
        if (LiteUsers.Number(session, query.UserId) is null)
            return [];
        var chatbot = query.ChatbotId is null ? null : LiteChatbots.Get(session, query.UserId, query.ChatbotId);
        if (query.ChatbotId is not null && chatbot is null)
            return [];
        var documents = query.DocumentId is null
            ? Owners(query.UserId, chatbot).SelectMany(owner => LiteDocuments.OfOwner(session, owner))
            : session.Documents.FindById(query.DocumentId) is { } one && MayRead(session, query.UserId, one) ? [one] : [];
        return chatbot is null ? documents : documents.Where(document => document["chatbot"].AsString == chatbot.Id);
    }

    private static IEnumerable<string> Owners(string userId, ChatbotRecord? chatbot) =>
        new[] { userId, chatbot?.OwnerId ?? userId }.Distinct();

    private static bool MayRead(LiteSession session, string userId, BsonDocument document) =>
        document["owner"].AsString == userId
            || LiteChatbots.Get(session, userId, document["chatbot"]) is { } chatbot && chatbot.OwnerId == document["owner"].AsString;

    /// <summary>The items of a user that hold words which start with all of the terms.</summary>
    private static List<BsonDocument> WithAll(
        ILiteCollection<BsonDocument> items, long user, IReadOnlyList<string> terms, BsonExpression select)
    {
        // The longest word is taken to be the rarest; the index answers for it, and the others are checked on what it finds.
        string rarest = LiteSession.Term(user, terms.MaxBy(term => term.Length)!);
        var found = items.Query().Where("$.terms[*] ANY BETWEEN @0 AND @1", rarest, rarest + "\uffff").Select(select).ToList();
        return [.. found.DistinctBy(item => item["_id"].AsString).Where(item => terms.All(term => item["terms"].AsArray
            .Any(indexed => indexed.AsString.StartsWith(LiteSession.Term(user, term), StringComparison.Ordinal))))];
    }

    private static bool IsAfter(ConversationRecord conversation, Cursor from)
    {
        long time = StoreClock.ToMicroseconds(conversation.UpdatedAt);
        return time < from.Time || time == from.Time && string.CompareOrdinal(conversation.Id, from.Id) < 0;
    }

    private static string Show(
        LiteSession session, string userId, ConversationRecord conversation, string? messageId, IReadOnlyList<string> terms) =>
        Snippet.Around((messageId is null ? null : LiteMessages.Get(session, userId, messageId)?.Content) ?? conversation.Title, terms);
}
#endif
