#if LITEDB
using FastChat.Storage;
using LiteDB;

namespace FastChat.Server.Storage.LiteDb;

/// <summary>
/// The store in one LiteDB file: pure .NET, one writer thread with group commit, one process at a time. What was acknowledged survives
/// kill -9, and loss of power with <see cref="LiteDbStoreOptions.CheckpointEveryCommit"/>.
/// </summary>
public static class LiteDbChatStore
{
    /// <summary>Opens a store, made where needed.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="timeProvider">Gives the times that are stored.</param>
    /// <param name="logger">Told of opening and failures.</param>
    /// <param name="cancellationToken">Gives up before the file is touched.</param>
    /// <exception cref="StoreException">The file cannot be opened, is no database of FastChat, or is of a newer version.</exception>
    public static Task<IChatStore> OpenAsync(
        LiteDbStoreOptions options, TimeProvider timeProvider, ILogger logger, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Task.Run<IChatStore>(() => Open(options, timeProvider, logger), cancellationToken);
    }

    private static LiteDbStore Open(LiteDbStoreOptions options, TimeProvider timeProvider, ILogger logger)
    {
        string path = Path.GetFullPath(options.Path);
        FileStream? heldLock = null;
        LiteDatabase? database = null;
        try
        {
            heldLock = Lock(path, logger);
            StoreFile.Prepare(path, logger);
            // LiteDB's log stands beside the file and would be readable by all.
            StoreFile.Prepare(Path.ChangeExtension(path, null) + "-log" + Path.GetExtension(path), logger);
            CheckHeader(path);
            database = new LiteDatabase(new ConnectionString { Filename = path, Collation = Collation.Binary });
            if (database.Collation.SortOptions != Collation.Binary.SortOptions)
                throw new StoreException(StoreError.Incompatible, "it does not compare texts ordinally, hence is a database of another program");
            var session = new LiteSession(database);
            session.Prepare(StoreClock.ToMicroseconds(timeProvider.GetUtcNow()));
            StorageLog.Opened(logger, "litedb", options.Path, typeof(LiteDatabase).Assembly.GetName().Version!.ToString(3), database.UserVersion);
            return new LiteDbStore(session, heldLock, options, timeProvider, logger);
        }
        catch (Exception e) when (e is LiteException or StoreException or IOException or UnauthorizedAccessException)
        {
            database?.Dispose();
            heldLock?.Dispose();
            throw Refusal(options.Path, e);
        }
    }

    // LiteDB cuts a file to whole pages before it looks what it is.
    private static void CheckHeader(string path)
    {
        var expected = "** This is a LiteDB file **"u8;
        Span<byte> header = stackalloc byte[32 + 27];
        using var file = File.OpenRead(path);
        int read = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (read > 0 && !header[..read].EndsWith(expected))
            throw new StoreException(StoreError.Incompatible, "it is not a LiteDB database");
    }

    // LiteDB's own lock holds on Windows only: elsewhere two processes would write to one file.
    private static FileStream Lock(string path, ILogger logger)
    {
        try
        {
            return StoreFile.Lock(path, logger);
        }
        catch (IOException e) when (File.Exists(path + ".lock"))
        {
            throw new StoreException(StoreError.Unavailable, "another process has it open", e);
        }
    }

    private static StoreException Refusal(string path, Exception e) => e switch
    {
        StoreException refusal => new(refusal.Error, $"Cannot use '{path}': {refusal.Message}.", e),
        LiteException { ErrorCode: LiteException.INVALID_DATAFILE_STATE } =>
            new(StoreError.Incompatible, $"Cannot use '{path}': it is damaged; restore a backup.", e),
        _ => new(StoreError.Unavailable, $"Cannot use '{path}': {e.Message.TrimEnd('.')}.", e),
    };
}
#endif
