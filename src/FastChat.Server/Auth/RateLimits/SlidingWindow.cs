namespace FastChat.Server.Auth.RateLimits;

/// <summary>
/// Counts within a window that slides in sixty steps. What was counted comes back when the window has passed, to within a sixtieth; a
/// window that starts afresh every minute would let twice as many through around its turn. Keeps only the steps in which something was
/// counted: most users are idle most of the time. Not thread-safe.
/// </summary>
internal struct SlidingWindow(int limit, TimeSpan window)
{
    private const int Steps = 60;
    private const int FirstCapacity = 2;

    private readonly record struct Counted(int Step, int Count);

    private readonly long _step = window.Ticks / Steps;
    private Counted[] _counted = []; // oldest first
    private int _length;
    private int _newest;
    private int _sum;

    /// <summary>How many the window holds at most.</summary>
    public readonly int Limit => limit;

    /// <summary>How many more the window holds now.</summary>
    public readonly int Remaining => limit - _sum;

    /// <summary>Lets the window slide to a time (ticks since any start; an earlier one than before changes nothing).</summary>
    public void MoveTo(long now)
    {
        // The number of a step of a second fits for 68 years.
        _newest = Math.Max(_newest, (int)(now / _step));
        int over = 0;
        while (over < _length && _counted[over].Step <= _newest - Steps)
            _sum -= _counted[over++].Count;
        if (over == 0)
            return;
        _length -= over;
        Array.Copy(_counted, over, _counted, 0, _length);
    }

    /// <summary>Counts that many now.</summary>
    public void Add(int count)
    {
        _sum += count;
        if (_length > 0 && _counted[_length - 1].Step == _newest)
        {
            ref var last = ref _counted[_length - 1];
            last = last with { Count = last.Count + count };
            return;
        }
        if (_length == _counted.Length)
            Array.Resize(ref _counted, Math.Min(Steps, Math.Max(FirstCapacity, 2 * _length)));
        _counted[_length++] = new Counted(_newest, count);
    }

    /// <summary>How long until that many more fit in; zero when they do. They must not be more than <see cref="Limit"/>.</summary>
    public readonly TimeSpan UntilRoomFor(int count, long now)
    {
        int missing = count - Remaining;
        if (missing <= 0)
            return TimeSpan.Zero;
        int at = 0;
        while (at < _length - 1 && (missing -= _counted[at].Count) > 0)
            at++;
        return TimeSpan.FromTicks(((_counted[at].Step + (long)Steps) * _step) - now);
    }
}
