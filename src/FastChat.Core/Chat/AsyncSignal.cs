using System.Threading.Tasks.Sources;

namespace FastChat.Chat;

/// <summary>
/// Wakes one waiter, or remembers one wake-up for the next. Any thread may set it; only one may wait at a time. Waiting allocates nothing.
/// </summary>
internal sealed class AsyncSignal : IValueTaskSource
{
    private const int Idle = 0;
    private const int Signalled = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _core;
    private int _state;

    /// <param name="inline">
    /// Whether the waiter may go on within this call: only where the caller holds no lock and can spare the time until the waiter's next wait.
    /// </param>
    public void Set(bool inline = false)
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if (state == Signalled)
                return;
            if (Interlocked.CompareExchange(ref _state, state == Waiting ? Idle : Signalled, state) != state)
                continue;
            if (state == Waiting)
            {
                // Whoever got here is alone with the core until the waiter goes on.
                _core.RunContinuationsAsynchronously = !inline;
                _core.SetResult(true);
            }
            return;
        }
    }

    public ValueTask WaitAsync()
    {
        // The version is read before the state says so: from then on another thread may complete it.
        var pending = new ValueTask(this, _core.Version);
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle)
            return pending;
        Interlocked.Exchange(ref _state, Idle);
        return default;
    }

    void IValueTaskSource.GetResult(short token)
    {
        _core.GetResult(token);
        _core.Reset();
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
