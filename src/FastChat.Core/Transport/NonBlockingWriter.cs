using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using FastChat.Buffers;

namespace FastChat.Transport;

/// <summary>What an attempt to send came to.</summary>
internal enum SendStatus
{
    /// <summary>Everything is sent.</summary>
    Sent,

    /// <summary>There is no room for the rest now.</summary>
    WouldBlock,

    /// <summary>The connection is broken.</summary>
    Failed,
}

/// <summary>
/// A <see cref="PipeWriter"/> over a sink that takes what it can at once (<see cref="TrySend"/>); only the rest is sent asynchronously
/// (<see cref="BeginSend"/>). Of large payloads given to <see cref="WriteAsync"/> only what the sink does not take at
/// once is copied.
/// Allocates nothing per flush.
/// </summary>
/// <param name="pool">Where blocks come from and return to.</param>
/// <remarks>
/// What an asynchronous send holds is always the writer's own memory, never the caller's: a payload can be reused as soon as the call that
/// passed it has returned, and after a cancelled flush the sending goes on by itself. The next flush waits behind it.
/// Locking: <c>_sending</c> is under <c>_gate</c> while <c>_busy</c>; <c>_written</c> is the caller's, except while a
/// flush waits.
/// </remarks>
internal abstract class NonBlockingWriter(ArrayPool<byte> pool)
    : PipeWriter, IValueTaskSource<FlushResult>, IThreadPoolWorkItem
{
    /// <summary>Payloads from this size on are sent from where they are; below it a copy is cheaper than another block in the send.</summary>
    public const int DirectThreshold = 4 * 1024;

    private enum Wake : byte
    {
        Done,
        Canceled,
        TokenCanceled,
    }

    private readonly Lock _gate = new();
    private readonly BufferChain _written = new(pool);
    private BufferChain? _sending;
    private ManualResetValueTaskSourceCore<Wake> _core;
    private CancellationTokenRegistration _registration;
    private TaskCompletionSource? _idle;
    private volatile IOException? _failure;
    private Wake _wake;
    private bool _outstanding;
    private bool _waiting;
    private volatile bool _busy;
    private volatile bool _completed;
    private volatile bool _cancelRequested;

    /// <summary>As <see cref="NonBlockingReader.InlineContinuations"/>, for the thread that sent.</summary>
    public bool InlineContinuations { get; set; }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written.Length;

    protected ArrayPool<byte> Pool => pool;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_completed | _outstanding) ThrowMisuse();
        return _written.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (_completed | _outstanding) ThrowMisuse();
        _written.Advance(bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => Flush(default, cancellationToken);

    /// <summary>Sends what is buffered and then <paramref name="source"/>, which is not looked at any more once this has returned, pending or not.</summary>
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        Flush(source, cancellationToken);

    public override void CancelPendingFlush() => WakeUp(Wake.Canceled);

    /// <summary>Ends writing: what was not flushed is dropped, a flush that is pending fails; what it began to send still goes out.</summary>
    public override void Complete(Exception? exception = null)
    {
        bool wake;
        lock (_gate)
        {
            if (_completed) return;
            _completed = true;
            _written.Clear();
            wake = TakeWaiter(Wake.Done);
        }
        if (wake) Dispatch(sent: false);
    }

    /// <summary>Completes once nothing is being sent any more, well or not.</summary>
    public Task WhenIdleAsync()
    {
        lock (_gate)
        {
            if (!_busy) return Task.CompletedTask;
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _idle.Task;
        }
    }

    /// <summary>
    /// Sends as much as there is room for, first of <paramref name="chain"/>, then of <paramref name="direct"/>, and takes it off them.
    /// Called by one thread at a time and never while a send is in flight.
    /// </summary>
    protected abstract SendStatus TrySend(BufferChain chain, ref ReadOnlyMemory<byte> direct, out Exception? error);

    /// <summary>
    /// Starts to send some bytes, which it takes off, and calls <see cref="OnSent"/> once they are out, from any thread; false where they are out already, or have failed with <paramref name="error"/>, and then no call comes.
    /// </summary>
    protected abstract bool BeginSend(BufferChain chain, out Exception? error);

    /// <summary>An asynchronous send is over.</summary>
    protected void OnSent(Exception? error)
    {
        bool wake;
        lock (_gate)
        {
            if (error is not null) Fail(error);
            else if (!Pump(askFirst: true)) return;
            // A flush that came while an earlier, cancelled one was still being sent has waited with its bytes for this moment.
            if (_waiting && _failure is null && !_written.IsEmpty)
            {
                _sending!.Append(_written);
                if (!Pump(askFirst: true)) return;
            }
            wake = TakeWaiter(Wake.Done);
            _idle?.TrySetResult();
            _idle = null;
        }
        if (wake) Dispatch(sent: true);
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        var wake = _core.GetResult(token);
        var cancellationToken = _registration.Token;
        // Waits for a cancellation that is just running, so that it cannot reach the next flush.
        _registration.Dispose();
        _registration = default;
        _outstanding = false;
        if (wake == Wake.TokenCanceled) throw new OperationCanceledException(cancellationToken);
        if (wake == Wake.Done && _failure is not null) throw Failure();
        if (wake == Wake.Done && _completed) throw new IOException("The connection was closed.");
        return new FlushResult(wake == Wake.Canceled, isCompleted: false);
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IThreadPoolWorkItem.Execute() => _core.SetResult(_wake);

    private ValueTask<FlushResult> Flush(ReadOnlyMemory<byte> direct, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        lock (_gate)
        {
            if (_completed | _outstanding) ThrowMisuse();
            if (direct.Length is > 0 and < DirectThreshold)
            {
                _written.Write(direct.Span);
                direct = default;
            }
            if (_busy)
            {
                if (!direct.IsEmpty) _written.Write(direct.Span);
                return Wait(cancellationToken);
            }
            if (_failure is not null)
            {
                _written.Clear();
                return Done();
            }
            switch (TrySend(_written, ref direct, out var error))
            {
                case SendStatus.Sent:
                    _written.Clear();
                    return Done();
                case SendStatus.Failed:
                    Fail(error);
                    _written.Clear();
                    return Done();
            }
            _sending ??= new BufferChain(pool);
            _sending.Append(_written);
            if (!direct.IsEmpty) _sending.Write(direct.Span);
            return Pump(askFirst: false) ? Done() : Wait(cancellationToken);
        }
    }

    private ValueTask<FlushResult> Done()
    {
        if (_failure is not null) return ValueTask.FromException<FlushResult>(Failure());
        bool canceled = _cancelRequested;
        _cancelRequested = false;
        return new(new FlushResult(canceled, isCompleted: false));
    }

    /// <summary>Parks the caller until <see cref="OnSent"/> or a cancellation. Under the gate, which is what a cancellation waits for.</summary>
    private ValueTask<FlushResult> Wait(CancellationToken cancellationToken)
    {
        if (_cancelRequested) return Done();
        _core.Reset();
        _outstanding = true;
        if (cancellationToken.CanBeCanceled)
            _registration = cancellationToken.UnsafeRegister(static state => ((NonBlockingWriter)state!).WakeUp(Wake.TokenCanceled), this);
        if (cancellationToken.IsCancellationRequested)
        {
            // The callback may have run before there was anybody to wake.
            _wake = Wake.TokenCanceled;
            _core.SetResult(_wake);
        }
        else
        {
            _waiting = true;
        }
        return new(this, _core.Version);
    }

    /// <summary>Sends what is in <c>_sending</c>, or sees to it that <see cref="OnSent"/> will be called. Under the gate. True when done.</summary>
    private bool Pump(bool askFirst)
    {
        while (!_sending!.IsEmpty)
        {
            if (askFirst)
            {
                ReadOnlyMemory<byte> nothing = default;
                switch (TrySend(_sending, ref nothing, out var error))
                {
                    case SendStatus.Sent:
                        continue;
                    case SendStatus.Failed:
                        Fail(error);
                        return true;
                }
            }
            _busy = true;
            if (BeginSend(_sending, out var failure)) return false;
            if (failure is not null)
            {
                Fail(failure);
                return true;
            }
            askFirst = true;
        }
        _sending.Clear();
        _busy = false;
        return true;
    }

    private void Fail(Exception? error)
    {
        _failure ??= error as IOException ?? new IOException(error?.Message ?? "The connection was reset.", error);
        _sending?.Clear();
        _busy = false;
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
        Dispatch(sent: false);
    }

    private bool TakeWaiter(Wake wake)
    {
        if (!_waiting) return false;
        _waiting = false;
        _wake = wake;
        return true;
    }

    private void Dispatch(bool sent)
    {
        if (sent && (InlineContinuations || Thread.CurrentThread.IsThreadPoolThread)) ((IThreadPoolWorkItem)this).Execute();
        else ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private IOException Failure() => new(_failure!.Message, _failure.InnerException);

    private void ThrowMisuse() => throw new InvalidOperationException(
        _completed ? "Writing is not allowed after the writer was completed." : "Another flush is pending.");
}
