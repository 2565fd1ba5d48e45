namespace FastChat.Server.Storage;

/// <summary>
/// Time as stores keep it: microseconds since 1970, each later than the one before, so that the order of times is the order of commits.
/// Used on the writer's thread alone.
/// </summary>
internal sealed class StoreClock(TimeProvider time)
{
    private long _last;

    public long Next() => _last = Math.Max(ToMicroseconds(time.GetUtcNow()), _last + 1);

    public static long ToMicroseconds(DateTimeOffset value) => (value - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset FromMicroseconds(long value) => DateTimeOffset.UnixEpoch.AddTicks(value * TimeSpan.TicksPerMicrosecond);
}
