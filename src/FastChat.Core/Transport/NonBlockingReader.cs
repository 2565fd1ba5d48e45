using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using FastChat.Buffers;

namespace FastChat.Transport;

/// <summary>What an attempt to receive came to.</summary>
internal enum ReceiveStatus
{
    /// <summary>Bytes were added to the buffer.</summary>
    Received,

    /// <summary>Nothing there now; wait.</summary>
    WouldBlock,

    /// <summary>The peer will send no more.</summary>
    End,

    /// <summary>The connection is broken.</summary>
    Failed,
}

/// <summary>
/// A <see cref="PipeReader"/> over a source that is asked first (<see cref="TryReceive"/>) and waited for only when it has nothing
/// (<see cref="BeginWait"/>), without a buffer. A wait outlives the read that started it: cancelling a read completes the read and leaves
/// the wait to the next one, so no byte can be lost to a cancellation. Allocates nothing per read.
/// </summary>
/// <param name="buffer">Where bytes are received; this reader owns it.</param>
/// <remarks>
/// Locking: everything a wait's completion may touch while no read is handed out is under <c>_gate</c>. Between a result and
/// <see cref="AdvanceTo(SequencePosition, SequencePosition)"/> the buffer is the caller's alone.
/// </remarks>
internal abstract class NonBlockingReader(ReceiveBuffer buffer)
    : PipeReader, IValueTaskSource<ReadResult>, IThreadPoolWorkItem
{
    private enum Wake : byte
    {
        Ready,
        Canceled,
        TokenCanceled,
    }

    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<Wake> _core;
    private CancellationTokenRegistration _registration;
    private TaskCompletionSource? _idle;
    private IOException? _failure;
    private Wake _wake;
    private bool _ended;
    private bool _reading;
    private bool _outstanding;
    private bool _waiting;
    private bool _inFlight;
    private bool _askFirst;
    private volatile bool _completed;
    private volatile bool _cancelRequested;

    /// <summary>
    /// Whether the thread that received goes on with the read that waited, whatever thread that is. Otherwise, and where a read is cancelled,
    /// the thread pool does: at once where a pool thread received.
    /// </summary>
    public bool InlineContinuations { get; set; }

    protected ReceiveBuffer Buffer => buffer;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_completed | _reading | _outstanding) ThrowMisuse();
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        if (TryTake(out var result)) return new(result);
        if (_failure is not null) return ValueTask.FromException<ReadResult>(Failure());
        return WaitAsync(cancellationToken);
    }

    /// <summary>Gives what was received already; it does not ask the source.</summary>
    public override bool TryRead(out ReadResult result)
    {
        if (_completed | _reading | _outstanding) ThrowMisuse();
        if (TryTake(out result)) return true;
        if (_failure is not null) throw Failure();
        return false;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!_reading)
        {
            if (_completed) return;
            throw new InvalidOperationException("No read to advance.");
        }
        buffer.AdvanceTo(consumed, examined);
        _reading = false;
    }

    public override void CancelPendingRead() => WakeUp(Wake.Canceled);

    /// <summary>Ends reading and returns the buffers. A read that is pending fails; bytes of a result must not be used afterwards.</summary>
    public override void Complete(Exception? exception = null)
    {
        bool wake;
        lock (_gate)
        {
            if (_completed) return;
            _completed = true;
            _reading = false;
            _failure ??= new IOException("The connection was closed.");
            wake = TakeWaiter(Wake.Ready);
            buffer.Clear();
            if (!_inFlight) Discard();
        }
        if (wake) Dispatch(received: false);
    }

    /// <summary>Completes once no wait is in flight, which may still hold what it needs. The caller has made sure that it ends.</summary>
    public Task WhenIdleAsync()
    {
        lock (_gate)
        {
            if (!_inFlight) return Task.CompletedTask;
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _idle.Task;
        }
    }

    /// <summary>Receives into <see cref="Buffer"/> what is there now. Called by one thread at a time and never during a wait.</summary>
    protected abstract ReceiveStatus TryReceive(out Exception? error);

    /// <summary>
    /// Starts to wait until <see cref="TryReceive"/> is worth another call, and then calls <see cref="OnReady"/> once, from any thread;
    /// false where it is worth it now, and then no call comes.
    /// </summary>
    protected abstract bool BeginWait();

    /// <summary>Returns what a wait that is over brought and nobody took: reading is completed.</summary>
    protected virtual void Discard()
    {
    }

    /// <summary>The wait is over, well or not: the next <see cref="TryReceive"/> tells.</summary>
    protected void OnReady()
    {
        bool wake;
        lock (_gate)
        {
            _inFlight = false;
            _askFirst = true;
            if (_completed) Discard();
            wake = _waiting && Pump() && TakeWaiter(Wake.Ready);
            if (!_inFlight) EndIdleWait();
        }
        if (wake) Dispatch(received: true);
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
    {
        var wake = _core.GetResult(token);
        var cancellationToken = _registration.Token;
        // Waits for a cancellation that is just running, so that it cannot reach the next read.
        _registration.Dispose();
        _registration = default;
        // Made here, not when the read completed: what a Complete in between gave back must not be handed out.
        lock (_gate)
        {
            _outstanding = false;
            if (wake == Wake.TokenCanceled && !_completed) throw new OperationCanceledException(cancellationToken);
            if (_completed || (_failure is not null && wake == Wake.Ready && !buffer.HasUnexamined)) throw Failure();
            _reading = true;
            return new ReadResult(buffer.Sequence, wake == Wake.Canceled, _ended);
        }
    }

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IThreadPoolWorkItem.Execute() => _core.SetResult(_wake);

    private ValueTask<ReadResult> WaitAsync(CancellationToken cancellationToken)
    {
        _core.Reset();
        // Before the gate: a registration may run the callback here and now, which then finds nobody waiting; the check below sees it.
        if (cancellationToken.CanBeCanceled)
            _registration = cancellationToken.UnsafeRegister(static state => ((NonBlockingReader)state!).WakeUp(Wake.TokenCanceled), this);
        bool ready;
        lock (_gate)
        {
            ready = Pump();
            if (!ready && !cancellationToken.IsCancellationRequested)
            {
                if (!_cancelRequested)
                {
                    _waiting = _outstanding = true;
                    return new(this, _core.Version);
                }
                _cancelRequested = false;
            }
        }
        _registration.Dispose();
        _registration = default;
        if (!ready && cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        if (ready && _failure is not null && !buffer.HasUnexamined) return ValueTask.FromException<ReadResult>(Failure());
        _reading = true;
        return new(new ReadResult(buffer.Sequence, isCanceled: !ready, _ended));
    }

    /// <summary>Receives, or sees to it that <see cref="OnReady"/> will be called. Under the gate. True when there is something to tell.</summary>
    private bool Pump()
    {
        if (_inFlight) return false;
        while (_failure is null && !_ended)
        {
            if (_askFirst)
            {
                switch (TryReceive(out var error))
                {
                    case ReceiveStatus.Received:
                        _askFirst = !buffer.LastReadLeftRoom;
                        return true;
                    case ReceiveStatus.End:
                        _ended = true;
                        return true;
                    case ReceiveStatus.Failed:
                        _failure = error as IOException ?? new IOException(error?.Message ?? "The connection was reset.", error);
                        return true;
                    default:
                        _askFirst = false;
                        break;
                }
            }
            buffer.Trim();
            _inFlight = true;
            if (BeginWait()) return false;
            _inFlight = false;
            _askFirst = true;
        }
        return true;
    }

    private bool TryTake(out ReadResult result)
    {
        bool canceled = _cancelRequested;
        if (canceled) lock (_gate) _cancelRequested = false;
        if (canceled || _ended || buffer.HasUnexamined)
        {
            _reading = true;
            result = new ReadResult(buffer.Sequence, canceled, _ended);
            return true;
        }
        result = default;
        return false;
    }

    private void WakeUp(Wake wake)
    {
        lock (_gate)
        {
            if (!TakeWaiter(wake))
            {
                if (wake == Wake.Canceled) _cancelRequested = true;
                return;
            }
        }
        Dispatch(received: false);
    }

    private bool TakeWaiter(Wake wake)
    {
        if (!_waiting) return false;
        _waiting = false;
        _wake = wake;
        return true;
    }

    private void Dispatch(bool received)
    {
        if (received && (InlineContinuations || Thread.CurrentThread.IsThreadPoolThread)) ((IThreadPoolWorkItem)this).Execute();
        else ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void EndIdleWait()
    {
        _idle?.TrySetResult();
        _idle = null;
    }

    // A fresh one for each throw: two threads must not write one exception's stack trace.
    private IOException Failure() => new(_failure!.Message, _failure.InnerException);

    private void ThrowMisuse() => throw new InvalidOperationException(
        _completed ? "Reading is not allowed after the reader was completed."
        : _reading ? "Reading is already in progress: advance first."
        : "Another read is pending.");
}
