using FastChat.Chat;

namespace FastChat.Core.Tests.Chat;

public sealed class AsyncSignalTests
{
    [Fact]
    public async Task A_signal_before_the_wait_is_remembered_once()
    {
        var signal = new AsyncSignal();
        signal.Set();
        signal.Set();
        var first = signal.WaitAsync().AsTask();
        Assert.True(first.IsCompletedSuccessfully);
        var second = signal.WaitAsync().AsTask();
        Assert.False(second.IsCompleted);
        signal.Set();
        await second.WaitAsync(ChatHarness.Bound);
    }

    [Fact]
    public async Task No_wake_up_is_lost_between_threads()
    {
        const int count = 200_000;
        var signal = new AsyncSignal();
        int produced = 0;
        var producer = Task.Run(() =>
        {
            for (int i = 0; i < count; i++)
            {
                Interlocked.Increment(ref produced);
                signal.Set();
            }
        });
        async Task Consume()
        {
            while (Volatile.Read(ref produced) < count)
                await signal.WaitAsync();
        }

        await Task.WhenAll(producer, Task.Run(Consume)).WaitAsync(ChatHarness.Bound);
    }

    [Fact]
    public async Task Waiting_again_and_again_uses_the_same_object()
    {
        var signal = new AsyncSignal();
        for (int i = 0; i < 1000; i++)
        {
            var wait = signal.WaitAsync().AsTask();
            Assert.False(wait.IsCompleted);
            signal.Set();
            await wait.WaitAsync(ChatHarness.Bound);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_waiter_goes_on_within_the_call_only_where_that_is_allowed(bool inline)
    {
        var signal = new AsyncSignal();
        var ran = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var within = new ThreadLocal<bool>();
        async Task WaitAsync()
        {
            await signal.WaitAsync();
            ran.SetResult(within.Value);
        }

        _ = WaitAsync();
        within.Value = true;
        signal.Set(inline);
        within.Value = false;
        Assert.Equal(inline, await ran.Task.WaitAsync(ChatHarness.Bound));
    }
}
