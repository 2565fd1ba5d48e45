using System.Threading.Channels;

namespace FastChat.Server.Tests.Models;

/// <summary>A clock whose timers a test fires by hand, each as it is armed: nothing in it depends on how long anything takes.</summary>
internal sealed class ManualTimers : TimeProvider
{
    private readonly Channel<Armed> _armed = Channel.CreateUnbounded<Armed>();

    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(2024, 1, 15, 10, 30, 0, TimeSpan.Zero);

    /// <summary>Goes on when a timer fires, to its time.</summary>
    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>The next timer armed, in the order of arming; it is <paramref name="due"/> later that it would fire.</summary>
    public async Task<Armed> ArmedAsync(TimeSpan due)
    {
        var armed = await _armed.Reader.ReadAsync().AsTask().WaitAsync(FakeUpstream.Bound);
        Assert.Equal(due, armed.Due);
        return armed;
    }

    /// <summary>The next timer armed, whatever its time.</summary>
    public Task<Armed> ArmedAsync() => _armed.Reader.ReadAsync().AsTask().WaitAsync(FakeUpstream.Bound);

    internal sealed record Armed(TimeSpan Due, Action Fire);

    private sealed class Timer(ManualTimers owner, Action fire) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Timeout.InfiniteTimeSpan) return true;
            long at = owner.GetTimestamp() + dueTime.Ticks;
            Assert.True(owner._armed.Writer.TryWrite(new Armed(dueTime, () =>
            {
                Volatile.Write(ref owner._ticks, Math.Max(at, owner.GetTimestamp()));
                fire();
            })));
            return true;
        }

        public void Dispose() { }

        public ValueTask DisposeAsync() => default;
    }
}
