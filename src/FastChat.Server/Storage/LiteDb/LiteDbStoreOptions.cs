#if LITEDB
namespace FastChat.Server.Storage.LiteDb;

/// <summary>Where a LiteDB store is and how it behaves. Setters refuse what makes no sense.</summary>
public sealed class LiteDbStoreOptions
{
    /// <summary>
    /// The file, made with its directory where needed (readable by its owner alone). One process at a time can open it, which a file
    /// <c>.lock</c> beside it sees to.
    /// </summary>
    public required string Path
    {
        get;
        set
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(value);
            field = value;
        }
    }

    /// <summary>
    /// LiteDB hands a commit to the operating system, where it survives the death of the process but not loss of power, until its next
    /// checkpoint. True makes a checkpoint after every group of writes, before anything is acknowledged: slower, and safe.
    /// </summary>
    public bool CheckpointEveryCommit { get; set; }

    /// <summary>How many reads run at the same time; 8 unless set, 64 at most (LiteDB itself takes 100 transactions). Others wait.</summary>
    public int Readers
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 64);
            field = value;
        }
    } = 8;

    /// <summary>Limits of the queue of writes, and the hook for commit times.</summary>
    public WriteQueueOptions Writes { get; } = new();
}
#endif
