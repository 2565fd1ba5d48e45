using System.Data.Common;
using FastChat.Storage;

namespace FastChat.Server.Storage.Sql;

/// <summary>Users in SQL.</summary>
internal static class UserRows
{
    /// <summary>Makes a user known by name; null when the name is taken.</summary>
    public static UserRecord? Create(SqlSession session, string name, long now)
    {
        string id = StoreId.New(StoreClock.FromMicroseconds(now));
        return Insert(session, id, name, name, now) ? Get(session, id) : null;
    }

    /// <summary>The user with this id, made where needed.</summary>
    public static UserRecord Ensure(SqlSession session, string id, string name, long now)
    {
        if (Get(session, id) is { } user)
            return user;
        Insert(session, id, name, null, now);
        return Get(session, id)!;
    }

    public static UserRecord? Get(SqlSession session, string id) => session.First(SqlText.GetUser, Map, ("@id", id));

    public static UserRecord? GetByLogin(SqlSession session, string login) => session.First(SqlText.GetUserByLogin, Map, ("@login", login));

    public static Page<UserRecord> List(SqlSession session, PageRequest page)
    {
        var from = Cursor.Read(page.Before, id => Get(session, id) is { } user ? At(user) : null);
        var users = session.List(
            SqlText.ListUsers, Map, ("@time", from.Time), ("@before", from.Id), ("@limit", Cursor.LimitPlusOne(page)));
        return Cursor.Page(users, page.Limit, user => Cursor.Write(user.CreatedAt, user.Id));
    }

    public static long? Key(SqlSession session, string id) => session.Number(SqlText.UserKey, ("@id", id));

    private static bool Insert(SqlSession session, string id, string name, string? login, long now) =>
        session.Execute(SqlText.InsertUser, ("@id", id), ("@name", name), ("@login", login), ("@time", now)) > 0;

    private static Cursor At(UserRecord user) => new(StoreClock.ToMicroseconds(user.CreatedAt), user.Id);

    private static UserRecord Map(DbDataReader row) => new(row.GetString(0), row.GetString(1), row.Time(2));
}
