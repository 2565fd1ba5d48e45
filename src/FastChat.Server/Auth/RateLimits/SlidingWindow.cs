namespace FastChat.Server.Auth.RateLimits;

/// <summary>
/// Counts within a window that slides in sixty steps. What was counted comes back when the window has passed, to within a sixtieth; a
/// window that starts afresh every minute would let twice as many through around its turn. Not thread-safe.
/// </summary>
internal struct SlidingWindow(int limit, TimeSpan window)
{
    private const int Steps = 60;
    private readonly long _step = window.Ticks / Steps;
    private readonly int[] _counts = new int[Steps];
    private long _newest;
    private int _sum;

    /// <summary>How many the window holds at most.</summary>
    public readonly int Limit => limit;

    /// <summary>How many more the window holds now.</summary>
    public readonly int Remaining => limit - _sum;

    /// <summary>Lets the window slide to a time (ticks since any start; an earlier one than before changes nothing).</summary>
    public void MoveTo(long now)
    {
        long step = now / _step;
        for (long next = Math.Max(_newest + 1, step - Steps + 1); next <= step; next++)
        {
            ref int count = ref _counts[next % Steps];
            _sum -= count;
            count = 0;
        }
        _newest = Math.Max(_newest, step);
    }

    /// <summary>Counts that many now.</summary>
    public void Add(int count)
    {
        _counts[_newest % Steps] += count;
        _sum += count;
    }

    /// <summary>How long until that many more fit in; zero when they do. They must not be more than <see cref="Limit"/>.</summary>
    public readonly TimeSpan UntilRoomFor(int count, long now)
    {
        int missing = count - Remaining;
        long step = Math.Max(0, _newest - Steps + 1);
        if (missing <= 0)
            return TimeSpan.Zero;
        while (step < _newest && (missing -= _counts[step % Steps]) > 0)
            step++;
        return TimeSpan.FromTicks(((step + Steps) * _step) - now);
    }
}
