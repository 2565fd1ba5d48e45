using System.Globalization;
using FastChat.Storage;

namespace FastChat.Server.Storage;

/// <summary>A place in a list sorted by time and id, both descending. Written as <c>microseconds~id</c>.</summary>
internal readonly record struct Cursor(long Time, string Id)
{
    /// <summary>Before the newest item.</summary>
    public static Cursor Newest => new(long.MaxValue, "");

    /// <summary>Reads what a client sent.</summary>
    /// <param name="before">A written cursor, an item's id, or null.</param>
    /// <param name="find">Where the item with this id stands; null when there is none.</param>
    /// <exception cref="StoreException">It is neither.</exception>
    public static Cursor Read(string? before, Func<string, Cursor?> find)
    {
        if (string.IsNullOrEmpty(before))
            return Newest;
        int separator = before.IndexOf('~');
        if (separator > 0 && long.TryParse(before.AsSpan(0, separator), NumberStyles.None, CultureInfo.InvariantCulture, out long time))
            return new Cursor(time, before[(separator + 1)..]);
        return find(before) ?? throw Invalid();
    }

    /// <summary>Reads a place in a conversation: a message's number, or its id.</summary>
    public static long ReadSeq(string? before, Func<string, long?> find)
    {
        if (string.IsNullOrEmpty(before))
            return long.MaxValue;
        if (long.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out long seq))
            return seq;
        return find(before) ?? throw Invalid();
    }

    /// <summary>Makes a page of up to <paramref name="limit"/> items out of a list read with a limit of one more.</summary>
    public static Page<T> Page<T>(List<T> items, int limit, Func<T, string> cursor)
    {
        if (items.Count <= limit)
            return new Page<T>(items, null);
        items.RemoveRange(limit, items.Count - limit);
        return new Page<T>(items, cursor(items[^1]));
    }

    /// <summary>The limit of a request, checked, plus one to see whether there is more.</summary>
    public static long LimitPlusOne(PageRequest page) => page.Limit >= 1
        ? page.Limit + 1L
        : throw new StoreException(StoreError.InvalidRequest, "The limit must be at least 1.");

    public static string Write(DateTimeOffset time, string id) =>
        string.Create(CultureInfo.InvariantCulture, $"{StoreClock.ToMicroseconds(time)}~{id}");

    private static StoreException Invalid() =>
        new(StoreError.InvalidRequest, "'before' must be the cursor of an earlier page or the id of an item of the list.");
}
