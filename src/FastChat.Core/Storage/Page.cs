namespace FastChat.Storage;

/// <summary>Which part of a list to read.</summary>
/// <param name="Limit">How many items at most, from 1.</param>
/// <param name="Before">
/// Continue after this place: <see cref="Page{T}.Next"/> of the page before, or the id of an item. Null starts at the newest.
/// </param>
public readonly record struct PageRequest(int Limit, string? Before = null)
{
    /// <summary>How many items a page holds when nothing was asked for.</summary>
    public const int DefaultLimit = 50;

    /// <summary>Everything there is.</summary>
    public static PageRequest All => new(int.MaxValue);

    /// <summary>The newest <see cref="DefaultLimit"/> items.</summary>
    public static PageRequest First => new(DefaultLimit);
}

/// <summary>A part of a list.</summary>
/// <param name="Items">The items: newest first, except messages, which are oldest first.</param>
/// <param name="Next">Where older items continue (<see cref="PageRequest.Before"/>), URL-safe; null when there are none.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);
