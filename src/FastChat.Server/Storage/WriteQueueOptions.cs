using FastChat.Storage;

namespace FastChat.Server.Storage;

/// <summary>Limits of a store's queue of writes. Setters refuse what makes no sense.</summary>
public sealed class WriteQueueOptions
{
    /// <summary>How many writes may wait; one more is refused with <see cref="StoreError.Busy"/>. 4096 unless set.</summary>
    public int Capacity
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 4096;

    /// <summary>How many UTF-16 units of text may wait (one write may always); 64 Mi unless set.</summary>
    public long MaxWaitingLength
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 64 * 1024 * 1024;

    /// <summary>How many writes share a commit at most; 256 unless set.</summary>
    public int GroupSize
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 256;

    /// <summary>Called after every commit, on the writer's thread: must be quick. For metrics.</summary>
    public Action<StoreCommit>? OnCommit { get; set; }
}
