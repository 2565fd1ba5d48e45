using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace FastChat.Diagnostics;

/// <summary>The instruments of one <see cref="Chat.ChatEngine"/>, on a <see cref="Meter"/> named <c>FastChat</c>. Safe for concurrent use.</summary>
internal sealed class ChatMetrics : IDisposable
{
    public const string SourceName = "FastChat";

    private readonly Counter<long> _generations;
    private readonly UpDownCounter<long> _running;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstChunk;
    private readonly Counter<long> _chunks;
    private readonly Counter<long> _refusals;
    private readonly UpDownCounter<long> _sessions;

    public ChatMetrics()
    {
        Meter = new Meter(SourceName);
        _generations = Meter.CreateCounter<long>("fastchat.generations", "{generation}", "Answers that ended, by model and finish reason.");
        _running = Meter.CreateUpDownCounter<long>("fastchat.generations.running", "{generation}", "Answers being produced now.");
        _duration = Meter.CreateHistogram<double>("fastchat.generation.duration", "s", "From the start of an answer to its commit.");
        _firstChunk = Meter.CreateHistogram<double>("fastchat.generation.time_to_first_chunk", "s", "From asking the model to its first text.");
        _chunks = Meter.CreateCounter<long>("fastchat.generation.chunks", "{chunk}", "Pieces of text received from models.");
        _refusals = Meter.CreateCounter<long>("fastchat.rate_limit.refusals", "{message}", "Messages on sockets refused by the rate limit.");
        _sessions = Meter.CreateUpDownCounter<long>("fastchat.sessions.active", "{session}", "Sessions open now.");
    }

    public static ActivitySource Activities { get; } = new(SourceName);

    public Meter Meter { get; }

    public void GenerationStarted() => _running.Add(1);

    public void GenerationEnded(string model, string finishReason, TimeSpan duration)
    {
        var tags = new TagList { { "model", model }, { "finish_reason", finishReason } };
        _running.Add(-1);
        _generations.Add(1, tags);
        _duration.Record(duration.TotalSeconds, tags);
    }

    public void FirstChunk(TimeSpan after) => _firstChunk.Record(after.TotalSeconds);

    public void Chunk() => _chunks.Add(1);

    public void RateLimited() => _refusals.Add(1);

    public void SessionsChanged(int by) => _sessions.Add(by);

    public void Dispose() => Meter.Dispose();
}
