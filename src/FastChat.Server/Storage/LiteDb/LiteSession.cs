#if LITEDB
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FastChat.Storage;
using LiteDB;

namespace FastChat.Server.Storage.LiteDb;

/// <summary>
/// The collections. LiteDB has no composite indexes, hence the fields <c>k</c>: scope, then time or number in fixed width, then id, in
/// ordinal order. Users have a number (<c>n</c>) that scopes are made of. Queries carry parameters, never values: LiteDB keeps every
/// expression that it has compiled.
/// </summary>
internal sealed class LiteSession(LiteDatabase database)
{
    private const int Schema = 1;

    /// <summary><c>n</c>, <c>k</c> time/id, name.</summary>
    public ILiteCollection<BsonDocument> Users { get; } = database.GetCollection("users");

    /// <summary>Names given once: <c>_id</c> is the name, <c>user</c> the id.</summary>
    public ILiteCollection<BsonDocument> Logins { get; } = database.GetCollection("logins");

    /// <summary><c>k</c> time/id.</summary>
    public ILiteCollection<BsonDocument> Chatbots { get; } = database.GetCollection("chatbots");

    /// <summary><c>k</c> user number/time of the last change/id; <c>terms</c> of the title.</summary>
    public ILiteCollection<BsonDocument> Conversations { get; } = database.GetCollection("conversations");

    /// <summary><c>k</c> conversation/number; <c>client</c> and <c>turn</c>: conversation/hash of the id; <c>terms</c>.</summary>
    public ILiteCollection<BsonDocument> Messages { get; } = database.GetCollection("messages");

    /// <summary><c>k</c> owner's number/chatbot/time/id.</summary>
    public ILiteCollection<BsonDocument> Documents { get; } = database.GetCollection("documents");

    /// <summary>Texts of documents in pieces, because a document of LiteDB holds 16 MiB: <c>_id</c> is document/piece.</summary>
    public ILiteCollection<BsonDocument> Texts { get; } = database.GetCollection("texts");

    /// <summary><c>_id</c> document/place; <c>terms</c>.</summary>
    public ILiteCollection<BsonDocument> Passages { get; } = database.GetCollection("passages");

    public LiteDatabase Database => database;

    /// <summary>Makes indexes and the built-in chatbot where they are missing.</summary>
    /// <exception cref="StoreException">The file is another program's, or a newer FastChat's.</exception>
    public void Prepare(long now)
    {
        if (database.UserVersion > Schema)
        {
            throw new StoreException(StoreError.Incompatible,
                $"it was written by a newer FastChat (schema {database.UserVersion}; this one knows {Schema}): start that one, or restore a backup");
        }
        if (database.UserVersion == 0 && database.GetCollectionNames().Any())
            throw new StoreException(StoreError.Incompatible, "it is a database of another program");
        foreach (var collection in new[] { Users, Chatbots, Conversations, Messages, Documents })
            collection.EnsureIndex("k", "$.k", unique: true);
        Users.EnsureIndex("n", "$.n", unique: true);
        Conversations.EnsureIndex("chatbot", "$.chatbot");
        Documents.EnsureIndex("chatbot", "$.chatbot");
        Messages.EnsureIndex("client", "$.client");
        Messages.EnsureIndex("turn", "$.turn");
        foreach (var collection in new[] { Conversations, Messages, Passages })
            collection.EnsureIndex("terms", "$.terms[*]");
        if (Chatbots.FindById(ChatbotRecord.AssistantId) is null)
            Chatbots.Insert(LiteChatbots.Assistant(now));
        database.UserVersion = Schema;
    }

    public static string Key(string scope, long order, string id) => string.Create(CultureInfo.InvariantCulture, $"{scope}/{order:x16}/{id}");

    public static string Hashed(string scope, string id) => $"{scope}/{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(id)))}";

    /// <summary>The items of a scope by descending key, after a cursor.</summary>
    public static List<BsonDocument> Newest(
        ILiteCollection<BsonDocument> items, string scope, string? before, long limit, BsonExpression? filter = null)
    {
        // '0' follows '/': the end of the scope. The cursor's own item comes as well, and is dropped.
        var query = items.Query().Where("$.k BETWEEN @0 AND @1", scope + "/", before ?? scope + "0");
        if (filter is not null)
            query = query.Where(filter);
        return [.. query.OrderByDescending("$.k").Limit((int)Math.Min(limit + 1, int.MaxValue)).ToList()
            .Where(item => item["k"].AsString != before).Take((int)Math.Min(limit, int.MaxValue))];
    }

    /// <summary>Everything whose <paramref name="field"/> starts with <c>scope/</c>.</summary>
    public static BsonExpression Within(string field, string scope) =>
        BsonExpression.Create($"$.{field} BETWEEN @0 AND @1", scope + "/", scope + "0");

    public static BsonExpression Equal(string field, string value) => BsonExpression.Create($"$.{field} = @0", value);

    public static BsonValue Text(string? text) => text is null ? BsonValue.Null : new BsonValue(text);

    public static string? Text(BsonValue value) => value.IsNull ? null : value.AsString;

    public static DateTimeOffset Time(BsonValue value) => StoreClock.FromMicroseconds(value.AsInt64);

    /// <summary>Terms as they are indexed: each behind its owner's number.</summary>
    public static BsonArray Terms(long owner, IEnumerable<string> terms) =>
        new(terms.Distinct().Select(term => new BsonValue(Term(owner, term))));

    public static string Term(long owner, string term) => string.Create(CultureInfo.InvariantCulture, $"{owner} {term}");
}
#endif
