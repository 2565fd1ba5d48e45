using System.IO.Pipelines;

namespace FastChat.Transport;

/// <summary>
/// Runs the reader of one pipe on the thread pool, without allocating: a writer may hold a lock while it flushes, under which the other
/// end's code must not run.
/// </summary>
internal sealed class PipeContinuations : PipeScheduler, IThreadPoolWorkItem
{
    private Action<object?>? _action;
    private object? _state;

    public override void Schedule(Action<object?> action, object? state)
    {
        if (Interlocked.CompareExchange(ref _action, action, null) is null)
        {
            _state = state;
            System.Threading.ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else System.Threading.ThreadPool.UnsafeQueueUserWorkItem(action, state, preferLocal: false); // the one before is just about to run
    }

    void IThreadPoolWorkItem.Execute()
    {
        object? state = _state;
        _state = null;
        Interlocked.Exchange(ref _action, null)!(state);
    }
}
