namespace FastChat.Storage;

/// <summary>Why a store refused.</summary>
public enum StoreError
{
    /// <summary>Reading or writing failed (disk full, I/O error, the database was locked too long). Nothing was stored.</summary>
    Unavailable,

    /// <summary>The queue of writes is full. Nothing was stored; try again later (HTTP 503).</summary>
    Busy,

    /// <summary>The store was closed. Nothing was stored.</summary>
    Closed,

    /// <summary>What was asked for makes no sense, a cursor for instance (HTTP 400).</summary>
    InvalidRequest,

    /// <summary>The file is no database, is damaged, or was written by a newer version. Only opening says so.</summary>
    Incompatible,
}

/// <summary>A store could not do what it was asked. The message is one sentence for an operator and holds no user's text.</summary>
/// <param name="error">Why.</param>
/// <param name="message">One sentence.</param>
/// <param name="innerException">What the driver said.</param>
public sealed class StoreException(StoreError error, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    /// <summary>Why.</summary>
    public StoreError Error { get; } = error;
}
