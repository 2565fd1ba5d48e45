namespace FastChat.Connections;

/// <summary>
/// One timer for all connections: looks at each once a tick for silence and for deadlines that have passed, so that a connection needs no
/// timer and no clock of its own. A deadline is kept to within one tick.
/// </summary>
internal sealed class Heartbeat : IDisposable
{
    private static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestTick = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private IWatched? _first;
    private IWatched[] _snapshot = [];

    /// <param name="time">The clock.</param>
    /// <param name="shortest">The shortest of the times to be kept; the tick is a quarter of it, from 10 ms to 1 s.</param>
    public Heartbeat(TimeProvider time, TimeSpan shortest)
    {
        _time = time;
        var tick = shortest / 4;
        tick = tick > LongestTick ? LongestTick : tick < ShortestTick ? ShortestTick : tick;
        _timer = time.CreateTimer(static heart => ((Heartbeat)heart!).Beat(), this, tick, tick);
    }

    /// <summary>How many are watched.</summary>
    public int Count { get; private set; }

    public void Add(IWatched watched)
    {
        lock (_gate)
        {
            watched.NextWatched = _first;
            if (_first is not null) _first.PreviousWatched = watched;
            _first = watched;
            Count++;
        }
    }

    public void Remove(IWatched watched)
    {
        lock (_gate)
        {
            if (watched.PreviousWatched is null && !ReferenceEquals(_first, watched)) return;
            if (watched.PreviousWatched is { } previous) previous.NextWatched = watched.NextWatched;
            else _first = watched.NextWatched;
            if (watched.NextWatched is { } next) next.PreviousWatched = watched.PreviousWatched;
            watched.NextWatched = watched.PreviousWatched = null;
            Count--;
        }
    }

    /// <summary>Those watched now.</summary>
    public IWatched[] Watched()
    {
        lock (_gate)
        {
            var all = new IWatched[Count];
            Copy(all);
            return all;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Beat()
    {
        int count;
        IWatched[] all;
        lock (_gate)
        {
            if (_snapshot.Length < Count) _snapshot = new IWatched[Count + (Count / 2)];
            all = _snapshot;
            count = Count;
            Copy(all);
            _snapshot = []; // a beat that overtakes a slow one makes its own
        }
        long now = _time.GetTimestamp();
        for (int i = 0; i < count; i++) all[i].OnBeat(now);
        Array.Clear(all, 0, count);
        lock (_gate)
        {
            if (all.Length <= Count * 4) _snapshot = all;
        }
    }

    private void Copy(IWatched[] into)
    {
        int i = 0;
        for (var watched = _first; watched is not null; watched = watched.NextWatched) into[i++] = watched;
    }
}

/// <summary>Something a <see cref="Heartbeat"/> looks at. The links belong to the heartbeat.</summary>
internal interface IWatched
{
    IWatched? NextWatched { get; set; }

    IWatched? PreviousWatched { get; set; }

    /// <summary>Called once a tick with a timestamp of the heartbeat's clock. Must not block or throw.</summary>
    void OnBeat(long now);
}
