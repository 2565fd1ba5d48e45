using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace FastChat.Transport.Epoll;

/// <summary>
/// The continuation of one pending operation: what <see cref="ManualResetValueTaskSourceCore{TResult}"/> does, at a third of its size,
/// because the result lies elsewhere. A connection has two, and connections are many.
/// </summary>
internal struct LoopCompletion
{
    private static readonly Action<object?> Completed = static _ => throw new InvalidOperationException("The operation was awaited twice.");

    private Action<object?>? _continuation; // null: not awaited yet; Completed: done before it was awaited
    private object? _state;

    /// <summary>Tells the operations of this source apart.</summary>
    public short Version { get; private set; }

    private volatile bool _done;

    /// <summary>
    /// Whether the operation has completed. Not before whoever completes it has let go of the continuation: who sees this may begin the next
    /// operation at once, and its continuation must not be taken for this one's.
    /// </summary>
    public readonly bool IsCompleted => Volatile.Read(in _continuation) is not null && _done;

    public void Reset()
    {
        Version++;
        _done = false;
        _continuation = null;
        _state = null;
    }

    /// <summary>Completes the operation and runs who awaits it, here or on the thread pool.</summary>
    public void Complete(bool inline)
    {
        _done = true;
        var continuation = Volatile.Read(ref _continuation) ?? Interlocked.CompareExchange(ref _continuation, Completed, null);
        if (continuation is null) return;
        object? state = _state;
        _state = null;
        if (inline) continuation(state);
        else ThreadPool.UnsafeQueueUserWorkItem(continuation, state, preferLocal: true);
    }

    public void OnCompleted(Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        if (flags != ValueTaskSourceOnCompletedFlags.None) continuation = InContext(continuation, flags);
        _state = state;
        var before = Interlocked.CompareExchange(ref _continuation, continuation, null);
        if (before is null) return;
        if (!ReferenceEquals(before, Completed)) throw new InvalidOperationException("The operation is awaited already.");
        ThreadPool.UnsafeQueueUserWorkItem(continuation, state, preferLocal: true);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Check(short version)
    {
        if (version != Version) throw new InvalidOperationException("The operation is over.");
    }

    /// <summary>For those who want to come back in the context they left; the engine itself never does.</summary>
    private static Action<object?> InContext(Action<object?> continuation, ValueTaskSourceOnCompletedFlags flags)
    {
        var execution = (flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0 ? ExecutionContext.Capture() : null;
        var synchronization = (flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0 ? SynchronizationContext.Current : null;
        if (execution is null && synchronization is null) return continuation;
        return state =>
        {
            Action run = execution is null ? () => continuation(state) : () => ExecutionContext.Run(execution, s => continuation(s), state);
            if (synchronization is null) run();
            else synchronization.Post(static r => ((Action)r!)(), run);
        };
    }
}
