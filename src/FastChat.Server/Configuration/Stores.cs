using FastChat.Server.Storage.Sqlite;
using FastChat.Storage;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Configuration;

/// <summary>Opens the store that the settings name.</summary>
internal static class Stores
{
    /// <summary>Opens it in the data directory, which is made where needed.</summary>
    /// <exception cref="StoreException">It cannot be opened; the message says why.</exception>
    public static Task<IChatStore> OpenAsync(DataOptions data, TimeProvider time, ILogger logger, CancellationToken cancellationToken) =>
        data.Store switch
        {
            "sqlite" => SqliteChatStore.OpenAsync(
                new SqliteStoreOptions { Path = Path.Combine(data.Directory, "fastchat.db") }, time, logger, cancellationToken),
            var other => throw new InvalidOperationException($"The store {other} passed the checks but cannot be opened."),
        };
}
