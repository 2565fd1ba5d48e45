using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using FastChat.Connections;

namespace FastChat.Benchmarks.Connections;

/// <summary>An echo whose handler waits, for one connection, until <see cref="Release"/> lets it go on, on the releasing thread.</summary>
internal sealed class PendingEcho : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core;
    private volatile bool _waiting;

    /// <summary>The handler; what it allocates itself is pooled.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask EchoAsync(WebSocketConnection connection, WebSocketMessage message)
    {
        await new ValueTask(this, _core.Version);
        await connection.SendAsync(message);
    }

    /// <summary>Lets the one handler that waits go on; waits for it to get there.</summary>
    public void Release()
    {
        var spin = new SpinWait();
        while (!_waiting) spin.SpinOnce();
        _waiting = false;
        _core.SetResult(true);
    }

    public void GetResult(short token)
    {
        _core.GetResult(token);
        _core.Reset();
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _core.OnCompleted(continuation, state, token, flags);
        _waiting = true;
    }
}
