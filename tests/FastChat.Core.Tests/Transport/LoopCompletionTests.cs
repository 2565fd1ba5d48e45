using FastChat.Transport.Epoll;

namespace FastChat.Core.Tests.Transport;

public sealed class LoopCompletionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Whoever sees that an operation has completed begins the next one at once, while the other thread has hardly finished completing: the
    /// next one's continuation must wait for its own completion.
    /// </summary>
    [Fact]
    public async Task An_operation_is_not_completed_by_the_one_before_it()
    {
        var race = new Race();
        using var bound = new CancellationTokenSource(Patience);
        await Task.WhenAll(Task.Run(() => race.CompleteAll(bound.Token)), Task.Run(() => race.UseAll(bound.Token)));
        Assert.Equal(0, race.TooEarly);
    }

    [Fact]
    public void A_continuation_that_comes_late_runs_all_the_same()
    {
        var completion = default(LoopCompletion);
        completion.Reset();
        Assert.False(completion.IsCompleted);
        completion.Complete(inline: true);
        Assert.True(completion.IsCompleted);
        using var ran = new ManualResetEventSlim();
        completion.OnCompleted(static state => ((ManualResetEventSlim)state!).Set(), ran, default);
        Assert.True(ran.Wait(Patience, TestContext.Current.CancellationToken));
    }

    private sealed class Race
    {
        private const int Rounds = 50_000;

        private LoopCompletion _completion;
        private int _begun;
        private int _completed;
        private int _continued;

        public int TooEarly { get; private set; }

        public void CompleteAll(CancellationToken bound)
        {
            for (int round = 1; round <= Rounds; round++)
            {
                SpinUntil(ref _begun, round, bound);
                Volatile.Write(ref _completed, round);
                _completion.Complete(inline: true);
            }
        }

        public void UseAll(CancellationToken bound)
        {
            for (int round = 1; round <= Rounds; round++)
            {
                _completion.Reset();
                if (round % 2 == 1)
                {
                    // Asks whether it is over, as an awaiter does first.
                    Volatile.Write(ref _begun, round);
                    var spinner = default(SpinWait);
                    while (!_completion.IsCompleted) Spin(ref spinner, bound);
                    continue;
                }
                _completion.OnCompleted(static race => ((Race)race!).Continue(), this, default);
                Volatile.Write(ref _begun, round);
                SpinUntil(ref _continued, round / 2, bound);
            }
        }

        private void Continue()
        {
            int round = 2 * (_continued + 1);
            if (Volatile.Read(ref _completed) < round) TooEarly++;
            Volatile.Write(ref _continued, round / 2);
        }

        private static void SpinUntil(ref int value, int wanted, CancellationToken bound)
        {
            var spinner = default(SpinWait);
            while (Volatile.Read(ref value) < wanted) Spin(ref spinner, bound);
        }

        private static void Spin(ref SpinWait spinner, CancellationToken bound)
        {
            bound.ThrowIfCancellationRequested();
            spinner.SpinOnce(sleep1Threshold: -1);
        }
    }
}
