using System.Buffers;

namespace FastChat.Transport.Epoll;

/// <summary>
/// A loop's receive buffer of which readers keep pieces while their consumers work on them, so that who waits costs what it received and
/// not a buffer. It goes back to its pool with the last holder, the loop among them.
/// </summary>
internal sealed class ReceiveSlab(ArrayPool<byte> pool, byte[] array)
{
    private int _holders = 1;

    /// <summary>Nobody but the loop holds it: all of it can be used again. Loop thread only, which alone adds holders.</summary>
    public bool IsFree => Volatile.Read(ref _holders) == 1;

    public void Hold() => Interlocked.Increment(ref _holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0) pool.Return(array);
    }
}
