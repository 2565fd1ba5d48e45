using System.Text;
using FastChat.LoadTests.Load;

namespace FastChat.LoadTests.Wire;

/// <summary>
/// One answer on its way to one reader, from the intended moment of asking to the end, over as many sockets as that takes: verified, and
/// timed. Its methods may be called from several threads.
/// </summary>
internal sealed class AnswerTrack
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AnswerVerifier _verifier;
    private readonly Timing _timing;
    private readonly long[]? _arrivals;
    private readonly int _reachSeq;
    private byte[]? _id;
    private bool _acknowledged;
    private long _cutAt;
    private LatencyMetric? _resumed;
    private long _lastChunkAt;

    /// <param name="question">What is asked.</param>
    /// <param name="timing">Where times go.</param>
    /// <param name="reachSeq">The chunk that <see cref="Reached"/> waits for.</param>
    public AnswerTrack(Question question, Timing timing, int reachSeq = int.MaxValue)
    {
        (Question, _timing, _reachSeq) = (question, timing, reachSeq);
        _verifier = new AnswerVerifier(question.Expected);
        if (timing.Pace > TimeSpan.Zero && question.Expected is { } expected) _arrivals = new long[expected.Chunks];
    }

    public Question Question { get; }

    /// <summary>Completes when the answer is whole; fails with a <see cref="LoadException"/> where it is not what it has to be.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Completes when the chunk asked for has come, or the answer has ended.</summary>
    public Task Reached => _reached.Task;

    /// <summary>The answer's id; null before the server has told it.</summary>
    public string? Id { get { lock (_gate) return _id is null ? null : Encoding.ASCII.GetString(_id); } }

    public int LastSeq { get { lock (_gate) return _verifier.LastSeq; } }

    /// <summary>Whether an answer is this one; one that nobody knows yet becomes this one's, where this has none.</summary>
    public bool Is(ReadOnlySpan<byte> id, bool orBecomes = false)
    {
        lock (_gate)
        {
            if (_id is null && orBecomes) _id = id.ToArray();
            return _id is not null && id.SequenceEqual(_id);
        }
    }

    /// <summary>The socket was cut, and another one is there: the next message of the answer ends this time.</summary>
    public void Resumed(long cutAt, LatencyMetric? metric)
    {
        lock (_gate) (_cutAt, _resumed) = (cutAt, metric);
    }

    /// <summary>The question is on disk.</summary>
    public void Acknowledged(ReadOnlySpan<byte> id, long now)
    {
        lock (_gate)
        {
            _id ??= id.ToArray();
            if (_acknowledged) return;
            _acknowledged = true;
        }
        _timing.Add(_timing.Acknowledged, _timing.Due, now);
    }

    public void Chunk(int seq, ReadOnlySpan<byte> text, long now)
    {
        bool reached;
        lock (_gate)
        {
            if (_completion.Task.IsCompleted) return;
            Continued(now);
            bool isFirst = _verifier.LastSeq == 0;
            int first = _verifier.Chunk(seq, text);
            if (isFirst) _timing.Add(_timing.FirstChunk, _timing.Due, now);
            else if (_arrivals is null && first > 0) _timing.Add(_timing.Chunk, _lastChunkAt, now);
            if (_arrivals is not null && first > 0) _arrivals.AsSpan(first - 1, seq - first + 1).Fill(now);
            if (first > 0) _timing.Measurements.AddChunks(seq - first + 1);
            _lastChunkAt = now;
            reached = _verifier.LastSeq >= _reachSeq;
        }
        if (reached) _reached.TrySetResult();
    }

    /// <summary>The end came.</summary>
    /// <param name="whole">The whole text.</param>
    /// <param name="finishReason">Why it ended.</param>
    /// <param name="now">A timestamp.</param>
    /// <param name="isResuming">Whether chunks that are missing are on their way: then this end does not count, another one follows them.</param>
    public void Complete(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> finishReason, long now, bool isResuming = false)
    {
        Faults faults;
        string reason;
        lock (_gate)
        {
            if (_completion.Task.IsCompleted || isResuming && !_verifier.IsWhole(whole)) return;
            Continued(now);
            _verifier.Complete(whole);
            faults = _verifier.Faults;
            reason = Encoding.UTF8.GetString(finishReason);
        }
        _timing.Measurements.Add(faults);
        if (faults.Any) End(new LoadException($"An answer was not what it has to be: {faults}."));
        else if (reason != "stop" && Question.Expected is not null) End(new LoadException($"An answer ended with \"{reason}\"."));
        else
        {
            _timing.Add(_timing.Answer, _timing.Due, now);
            AddDelays();
            End(null);
        }
    }

    /// <summary>The server refused, or the socket is gone.</summary>
    public void Fail(string why) => End(new LoadException(why));

    private void Continued(long now)
    {
        _timing.Add(_resumed, _cutAt, now);
        _resumed = null;
    }

    private void End(LoadException? failure)
    {
        if (failure is null ? _completion.TrySetResult() : _completion.TrySetException(failure)) _reached.TrySetResult();
        // Nobody may be waiting any more.
        _ = _completion.Task.Exception;
    }

    /// <summary>
    /// The model makes chunk k at its start plus k times its pace. When it started the quickest of the chunks tells; how much longer than
    /// that one each took is its delay, whatever held it up: the model, the server, the network, or this program.
    /// </summary>
    private void AddDelays()
    {
        if (_arrivals is null || _timing.Chunk is not { } metric) return;
        double pace = _timing.Pace.TotalSeconds * _timing.Time.TimestampFrequency;
        double start = double.MaxValue;
        for (int i = 0; i < _arrivals.Length; i++) start = Math.Min(start, _arrivals[i] - i * pace);
        for (int i = 0; i < _arrivals.Length; i++) metric.Add(TimeSpan.FromSeconds((_arrivals[i] - i * pace - start) / _timing.Time.TimestampFrequency));
    }
}

/// <summary>What an answer's times are measured against, and where they go; null metrics are not kept.</summary>
/// <param name="Measurements">Counts faults.</param>
/// <param name="Time">The clock.</param>
/// <param name="Due">When the question was to be asked, as a timestamp of it.</param>
internal sealed record Timing(Measurements Measurements, TimeProvider Time, long Due)
{
    /// <summary>Time from one chunk to the next in the model; zero where it makes them as fast as it can, or nobody knows.</summary>
    public TimeSpan Pace { get; init; }

    public LatencyMetric? Acknowledged { get; init; }

    public LatencyMetric? FirstChunk { get; init; }

    public LatencyMetric? Chunk { get; init; }

    public LatencyMetric? Answer { get; init; }

    public void Add(LatencyMetric? metric, long from, long to) => metric?.Add(Time.GetElapsedTime(from, to));
}
