#if LITEDB
using FastChat.Storage;
using LiteDB;

namespace FastChat.Server.Storage.LiteDb;

/// <summary>Users in LiteDB.</summary>
internal static class LiteUsers
{
    private const string All = "u";

    public static UserRecord? Create(LiteSession session, string name, long now)
    {
        if (session.Logins.FindById(name) is not null)
            return null;
        var user = Insert(session, StoreId.New(StoreClock.FromMicroseconds(now)), name, now);
        session.Logins.Insert(new BsonDocument { ["_id"] = name, ["user"] = user.Id });
        return user;
    }

    public static UserRecord Ensure(LiteSession session, string id, string name, long now) =>
        Get(session, id) ?? Insert(session, id, name, now);

    public static UserRecord? Get(LiteSession session, string id) => session.Users.FindById(id) is { } user ? Map(user) : null;

    public static UserRecord? GetByLogin(LiteSession session, string name) =>
        session.Logins.FindById(name) is { } login ? Get(session, login["user"]) : null;

    public static Page<UserRecord> List(LiteSession session, PageRequest page)
    {
        long limit = Cursor.LimitPlusOne(page);
        var from = Cursor.Read(page.Before,
            id => Get(session, id) is { } user ? new Cursor(StoreClock.ToMicroseconds(user.CreatedAt), id) : null);
        var users = LiteSession.Newest(session.Users, All, from == Cursor.Newest ? null : LiteSession.Key(All, from.Time, from.Id), limit);
        return Cursor.Page(users.ConvertAll(Map), page.Limit, user => Cursor.Write(user.CreatedAt, user.Id));
    }

    /// <summary>A user's number; null when there is none.</summary>
    public static long? Number(LiteSession session, string id) => session.Users.FindById(id)?["n"].AsInt64;

    private static UserRecord Insert(LiteSession session, string id, string name, long now)
    {
        var user = new BsonDocument
        {
            ["_id"] = id,
            ["k"] = LiteSession.Key(All, now, id),
            ["n"] = session.Users.Query().OrderByDescending("$.n").FirstOrDefault() is { } last ? last["n"].AsInt64 + 1 : 1L,
            ["name"] = name,
            ["created"] = now,
        };
        session.Users.Insert(user);
        return Map(user);
    }

    private static UserRecord Map(BsonDocument user) => new(user["_id"], user["name"], LiteSession.Time(user["created"]));
}
#endif
