using FastChat.Transport;

namespace FastChat.Connections;

/// <summary>Ends a handshake that takes too long: by cancelling its read, so that 408 can be said, and by aborting when that is not taken either.</summary>
internal sealed class HandshakeWatch : IWatched
{
    private readonly TransportConnection _transport;
    private readonly long _deadline;
    private readonly long _grace;

    public HandshakeWatch(TransportConnection transport, TimeProvider time, TimeSpan timeout)
    {
        _transport = transport;
        _deadline = time.GetTimestamp() + (long)(timeout.TotalSeconds * time.TimestampFrequency);
        _grace = time.TimestampFrequency; // a second to take the answer
    }

    private int _state;

    private enum State
    {
        UnderWay,
        Accepted,
        HandedOn,
        GivenUp,
    }

    public bool Expired { get; private set; }

    public IWatched? NextWatched { get; set; }

    public IWatched? PreviousWatched { get; set; }

    /// <summary>The request is going to be accepted; false where the handshake has been given up.</summary>
    public bool TryAccept() => Interlocked.CompareExchange(ref _state, (int)State.Accepted, (int)State.UnderWay) == (int)State.UnderWay;

    /// <summary>The connection goes to somebody else: from here on nothing is done to it. False where the handshake has been given up.</summary>
    public bool TryHandOn()
    {
        lock (this) return Interlocked.CompareExchange(ref _state, (int)State.HandedOn, (int)State.UnderWay) == (int)State.UnderWay;
    }

    /// <summary>For a server that takes no more connections: ends the handshake, unless its peer may have been told that it is accepted.</summary>
    public void GiveUp()
    {
        if (Interlocked.CompareExchange(ref _state, (int)State.GivenUp, (int)State.UnderWay) == (int)State.UnderWay) Abort();
    }

    public void Abort() => _transport.Abort();

    public void OnBeat(long now)
    {
        if (now < _deadline) return;
        lock (this)
        {
            if (_state == (int)State.HandedOn) return;
            if (now >= _deadline + _grace) _transport.Abort();
            else if (!Expired)
            {
                Expired = true;
                _transport.Input.CancelPendingRead();
            }
        }
    }
}
