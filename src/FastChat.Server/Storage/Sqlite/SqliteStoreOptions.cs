namespace FastChat.Server.Storage.Sqlite;

/// <summary>Where a SQLite store is and how it behaves. Setters refuse what makes no sense.</summary>
public sealed class SqliteStoreOptions
{
    /// <summary>The path of a store that lives in memory, for as long as it is open.</summary>
    public const string InMemory = ":memory:";

    /// <summary>The file, made with its directory where needed (readable by its owner alone), or <see cref="InMemory"/>.</summary>
    public required string Path
    {
        get;
        set
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(value);
            field = value;
        }
    }

    /// <summary>How many reads run at the same time; 8 unless set. Others wait. In memory, one.</summary>
    public int Readers
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 8;

    /// <summary>How long to wait for another process that is writing, a command beside the server for instance; whole seconds, 5 unless set.</summary>
    public TimeSpan BusyTimeout
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(1));
            field = value;
        }
    } = TimeSpan.FromSeconds(5);

    /// <summary>Limits of the queue of writes, and the hook for commit times.</summary>
    public WriteQueueOptions Writes { get; } = new();
}
