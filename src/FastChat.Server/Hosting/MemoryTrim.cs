namespace FastChat.Server.Hosting;

/// <summary>
/// Gives memory back when a busy time is over. The collector collects when something is allocated: a server that has become quiet, with ten
/// thousand sockets that wait say, would keep the garbage and the free regions of its busiest minute for as long as it is quiet.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="allocated">Bytes allocated so far.</param>
/// <param name="collect">Collects, compacts and gives free memory back; everything waits for it.</param>
internal sealed class MemoryTrim(TimeProvider time, Func<long> allocated, Action collect) : IHostedService, IDisposable
{
    /// <summary>How often to look, and how long a quiet time must last.</summary>
    internal static readonly TimeSpan Tick = TimeSpan.FromSeconds(20);

    /// <summary>Less than this in a tick is quiet: keep-alives alone.</summary>
    internal const long Quiet = 8 << 20;

    /// <summary>Less than this since the last time is not worth the pause.</summary>
    internal const long Worthwhile = 64 << 20;

    private ITimer? _timer;
    private long _seen;
    private long _trimmed;

    public MemoryTrim(TimeProvider time) : this(time, static () => GC.GetTotalAllocatedBytes(),
        static () => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true))
    {
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _seen = _trimmed = allocated();
        _timer = time.CreateTimer(static trim => ((MemoryTrim)trim!).Look(), this, Tick, Tick);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _timer?.Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    private void Look()
    {
        long now = allocated();
        bool quiet = now - _seen < Quiet;
        _seen = now;
        if (!quiet || now - _trimmed < Worthwhile)
            return;
        _trimmed = now;
        collect();
    }
}
