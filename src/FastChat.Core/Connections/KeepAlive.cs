using System.Runtime.InteropServices;

namespace FastChat.Connections;

/// <summary>When a silent peer is pinged, and when it is given up; and the deadline of a closing handshake. Looked at once a tick.</summary>
[StructLayout(LayoutKind.Auto)] // every connection has one
internal struct KeepAlive
{
    public enum Verdict
    {
        Fine,
        /// <summary>Silent for long enough to ask.</summary>
        Ping,
        /// <summary>Nothing came after the ping.</summary>
        Silent,
        /// <summary>The deadline has passed.</summary>
        Overdue,
    }

    /// <summary>Something came since the last tick. Costs the receiving side a store, not a look at the clock.</summary>
    public volatile bool Received;

    /// <summary>A read is pending: a peer is silent only while somebody listens.</summary>
    public volatile bool Reading;

    private bool _pinged;
    private long _deadline; // timestamp; 0 for none

    /// <summary>The timestamp from which silence counts.</summary>
    public long SilentSince { get; set; }

    public EndReason DeadlineReason { get; private set; }

    /// <summary>Sets the deadline, unless there is one already.</summary>
    public void SetDeadline(TimeProvider time, TimeSpan after, EndReason reason)
    {
        if (Volatile.Read(ref _deadline) != 0) return;
        DeadlineReason = reason;
        Volatile.Write(ref _deadline, time.GetTimestamp() + (long)(after.TotalSeconds * time.TimestampFrequency));
    }

    public Verdict Beat(long now, TimeProvider time, WebSocketLimits limits)
    {
        long deadline = Volatile.Read(ref _deadline);
        if (deadline != 0) return now < deadline ? Verdict.Fine : Verdict.Overdue;
        if (Received || !Reading)
        {
            Received = _pinged = false;
            SilentSince = now;
            return Verdict.Fine;
        }
        if (limits.PingInterval == Timeout.InfiniteTimeSpan) return Verdict.Fine;
        var silent = time.GetElapsedTime(SilentSince, now);
        if (_pinged) return silent >= limits.PongTimeout ? Verdict.Silent : Verdict.Fine;
        if (silent < limits.PingInterval) return Verdict.Fine;
        _pinged = true;
        SilentSince = now;
        return Verdict.Ping;
    }
}
