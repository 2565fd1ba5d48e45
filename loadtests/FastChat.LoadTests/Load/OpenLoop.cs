using FastChat.Connections;

namespace FastChat.LoadTests.Load;

/// <summary>Why an operation failed, in a sentence that operations which failed alike share.</summary>
internal sealed class LoadException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Starts operations when they are due, whatever became of those before.</summary>
/// <param name="time">The clock.</param>
/// <param name="maxInFlight">Operations at a time: an arrival beyond is an error, not a wait.</param>
internal sealed class OpenLoop(TimeProvider time, int maxInFlight) : ILoop
{
    /// <inheritdoc/>
    public async Task RunAsync(ArrivalSchedule schedule, Measurements into, Func<Arrival, long, Task> operate, CancellationToken cancellationToken)
    {
        long begin = time.GetTimestamp();
        var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int pending = 1;
        var lag = into[Measurements.Lag];
        // A thread of its own: it sleeps exactly, and does not wait for the pool when that is busy with answers.
        await Task.Factory.StartNew(Start, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        End();
        await idle.Task;

        void Start()
        {
            foreach (var arrival in schedule.Arrivals())
            {
                Wait(begin, arrival.Due, cancellationToken);
                if (cancellationToken.IsCancellationRequested) return;
                lag.Add(time.GetElapsedTime(begin) - arrival.Due);
                into.Start();
                if (Volatile.Read(ref pending) > maxInFlight)
                {
                    into.Failed($"Not started: {maxInFlight} operations are under way.");
                    continue;
                }
                Interlocked.Increment(ref pending);
                _ = OperateAsync(arrival, begin + (long)(arrival.Due.TotalSeconds * time.TimestampFrequency));
            }
            Wait(begin, schedule.Duration, cancellationToken);
        }

        async Task OperateAsync(Arrival arrival, long due)
        {
            try
            {
                await operate(arrival, due);
                into.Succeeded();
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                into.Abandoned();
            }
            catch (Exception e)
            {
                into.Failed(Describe(e));
            }
            End();
        }

        void End()
        {
            if (Interlocked.Decrement(ref pending) == 0) idle.SetResult();
        }
    }

    /// <summary>A failure in a sentence without what differs from one time to the next.</summary>
    internal static string Describe(Exception e) => e switch
    {
        LoadException => e.Message,
        TimeoutException => "Timed out.",
        OperationCanceledException => "Given up: the run ended.",
        WebSocketConnectException connect => $"Cannot connect: {connect.Message}",
        ConnectionClosedException => "The socket was closed.",
        HttpRequestException => $"HTTP: {e.GetBaseException().Message}",
        _ => $"{e.GetType().Name}: {e.Message}",
    };

    // The runtime's timers go by the kernel's coarse clock, which moves every few milliseconds; a wait for an event that does not come ends within 0.1 ms
    // of its whole milliseconds. What is left of them is part of the lag, and of the latencies.
    private void Wait(long begin, TimeSpan due, CancellationToken cancellationToken)
    {
        while (due - time.GetElapsedTime(begin) is { Ticks: > 0 } wait && !cancellationToken.IsCancellationRequested)
        {
            var step = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Min(wait.TotalMilliseconds, 1000)));
            if (time == TimeProvider.System) cancellationToken.WaitHandle.WaitOne(step);
            else Task.Delay(step, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        }
    }
}
