using System.Buffers;
using System.Threading.Tasks.Sources;
using FastChat.Protocol;

namespace FastChat.Connections;

/// <summary>A send that waits for room in its connection's queue. Pooled; completes on the thread pool, so that the sender's code never runs on an event loop.</summary>
internal sealed class SendWaiter : IValueTaskSource, IThreadPoolWorkItem
{
    private const int MaxSpare = 128;

    [ThreadStatic]
    private static SendWaiter? Spare;
    [ThreadStatic]
    private static int SpareCount;

    private ManualResetValueTaskSourceCore<bool> _core;
    private Exception? _failure;
    private CancellationTokenRegistration _cancellation;

    public SendWaiter? Next { get; set; }

    public Opcode Opcode { get; private set; }

    public ReadOnlySequence<byte> Payload { get; private set; }

    /// <summary>The message whose piece this is; null for a whole message.</summary>
    public MessageStream? Message { get; private set; }

    /// <summary>It is the message's last piece.</summary>
    public bool IsLast { get; private set; }

    /// <summary>Who queued it.</summary>
    public FrameSender? Owner { get; private set; }

    public static SendWaiter Rent(FrameSender owner, Opcode opcode, in ReadOnlySequence<byte> payload, MessageStream? message = null, bool last = true)
    {
        var waiter = Spare;
        if (waiter is null) waiter = new SendWaiter();
        else
        {
            Spare = waiter.Next;
            SpareCount--;
            waiter.Next = null;
        }
        waiter._core.Reset();
        waiter._failure = null;
        waiter.Owner = owner;
        waiter.Opcode = opcode;
        waiter.Payload = payload;
        waiter.Message = message;
        waiter.IsLast = last;
        return waiter;
    }

    public ValueTask Task => new(this, _core.Version);

    /// <summary>Lets a token take the waiter out of the queue again.</summary>
    public void CancelBy(CancellationToken token)
    {
        if (token.CanBeCanceled)
            _cancellation = token.UnsafeRegister(static (waiter, token) => ((SendWaiter)waiter!).Owner!.Cancel((SendWaiter)waiter, token), this);
    }

    /// <summary>Completes the send; the waiter is no longer in the queue.</summary>
    public void Complete(Exception? failure)
    {
        _failure = failure;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (_failure is null) _core.SetResult(true);
        else _core.SetException(_failure);
    }

    void IValueTaskSource.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            Owner = null;
            Payload = default;
            Message = null;
            if (SpareCount < MaxSpare)
            {
                Next = Spare;
                Spare = this;
                SpareCount++;
            }
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
