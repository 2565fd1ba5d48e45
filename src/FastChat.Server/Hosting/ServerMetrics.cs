using System.Diagnostics.Metrics;
using FastChat.Storage;

namespace FastChat.Server.Hosting;

/// <summary>What the host counts, on the meter <c>FastChat</c>. Safe for concurrent use.</summary>
internal sealed class ServerMetrics : IDisposable
{
    private readonly Meter _meter = new("FastChat");
    private readonly Histogram<double> _commit;
    private readonly Histogram<long> _grouped;
    private readonly Histogram<long> _waiting;

    public ServerMetrics()
    {
        _commit = _meter.CreateHistogram<double>("fastchat.store.commit.duration", "s", "From the first statement of a commit to its end.");
        _grouped = _meter.CreateHistogram<long>("fastchat.store.commit.operations", "{operation}", "Writes that became durable with one commit.");
        _waiting = _meter.CreateHistogram<long>("fastchat.store.queue.depth", "{operation}", "Writes that waited when a commit ended.");
    }

    /// <summary>Counts a commit of the store.</summary>
    public void Commit(StoreCommit commit)
    {
        _commit.Record(commit.Duration.TotalSeconds);
        _grouped.Record(commit.Operations);
        _waiting.Record(commit.Waiting);
    }

    public void Dispose() => _meter.Dispose();
}
