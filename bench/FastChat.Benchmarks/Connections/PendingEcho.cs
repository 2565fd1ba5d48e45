using System.Threading.Tasks.Sources;
using FastChat.Connections;

namespace FastChat.Benchmarks.Connections;

/// <summary>
/// An echo whose handler is pending, for one connection, until <see cref="Release"/> sends the answer and lets it complete, on the
/// releasing thread. Written by hand: an async method's own state would be counted too.
/// </summary>
internal sealed class PendingEcho : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core;
    private WebSocketConnection? _connection;
    private WebSocketMessage _message;
    private volatile bool _waiting;

    public ValueTask EchoAsync(WebSocketConnection connection, WebSocketMessage message)
    {
        (_connection, _message) = (connection, message);
        return new ValueTask(this, _core.Version);
    }

    /// <summary>Waits until the handler is awaited, answers, and completes it.</summary>
    public void Release()
    {
        var spin = new SpinWait();
        while (!_waiting) spin.SpinOnce();
        _waiting = false;
        if (!_connection!.SendAsync(_message).IsCompletedSuccessfully) throw new InvalidOperationException("The client does not read.");
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
