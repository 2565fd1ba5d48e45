#if LITEDB
using FastChat.Server.Storage.LiteDb;
#endif
using FastChat.Server.Storage.Sqlite;
using FastChat.Storage;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Configuration;

/// <summary>Opens the store that the settings name.</summary>
internal static class Stores
{
    /// <summary>Opens it in the data directory, which is made where needed.</summary>
    /// <exception cref="StoreException">It cannot be opened; the message says why.</exception>
    /// <param name="data">Which store, and where.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told of opening, migration and failures.</param>
    /// <param name="cancellationToken">Gives up before anything was touched.</param>
    /// <param name="onCommit">Called after every commit, on the writer's thread: must be quick. For metrics.</param>
    public static Task<IChatStore> OpenAsync(
        DataOptions data, TimeProvider time, ILogger logger, CancellationToken cancellationToken, Action<StoreCommit>? onCommit = null) =>
        data.Store switch
        {
            "sqlite" => SqliteChatStore.OpenAsync(
                new SqliteStoreOptions { Path = Path.Combine(data.Directory, "fastchat.db"), Writes = { OnCommit = onCommit } },
                time, logger, cancellationToken),
#if LITEDB
            "litedb" => LiteDbChatStore.OpenAsync(
                new LiteDbStoreOptions { Path = Path.Combine(data.Directory, "fastchat.lite"), Writes = { OnCommit = onCommit } },
                time, logger, cancellationToken),
#endif
            var other => throw new InvalidOperationException($"The store {other} passed the checks but cannot be opened."),
        };
}
