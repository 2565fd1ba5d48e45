using FastChat.LoadTests.Load;
using FastChat.LoadTests.Wire;
using FastChat.TestKit;

namespace FastChat.LoadTests.Tests.Wire;

public class AnswerTrackTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly Measurements _measurements = new(["answer", "ack", "first_chunk", "chunk"]);

    [Fact]
    public async Task Times_count_from_when_the_question_was_due()
    {
        var track = Track(TimeSpan.Zero);
        _time.Advance(TimeSpan.FromMilliseconds(500)); // this program, or the server, was late
        track.Acknowledged("01a"u8, _time.GetTimestamp());
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Chunk(track, 1);
        _time.Advance(TimeSpan.FromMilliseconds(30));
        Chunk(track, 2);
        Chunk(track, 3);
        track.Complete(track.Question.Expected!.Text, "stop"u8, _time.GetTimestamp());
        await track.Completion.WaitAsync(Bound);
        Assert.Equal((500, 600, 630), (Max("ack"), Max("first_chunk"), Max("answer")));
        Assert.Equal((2L, 30.0), (_measurements["chunk"].Count, Max("chunk")));
        Assert.Equal(3, _measurements.Chunks);
    }

    [Fact]
    public async Task The_delay_of_a_chunk_is_what_it_took_longer_than_the_quickest_beside_the_pace()
    {
        var track = Track(TimeSpan.FromMilliseconds(50));
        _time.Advance(TimeSpan.FromMilliseconds(20));
        Chunk(track, 1); // came at 20, made at 0: late by 17 against the third
        _time.Advance(TimeSpan.FromMilliseconds(90));
        Chunk(track, 2); // at 110, made at 50
        _time.Advance(TimeSpan.FromMilliseconds(-7));
        Chunk(track, 3); // at 103, made at 100: the quickest
        track.Complete(track.Question.Expected!.Text, "stop"u8, _time.GetTimestamp());
        await track.Completion.WaitAsync(Bound);
        var summary = _measurements["chunk"].Summary();
        Assert.Equal(3, summary.Count);
        Assert.Equal(57, summary.MaxMs, 3);
        Assert.InRange(summary.P50Ms, 17 * 0.992, 17 * 1.008);
        Assert.Equal((57 + 17) / 3.0, summary.MeanMs, 3);
    }

    [Fact]
    public async Task A_fault_fails_the_answer_and_is_counted()
    {
        var track = Track(TimeSpan.Zero);
        Chunk(track, 1);
        Chunk(track, 3);
        track.Complete(track.Question.Expected!.Text, "stop"u8, _time.GetTimestamp());
        var failure = await Assert.ThrowsAsync<LoadException>(() => track.Completion.WaitAsync(Bound));
        Assert.Contains("1 lost", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, _measurements.Lost);
        Assert.Equal(0, _measurements["answer"].Count);
    }

    [Theory]
    [InlineData("cancelled")]
    [InlineData("truncated")]
    [InlineData("length")]
    public async Task An_answer_that_was_not_finished_fails(string reason)
    {
        var track = Track(TimeSpan.Zero);
        for (int seq = 1; seq <= 3; seq++) Chunk(track, seq);
        track.Complete(track.Question.Expected!.Text, System.Text.Encoding.UTF8.GetBytes(reason), _time.GetTimestamp());
        Assert.Contains(reason, (await Assert.ThrowsAsync<LoadException>(() => track.Completion.WaitAsync(Bound))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_a_cut_the_end_that_comes_before_the_missing_chunks_does_not_count()
    {
        var resumed = new LatencyMetric("resume");
        var track = Track(TimeSpan.Zero);
        track.Acknowledged("01a"u8, _time.GetTimestamp());
        Chunk(track, 1);
        track.Resumed(_time.GetTimestamp(), resumed);
        _time.Advance(TimeSpan.FromMilliseconds(40));
        track.Complete(track.Question.Expected!.Text, "stop"u8, _time.GetTimestamp(), isResuming: true);
        Assert.False(track.Completion.IsCompleted);
        Chunk(track, 2);
        Chunk(track, 3);
        track.Complete(track.Question.Expected!.Text, "stop"u8, _time.GetTimestamp(), isResuming: true);
        await track.Completion.WaitAsync(Bound);
        Assert.Equal((1L, 40.0), (resumed.Count, resumed.Summary().MaxMs));
    }

    [Fact]
    public async Task It_says_when_a_chunk_has_been_reached_or_never_will_be()
    {
        var track = new AnswerTrack(Question.Repeat("q", 3), Timing(TimeSpan.Zero), reachSeq: 2);
        Chunk(track, 1);
        Assert.False(track.Reached.IsCompleted);
        Chunk(track, 2);
        await track.Reached.WaitAsync(Bound);

        var failed = new AnswerTrack(Question.Repeat("q", 3), Timing(TimeSpan.Zero), reachSeq: 2);
        failed.Fail("The socket was closed.");
        await failed.Reached.WaitAsync(Bound);
    }

    [Fact]
    public void An_answer_without_an_owner_goes_to_the_one_who_has_none()
    {
        var track = Track(TimeSpan.Zero);
        Assert.False(track.Is("01a"u8));
        Assert.True(track.Is("01a"u8, orBecomes: true));
        Assert.False(track.Is("01b"u8, orBecomes: true));
        Assert.Equal("01a", track.Id);
    }

    private AnswerTrack Track(TimeSpan pace) => new(Question.Repeat("q", 3), Timing(pace));

    private Timing Timing(TimeSpan pace) => new(_measurements, _time, _time.GetTimestamp())
    {
        Pace = pace,
        Acknowledged = _measurements["ack"],
        FirstChunk = _measurements["first_chunk"],
        Chunk = _measurements["chunk"],
        Answer = _measurements["answer"],
    };

    private void Chunk(AnswerTrack track, int seq) =>
        track.Chunk(seq, System.Text.Encoding.ASCII.GetBytes(seq < 3 ? $"q.{seq} " : "q.3"), _time.GetTimestamp());

    private double Max(string latency) => _measurements[latency].Summary().MaxMs;
}
