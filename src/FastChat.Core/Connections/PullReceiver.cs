using System.Threading.Tasks.Sources;

namespace FastChat.Connections;

/// <summary>
/// Turns the receive loop's pushing into <see cref="WebSocketConnection.ReadMessageAsync"/>: the loop waits, holding one message, until the
/// reader has come back for the next. So the payload stays where it was received, and a slow reader slows down its peer.
/// </summary>
internal sealed class PullReceiver(Func<WebSocketConnection, Task>? onConnection = null) : WebSocketHandler, IValueTaskSource<WebSocketMessage?>, IValueTaskSource
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<WebSocketMessage?> _read;
    private ManualResetValueTaskSourceCore<bool> _released;
    private CancellationTokenRegistration _cancellation;
    private WebSocketMessage _message;
    private bool _waiting; // a read is pending
    private bool _holding; // _message has come and was not asked for yet
    private bool _lent; // the reader works with the last message
    private bool _stopped; // nobody will read any more
    private bool _closing; // a message nobody waits for is dropped
    private bool _ended;

    public ValueTask<WebSocketMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<WebSocketMessage?>(cancellationToken);
        short version;
        bool release;
        lock (_gate)
        {
            if (_waiting) throw new InvalidOperationException("A read is pending already.");
            if (_holding)
            {
                _holding = false;
                _lent = true;
                return new ValueTask<WebSocketMessage?>(_message);
            }
            release = _lent;
            _lent = false;
            if (_ended) return new ValueTask<WebSocketMessage?>((WebSocketMessage?)null);
            _read.Reset();
            version = _read.Version;
            _waiting = true;
        }
        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(static (receiver, token) => ((PullReceiver)receiver!).Cancel(token), this);
        // The receive loop goes on right here, and has perhaps the next message before this returns.
        if (release) _released.SetResult(true);
        return new ValueTask<WebSocketMessage?>(this, version);
    }

    /// <summary>The application is done: messages that still come are dropped, so that the closing handshake can be seen.</summary>
    public void Stop()
    {
        bool release;
        lock (_gate)
        {
            _stopped = true;
            release = _lent || _holding;
            _lent = _holding = false;
        }
        if (release) _released.SetResult(true);
    }

    /// <summary>The connection is closing: messages nobody has asked for, here already or still to come, are dropped, so that they do not hold up the end.</summary>
    public void Drop()
    {
        lock (_gate)
        {
            _closing = true;
            if (!_holding) return;
            _holding = false;
        }
        // Not here: whoever closes is not to run the receive loop.
        ThreadPool.UnsafeQueueUserWorkItem(static receiver => receiver._released.SetResult(true), this, preferLocal: false);
    }

    public override ValueTask OnOpenAsync(WebSocketConnection connection)
    {
        if (onConnection is not null) _ = RunAsync(connection, onConnection);
        return default;
    }

    public override ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message)
    {
        bool awaited;
        short version;
        lock (_gate)
        {
            if (_stopped || (_closing && !_waiting)) return default;
            _released.Reset();
            version = _released.Version;
            awaited = _waiting;
            _waiting = false;
            _lent = awaited;
            _holding = !awaited;
            _message = awaited ? default : message;
        }
        if (awaited) _read.SetResult(message);
        return new ValueTask(this, version);
    }

    public override ValueTask OnClosedAsync(WebSocketConnection connection)
    {
        bool awaited;
        lock (_gate)
        {
            _ended = true;
            awaited = _waiting;
            _waiting = false;
        }
        if (awaited) _read.SetResult(null);
        return default;
    }

    private async Task RunAsync(WebSocketConnection connection, Func<WebSocketConnection, Task> serve)
    {
        try
        {
            await serve(connection).ConfigureAwait(false);
            await connection.CloseAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            connection.OnHandlerFailed(e);
        }
        Stop();
    }

    private void Cancel(CancellationToken token)
    {
        lock (_gate)
        {
            if (!_waiting) return;
            _waiting = false;
        }
        _read.SetException(new OperationCanceledException(token));
    }

    WebSocketMessage? IValueTaskSource<WebSocketMessage?>.GetResult(short token)
    {
        var cancellation = _cancellation;
        _cancellation = default;
        cancellation.Dispose();
        return _read.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<WebSocketMessage?>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<WebSocketMessage?>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token) => _released.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _released.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _released.OnCompleted(continuation, state, token, flags);
}
