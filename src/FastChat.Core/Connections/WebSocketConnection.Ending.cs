using FastChat.Diagnostics;
using FastChat.Protocol;

namespace FastChat.Connections;

/// <content>How a connection comes to its end, from either side, and what is done about it once.</content>
public sealed partial class WebSocketConnection
{
    internal void Close(CloseCode code, string? reason, EndReason why)
    {
        SetDeadline(_settings.Limits.CloseTimeout, EndReason.CloseTimeout);
        if (_sender.Close(code, reason)) SetReason(why);
    }

    internal void AbortFor(EndReason why)
    {
        SetReason(why);
        _sender.Break();
        _transport.Abort();
    }

    /// <summary>The send queue overflowed and the policy has closed the connection; the peer has little time left to take the close frame.</summary>
    internal void OnSendQueueFull()
    {
        SetReason(EndReason.SendQueueFull);
        SetDeadline(_settings.Limits.CloseTimeout, EndReason.SendQueueFull);
    }

    internal void OnHandlerFailed(Exception e)
    {
        // A handler that fails because its connection is gone has nothing to tell.
        if ((EndReason is EndReason.None or EndReason.MessageAbandoned) && e is not ConnectionClosedException) _settings.Logger.HandlerFailed(e, Id);
        Close(CloseCode.InternalError, null, EndReason.HandlerFailed);
    }

    /// <summary>RFC 6455 section 7.1.7: says why, once, and ends.</summary>
    private void Fail(FrameError error)
    {
        _error = error;
        var code = FrameErrors.CloseCodeOf(error);
        CloseCode = code;
        SetReason(code switch
        {
            CloseCode.MessageTooBig => EndReason.MessageTooBig,
            CloseCode.InvalidPayloadData => EndReason.InvalidPayload,
            _ => EndReason.ProtocolError,
        });
        Close(code, null, EndReason);
    }

    /// <summary>
    /// Both close frames have been said, or ours has to suffice: lets ours go out, ends our side of the stream, and reads the peer's to its
    /// end. Closing the socket on unread bytes would make the kernel send a reset that can overtake the close frame.
    /// </summary>
    /// <returns>Whether the stream came to its end; else it broke, or time ran out.</returns>
    private async ValueTask<bool> LingerAsync()
    {
        SetDeadline(_settings.Limits.CloseTimeout, EndReason.CloseTimeout);
        try
        {
            await _sender.DrainedAsync().ConfigureAwait(false);
            await _transport.ShutdownAsync().ConfigureAwait(false);
            while (true)
            {
                var result = await _transport.Input.ReadAsync().ConfigureAwait(false);
                _transport.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) return true;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            return false;
        }
    }

    private async Task EndAsync(bool polite)
    {
        if (polite) polite = await LingerAsync().ConfigureAwait(false);
        if (!polite) SetReason(EndReason.PeerVanished); // unless somebody said before why
        _settings.Heartbeat.Remove(this);
        EngineMetrics.Connections.Add(-1);
        if (CloseCode == CloseCode.None) CloseCode = _sender.IsClosed && EndReason != EndReason.PeerVanished ? _sender.ClosedWith : CloseCode.AbnormalClosure;
        if (EngineMetrics.ConnectionsEnded.Enabled) EngineMetrics.ConnectionsEnded.Add(1, new KeyValuePair<string, object?>("reason", EndReason.ToString()));
        _settings.Logger.ConnectionEnded(Id, EndReason, CloseCode, _error);
        _sender.Break();
        if (!polite) _transport.Abort();
        await _sender.DrainedAsync().ConfigureAwait(false);
        await _transport.DisposeAsync().ConfigureAwait(false);
        _sender.Dispose();
        _reader?.Dispose();
        _agreement?.Inflater?.Dispose();
        try
        {
            await _handler.OnClosedAsync(this).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _settings.Logger.HandlerFailed(e, Id);
        }
        _ended = true;
        Interlocked.MemoryBarrier(); // whoever makes the next two from now on sees that it has ended
        _settings.OnEnded?.Invoke(this);
        CancelClosed();
        Volatile.Read(ref _completion)?.TrySetResult();
    }

    private void SetReason(EndReason reason)
    {
        if (Interlocked.CompareExchange(ref _endReason, (int)reason, 0) != 0) return;
        CancelClosed();
        if (_handler is PullReceiver receiver) receiver.Drop();
    }

    /// <summary>Runs the application's callbacks; what they throw must not stop the end.</summary>
    private void CancelClosed()
    {
        try
        {
            Volatile.Read(ref _closed)?.Cancel();
        }
        catch (AggregateException e)
        {
            _settings.Logger.CallbackFailed(e, Id);
        }
    }

    private void SetDeadline(TimeSpan after, EndReason reason) => _keepAlive.SetDeadline(_settings.TimeProvider, after, reason);

    IWatched? IWatched.NextWatched { get; set; }

    IWatched? IWatched.PreviousWatched { get; set; }

    /// <summary>Whether a read is pending, from when on silence counts. For tests of time that stands still.</summary>
    internal bool IsReading => _keepAlive.Reading;

    void IWatched.OnBeat(long now)
    {
        if (!_keepAlive.Received) _sender.Trim(); // a beat without traffic
        switch (_keepAlive.Beat(now, _settings.TimeProvider, _settings.Limits))
        {
            case KeepAlive.Verdict.Ping:
                _sender.Ping(default);
                break;
            case KeepAlive.Verdict.Silent:
                AbortFor(EndReason.PongTimeout);
                break;
            case KeepAlive.Verdict.Overdue:
                // A close that the peer never answered was no closing handshake.
                if (CloseCode == CloseCode.None) Interlocked.CompareExchange(ref _endReason, (int)_keepAlive.DeadlineReason, (int)EndReason.ClosedHere);
                AbortFor(_keepAlive.DeadlineReason);
                break;
            default:
                break;
        }
    }
}
