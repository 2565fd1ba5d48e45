using FastChat.Server.Storage.Sql;
using FastChat.Storage;
using Microsoft.Data.Sqlite;

namespace FastChat.Server.Storage.Sqlite;

/// <summary>
/// The store in one SQLite file: write-ahead log, <c>synchronous = FULL</c>, one writer with group commit, pooled readers, FTS5.
/// What was acknowledged survives kill -9 and, as far as the disk keeps its word, loss of power.
/// </summary>
public static class SqliteChatStore
{
    /// <summary>Opens a store, made or brought to the newest schema where needed.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="timeProvider">Gives the times that are stored.</param>
    /// <param name="logger">Told of opening, migration and failures.</param>
    /// <param name="cancellationToken">Gives up before the file is touched.</param>
    /// <exception cref="StoreException">The file cannot be opened, is no database of FastChat, or is of a newer version.</exception>
    public static Task<IChatStore> OpenAsync(
        SqliteStoreOptions options, TimeProvider timeProvider, ILogger logger, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Task.Run(() => Open(options, timeProvider, logger, SqliteSchema.Steps), cancellationToken);
    }

    /// <summary>Opens a store with a schema of one's own, which tests of migrations do.</summary>
    internal static IChatStore Open(SqliteStoreOptions options, TimeProvider timeProvider, ILogger logger, IReadOnlyList<string> steps)
    {
        SqliteConnections? connections = null;
        try
        {
            connections = new SqliteConnections(options, logger);
            long version = SqliteSchema.Migrate(connections.Writer, steps, StoreClock.ToMicroseconds(timeProvider.GetUtcNow()));
            if (version < steps.Count)
                StorageLog.Migrated(logger, options.Path, version, steps.Count);
            StorageLog.Opened(logger, "sqlite", options.Path, connections.EngineVersion, steps.Count);
            return new SqliteStore(connections, options, timeProvider, logger);
        }
        catch (Exception e) when (e is SqliteException or StoreException or IOException or UnauthorizedAccessException)
        {
            connections?.Dispose();
            throw Refusal(options.Path, e);
        }
    }

    private static StoreException Refusal(string path, Exception e) => e switch
    {
        StoreException refusal => new(refusal.Error, $"Cannot use '{path}': {refusal.Message}.", e),
        SqliteException { SqliteErrorCode: 26 } => new(StoreError.Incompatible, $"Cannot use '{path}': it is not a SQLite database.", e),
        SqliteException { SqliteErrorCode: 11 } => new(StoreError.Incompatible, $"Cannot use '{path}': it is damaged; restore a backup.", e),
        SqliteException { SqliteErrorCode: 5 } => new(StoreError.Unavailable, $"Cannot use '{path}': another process has locked it.", e),
        SqliteException { SqliteErrorCode: 8 } => new(StoreError.Unavailable, $"Cannot use '{path}': it may not be written.", e),
        _ => new(StoreError.Unavailable, $"Cannot use '{path}': {e.Message.TrimEnd('.')}.", e),
    };
}
