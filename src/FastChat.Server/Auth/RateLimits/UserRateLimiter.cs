using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using FastChat.Chat;

namespace FastChat.Server.Auth.RateLimits;

/// <summary>
/// The rate limits of all users, a minute's and an hour's, counted as one: a request takes from both or from neither. One instance serves
/// REST and, as the engine's <see cref="IChatRateLimiter"/>, sockets. It is a <see cref="PartitionedRateLimiter{TResource}"/>, so that
/// whatever speaks that interface can use it; the windows are our own since the in-box ones read the stopwatch, which no test can
/// advance, lose a permit of the first when a chained second refuses, and keep a partition for every user without a bound. Any thread
/// may ask at any time.
/// </summary>
internal sealed class UserRateLimiter(RateLimitOptions options, TimeProvider time) : PartitionedRateLimiter<string>, IChatRateLimiter
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, Counters> _users = new(StringComparer.Ordinal);
    private readonly long _start = time.GetTimestamp();
    private readonly Lock _sweepGate = new();
    private long _sweptAt;

    /// <summary>How many users are counted now.</summary>
    public int CountedUsers => _users.Count;

    /// <summary>Counts one request or chat message of a user, unless it is one too many.</summary>
    public RateLimitDecision Check(string userId) => Check(userId, 1);

    /// <summary>Counts several at once, or with 0 only looks.</summary>
    public RateLimitDecision Check(string userId, int permits)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(permits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(permits, Math.Min(options.PerMinute, options.PerHour));
        while (true)
        {
            long now = Now();
            if (!_users.TryGetValue(userId, out var counters))
            {
                SweepIfDue(now);
                counters = _users.GetOrAdd(userId, static (_, o) => new Counters(o), options);
            }
            if (counters.TryTake(permits, now) is { } decision)
                return decision;
        }
    }

    ValueTask<RateDecision> IChatRateLimiter.AcquireAsync(string userId, CancellationToken cancellationToken)
    {
        var decision = Check(userId);
        return new(new RateDecision(decision.Allowed, decision.RetryAfter));
    }

    /// <inheritdoc/>
    public override RateLimiterStatistics? GetStatistics(string resource) =>
        new() { CurrentAvailablePermits = Check(resource, 0).Remaining };

    /// <inheritdoc/>
    protected override RateLimitLease AttemptAcquireCore(string resource, int permitCount) => new Lease(Check(resource, permitCount));

    /// <inheritdoc/>
    protected override ValueTask<RateLimitLease> AcquireAsyncCore(string resource, int permitCount, CancellationToken cancellationToken) =>
        new(new Lease(Check(resource, permitCount)));

    private long Now() => time.GetElapsedTime(_start).Ticks;

    private void SweepIfDue(long now)
    {
        if (_users.Count < options.MaxUsers && now - Interlocked.Read(ref _sweptAt) < SweepEvery.Ticks)
            return;
        lock (_sweepGate)
        {
            if (_users.Count < options.MaxUsers && now - _sweptAt < SweepEvery.Ticks)
                return;
            Interlocked.Exchange(ref _sweptAt, now);
            foreach (var (id, counters) in _users)
            {
                if (now - counters.LastUsed > Hour.Ticks)
                    Forget(id, counters);
            }
            if (_users.Count >= options.MaxUsers)
                ForgetIdlest();
        }
    }

    // A tenth at once, so that a flood of new ids pays for the sweep seldom.
    private void ForgetIdlest()
    {
        int keep = options.MaxUsers - Math.Max(1, options.MaxUsers / 10);
        foreach (var (id, counters) in _users.ToArray().OrderByDescending(user => user.Value.LastUsed).Skip(keep))
            Forget(id, counters);
    }

    private void Forget(string id, Counters counters)
    {
        counters.Retire();
        _users.TryRemove(new KeyValuePair<string, Counters>(id, counters));
    }

    private sealed class Counters(RateLimitOptions options)
    {
        // Locked: this object, which nobody else sees; every user has one.
        private SlidingWindow _minute = new(options.PerMinute, TimeSpan.FromMinutes(1));
        private SlidingWindow _hour = new(options.PerHour, Hour);
        private long _lastUsed = long.MaxValue;
        private bool _retired;

        public long LastUsed => Interlocked.Read(ref _lastUsed);

        /// <summary>Ends these counters: whoever still holds them must look up new ones.</summary>
        public void Retire()
        {
            lock (this)
                _retired = true;
        }

        /// <summary>Takes from both windows or from neither; null when these counters have ended.</summary>
        public RateLimitDecision? TryTake(int permits, long now)
        {
            lock (this)
            {
                if (_retired)
                    return null;
                _minute.MoveTo(now);
                _hour.MoveTo(now);
                Interlocked.Exchange(ref _lastUsed, now);
                bool allowed = permits <= Math.Min(_minute.Remaining, _hour.Remaining);
                if (allowed)
                {
                    _minute.Add(permits);
                    _hour.Add(permits);
                }
                var minute = Decide(in _minute, allowed, permits, now);
                var hour = Decide(in _hour, allowed, permits, now);
                // The nearest limit is the one that makes wait longest, or else has least left.
                return allowed
                    ? hour.Remaining < minute.Remaining ? hour : minute
                    : hour.RetryAfter > minute.RetryAfter ? hour : minute;
            }
        }

        private static RateLimitDecision Decide(in SlidingWindow window, bool allowed, int permits, long now) => new(
            allowed,
            window.Limit,
            window.Remaining,
            window.UntilRoomFor(Math.Min(window.Remaining + 1, window.Limit), now),
            allowed ? TimeSpan.Zero : window.UntilRoomFor(permits, now));
    }

    private sealed class Lease(RateLimitDecision decision) : RateLimitLease
    {
        public override bool IsAcquired => decision.Allowed;

        public override IEnumerable<string> MetadataNames => decision.Allowed ? [] : [MetadataName.RetryAfter.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            bool known = !decision.Allowed && metadataName == MetadataName.RetryAfter.Name;
            metadata = known ? decision.RetryAfter : null;
            return known;
        }
    }
}
