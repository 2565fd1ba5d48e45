using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using FastChat.Buffers;
using FastChat.Protocol;

namespace FastChat.Connections;

/// <summary>What a connection keeps for a peer that does not take what it is sent at once. Guarded by its <see cref="FrameSender"/>.</summary>
internal sealed class Backlog(ArrayPool<byte> pool, Action onFlushed)
{
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;
    private SendWaiter? _lastWaiter;
    private PooledByteBuffer? _queue; // most are pinged and no more: only their flush is waited for
    private PooledByteBuffer? _pong;

    /// <summary>Bytes in the queue.</summary>
    public int QueueLength => _queue?.Length ?? 0;

    /// <summary>Bytes of the pong that waits.</summary>
    public int PongLength => _pong?.Length ?? 0;

    /// <summary>Frames written while a flush is pending.</summary>
    public PooledByteBuffer Queue => _queue ??= new(pool);

    /// <summary>Bytes of the queue that are control frames, which do not count against the quota.</summary>
    public int QueuedControl { get; set; }

    /// <summary>The answer to the last ping of a flood, until the flush has completed.</summary>
    public PooledByteBuffer Pong => _pong ??= new(pool);

    /// <summary>Messages dropped because the queue was full.</summary>
    public long Dropped { get; set; }

    /// <summary>The first of the sends that wait.</summary>
    public SendWaiter? FirstWaiter { get; private set; }

    /// <summary>What the sends that wait would take in the queue.</summary>
    public long WaitingBytes { get; private set; }

    /// <summary>The message that goes out in pieces: everything else waits for its last.</summary>
    public MessageStream? Open { get; set; }

    /// <summary>Whether a message that comes now has to wait for others.</summary>
    public bool HoldsUp => FirstWaiter is not null || Open is not null;

    /// <summary>The send whose turn it is, once there is room; none where all wait for the next piece of a message.</summary>
    public SendWaiter? Next => Open is null || ReferenceEquals(FirstWaiter?.Message, Open) ? FirstWaiter : null;

    /// <summary>Somebody waits for everything to be taken.</summary>
    public TaskCompletionSource? Drained { get; set; }

    /// <summary>Whether nothing of it is in use, nor worth keeping.</summary>
    public bool IsIdle => QueueLength == 0 && PongLength == 0 && !HoldsUp && Drained is null && Dropped == 0;

    /// <summary>Calls back when the flush has completed.</summary>
    public void Await(ValueTask<FlushResult> flush)
    {
        _flush = flush.ConfigureAwait(false).GetAwaiter();
        _flush.UnsafeOnCompleted(onFlushed);
    }

    /// <summary>The result of that flush: whether the transport is gone.</summary>
    public bool Flushed()
    {
        var flush = _flush;
        _flush = default;
        try
        {
            return flush.GetResult().IsCompleted;
        }
        catch (Exception)
        {
            return true; // the reading side tells why the transport is gone
        }
    }

    /// <summary>Queues a send; <paramref name="first"/> before all others, for a piece of the message that holds them up.</summary>
    public void Add(SendWaiter waiter, bool first = false)
    {
        WaitingBytes += Size(waiter);
        if (first)
        {
            waiter.Next = FirstWaiter;
            FirstWaiter = waiter;
            _lastWaiter ??= waiter;
            return;
        }
        if (_lastWaiter is null) FirstWaiter = waiter;
        else _lastWaiter.Next = waiter;
        _lastWaiter = waiter;
    }

    /// <summary>Takes a waiter out; false where it is not, or no longer, among those that wait.</summary>
    public bool Remove(SendWaiter waiter)
    {
        SendWaiter? before = null;
        for (var at = FirstWaiter; at is not null; before = at, at = at.Next)
        {
            if (!ReferenceEquals(at, waiter)) continue;
            if (before is null) FirstWaiter = at.Next;
            else before.Next = at.Next;
            if (ReferenceEquals(_lastWaiter, at)) _lastWaiter = before;
            at.Next = null;
            WaitingBytes -= Size(waiter);
            return true;
        }
        return false;
    }

    public void Clear()
    {
        _queue?.Clear();
        _pong?.Clear();
    }

    private static long Size(SendWaiter waiter) => waiter.Payload.Length + FrameHeader.MaxLength;
}
