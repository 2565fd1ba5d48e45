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

    public bool Expired { get; private set; }

    public IWatched? NextWatched { get; set; }

    public IWatched? PreviousWatched { get; set; }

    public void Abort() => _transport.Abort();

    public void OnBeat(long now)
    {
        if (now < _deadline) return;
        if (now >= _deadline + _grace) _transport.Abort();
        else if (!Expired)
        {
            Expired = true;
            _transport.Input.CancelPendingRead();
        }
    }
}
