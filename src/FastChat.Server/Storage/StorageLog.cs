namespace FastChat.Server.Storage;

/// <summary>What the stores log. No text of a user is in it.</summary>
internal static partial class StorageLog
{
    [LoggerMessage(1, LogLevel.Information, "Opened the {Store} store {Path} (engine {Engine}, schema {Schema}).")]
    public static partial void Opened(ILogger logger, string store, string path, string engine, long schema);

    [LoggerMessage(2, LogLevel.Information, "Brought the store {Path} from schema {From} to {To}.")]
    public static partial void Migrated(ILogger logger, string path, long from, long to);

    [LoggerMessage(3, LogLevel.Error, "A group of {Operations} writes failed and was undone.")]
    public static partial void WriteFailed(ILogger logger, Exception exception, int operations);

    [LoggerMessage(4, LogLevel.Warning, "Committing {Operations} writes took {Milliseconds:F0} ms.")]
    public static partial void SlowCommit(ILogger logger, int operations, double milliseconds);

    [LoggerMessage(5, LogLevel.Error, "The store's commit hook failed.")]
    public static partial void HookFailed(ILogger logger, Exception exception);

    [LoggerMessage(6, LogLevel.Warning, "The store {Path} is readable by other users of this machine.")]
    public static partial void ReadableByOthers(ILogger logger, string path);
}
