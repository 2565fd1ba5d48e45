using FastChat.LoadTests.Load;
using FastChat.TestKit;

namespace FastChat.LoadTests.Tests.Load;

public class OpenLoopTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly Measurements _measurements = new(["operation"]);

    [Fact]
    public async Task A_server_that_stalls_is_charged_for_everything_that_was_due_meanwhile()
    {
        // Ten operations, 100 ms apart; the server answers nothing before 1 s, and then everything at once.
        var answers = new TaskCompletionSource();
        var run = new OpenLoop(_time, 100).RunAsync(ArrivalSchedule.Of(10, 10), _measurements, async (_, due) =>
        {
            await answers.Task;
            _measurements["operation"].Add(_time.GetElapsedTime(due));
        }, CancellationToken.None);
        await UntilAsync(() => _time.ArmedTimers > 0);
        for (int i = 2; i <= 10; i++) await AdvanceAsync(100, i);
        await AdvanceAsync(100, 10, waits: false);
        answers.SetResult();
        await run.WaitAsync(Bound);
        var summary = _measurements["operation"].Summary();
        // 1000, 900, ..., 100: a closed loop would have seen one of 1,000 ms and nine of nothing.
        Assert.Equal(1000, summary.MaxMs, 3);
        Assert.Equal(550, summary.MeanMs, 3);
    }

    [Fact]
    public async Task Operations_beyond_the_most_at_a_time_are_errors()
    {
        var answers = new TaskCompletionSource();
        var run = new OpenLoop(_time, 3).RunAsync(ArrivalSchedule.Of(5, 1000), _measurements, (_, _) => answers.Task, CancellationToken.None);
        await UntilAsync(() => _time.ArmedTimers > 0);
        for (int i = 2; i <= 5; i++) await AdvanceAsync(1, i);
        await AdvanceAsync(1, 5, waits: false);
        Assert.Equal(2, _measurements.Errors);
        answers.SetResult();
        await run.WaitAsync(Bound);
        Assert.Equal((5L, "Not started: 3 operations are under way."), (_measurements.Operations, _measurements.ErrorKinds.Single().Key));
    }

    [Fact]
    public async Task Failures_are_counted_by_what_they_say()
    {
        var run = new OpenLoop(_time, 10).RunAsync(ArrivalSchedule.Of(3, 1000), _measurements,
            (arrival, _) => throw (arrival.Index == 0 ? new LoadException("Refused.") : new TimeoutException()), CancellationToken.None);
        await UntilAsync(() => _time.ArmedTimers > 0);
        await AdvanceAsync(1, 2);
        await AdvanceAsync(1, 3);
        await AdvanceAsync(1, 3, waits: false);
        await run.WaitAsync(Bound);
        Assert.Equal([KeyValuePair.Create("Timed out.", 2), KeyValuePair.Create("Refused.", 1)], _measurements.ErrorKinds);
        Assert.Equal((3L, 3L, 0), (_measurements.Operations, _measurements.Errors, _measurements.InFlight));
    }

    [Fact]
    public async Task A_run_that_is_ended_starts_no_more_and_blames_nobody_for_what_was_under_way()
    {
        using var stop = new CancellationTokenSource();
        var run = new OpenLoop(_time, 10).RunAsync(ArrivalSchedule.Of(100, 1), _measurements, (_, _) => Task.Delay(Timeout.InfiniteTimeSpan, stop.Token), stop.Token);
        await stop.CancelAsync();
        await run.WaitAsync(Bound);
        Assert.Equal((0L, 0L, 0L), (_measurements.Operations, _measurements.Errors, _measurements.Started));
    }

    [Fact]
    public async Task The_loop_lasts_as_long_as_its_schedule()
    {
        var run = new OpenLoop(_time, 10).RunAsync(new ArrivalSchedule([new(TimeSpan.FromSeconds(1), 1, 1), new(TimeSpan.FromSeconds(2), 0, 0)]), _measurements, (_, _) => Task.CompletedTask, CancellationToken.None);
        await UntilAsync(() => _time.ArmedTimers > 0);
        await AdvanceAsync(1000, 1);
        await AdvanceAsync(1000, 1);
        Assert.False(run.IsCompleted);
        await AdvanceAsync(1000, 1, waits: false);
        await run.WaitAsync(Bound);
        Assert.Equal(1, _measurements.Operations);
    }

    /// <summary>Advances the clock, and waits until so many operations have been started and the loop waits for the next.</summary>
    private async Task AdvanceAsync(double milliseconds, int started, bool waits = true)
    {
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        await UntilAsync(() => _measurements.Started == started && (!waits || _time.ArmedTimers > 0));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var bound = new CancellationTokenSource(Bound);
        while (!condition())
        {
            bound.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
