using System.Text;
using FastChat.Chat;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.Core.Tests.Chat;

public sealed class GenerationTests
{
    private static Generation Create(int maxChars = 1000, int maxChunk = 100) => new("id", maxChars, maxChunk);

    private static async Task<List<GenerationChunk>> ReadAllAsync(GenerationReader reader)
    {
        var chunks = new List<GenerationChunk>();
        while (await reader.WaitAsync().Bounded())
        {
            while (reader.TryRead(out var chunk))
                chunks.Add(chunk);
        }
        return chunks;
    }

    private static string Join(IEnumerable<GenerationChunk> chunks) => string.Concat(chunks.Select(c => c.Text.ToString()));

    [Fact]
    public async Task Chunks_are_numbered_from_one()
    {
        var generation = Create();
        using var reader = generation.Read();
        var seen = new List<(int First, int Seq, string Text)>();
        foreach (string delta in (string[])["a", "bc", "d"])
        {
            generation.TryAppend(delta);
            Assert.True(await reader.WaitAsync().Bounded());
            Assert.True(reader.TryRead(out var chunk));
            seen.Add((chunk.FirstSeq, chunk.Seq, chunk.Text.ToString()));
        }
        Assert.Equal([(1, 1, "a"), (2, 2, "bc"), (3, 3, "d")], seen);
        Assert.Equal(3, generation.LastSeq);
        generation.TryFinish(FinishReason.Stop);
        Assert.False(await reader.WaitAsync().Bounded());
    }

    [Fact]
    public void A_slow_reader_gets_what_it_missed_as_one_chunk()
    {
        var generation = Create();
        using var reader = generation.Read();
        generation.TryAppend("one ");
        generation.TryAppend("two ");
        generation.TryAppend("three");
        Assert.True(reader.TryRead(out var chunk));
        Assert.Equal((1, 3, "one two three"), (chunk.FirstSeq, chunk.Seq, chunk.Text.ToString()));
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void A_chunk_grows_no_larger_than_the_limit_and_ends_where_a_chunk_ended()
    {
        var generation = Create(maxChunk: 10);
        for (int i = 0; i < 4; i++)
            generation.TryAppend("1234");
        using var reader = generation.Read();
        Assert.True(reader.TryRead(out var first));
        Assert.Equal((1, 2, 8), (first.FirstSeq, first.Seq, first.Text.Length));
        Assert.True(reader.TryRead(out var second));
        Assert.Equal((3, 4, 8), (second.FirstSeq, second.Seq, second.Text.Length));
    }

    [Fact]
    public void A_delta_larger_than_a_chunk_is_several_chunks()
    {
        var generation = Create(maxChunk: 10);
        generation.TryAppend(new string('x', 25));
        Assert.Equal(3, generation.LastSeq);
    }

    [Fact]
    public void A_surrogate_pair_is_never_cut()
    {
        var generation = Create(maxChunk: 16);
        using var reader = generation.Read();
        generation.TryAppend("a\uD83D");
        Assert.True(reader.TryRead(out var chunk));
        Assert.Equal("a", chunk.Text.ToString());
        generation.TryAppend("\uDC4Bb");
        Assert.True(reader.TryRead(out chunk));
        Assert.Equal("👋b", chunk.Text.ToString());
        generation.TryAppend("x" + string.Concat(Enumerable.Repeat("👋", 20)));
        while (reader.TryRead(out chunk))
            Assert.False(char.IsHighSurrogate(chunk.Text.Span[^1]));
    }

    [Fact]
    public void Half_a_surrogate_pair_at_the_end_is_dropped()
    {
        var generation = Create();
        generation.TryAppend("a\uD83D");
        generation.TryFinish(FinishReason.Stop);
        Assert.Equal("a", generation.Outcome.Text);
    }

    [Fact]
    public void An_answer_that_reaches_its_limit_ends_with_length()
    {
        var generation = Create(maxChars: 64);
        Assert.True(generation.TryAppend(new string('a', 60)));
        Assert.False(generation.TryAppend(new string('b', 5)));
        Assert.False(generation.TryAppend("c"));
        Assert.Equal((new string('a', 60) + "bbbb", FinishReason.Length, null), generation.Outcome);
        Assert.True(generation.IsFinished);
    }

    [Fact]
    public void An_answer_of_exactly_the_limit_is_whole()
    {
        var generation = Create(maxChars: 64);
        Assert.True(generation.TryAppend(new string('a', 64)));
        Assert.True(generation.TryFinish(FinishReason.Stop));
        Assert.Equal(FinishReason.Stop, generation.Outcome.Reason);
    }

    [Fact]
    public async Task The_first_end_counts_and_cancels_the_model()
    {
        var generation = Create();
        generation.TryAppend("part");
        Assert.True(generation.TryFinish(FinishReason.Cancelled));
        Assert.False(generation.TryFinish(FinishReason.Stop));
        Assert.False(generation.TryAppend("more"));
        Assert.Equal("part", generation.Outcome.Text);
        await ChatHarness.UntilAsync(() => generation.Stopping.IsCancellationRequested);
    }

    [Theory]
    [InlineData(0, "abcdef")]
    [InlineData(1, "bcdef")]
    [InlineData(2, "def")]
    [InlineData(3, "")]
    public async Task A_reader_may_begin_after_any_chunk(int after, string rest)
    {
        var generation = Create();
        generation.TryAppend("a");
        generation.TryAppend("bc");
        generation.TryAppend("def");
        using var reader = generation.Read(after);
        generation.TryFinish(FinishReason.Stop);
        Assert.Equal(rest, Join(await ReadAllAsync(reader)));
    }

    [Fact]
    public void A_reader_cannot_begin_where_there_is_nothing_yet()
    {
        var generation = Create();
        generation.TryAppend("a");
        Assert.Throws<ArgumentOutOfRangeException>(() => generation.Read(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => generation.Read(-1));
    }

    [Fact]
    public async Task Disposing_ends_a_wait()
    {
        var generation = Create();
        var reader = generation.Read();
        var wait = reader.WaitAsync().AsTask();
        Assert.False(wait.IsCompleted);
        reader.Dispose();
        Assert.False(await wait.WaitAsync(ChatHarness.Bound));
        reader.Dispose();
    }

    [Fact]
    public async Task Many_small_chunks_reach_readers_of_every_speed_once_and_in_order()
    {
        const int count = 20_000;
        var generation = Create(maxChars: 1 << 20);
        var readers = Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            using var reader = generation.Read();
            var text = new StringBuilder();
            int seq = 0;
            while (await reader.WaitAsync())
            {
                for (int pause = 0; pause < i; pause++)
                    await Task.Yield();
                if (!reader.TryRead(out var chunk))
                    continue;
                Assert.Equal(seq + 1, chunk.FirstSeq);
                seq = chunk.Seq;
                text.Append(chunk.Text.Span);
            }
            return text.ToString();
        })).ToArray();
        var expected = new StringBuilder();
        for (int i = 0; i < count; i++)
        {
            string delta = $"{i} ";
            expected.Append(delta);
            Assert.True(generation.TryAppend(delta));
        }
        generation.TryFinish(FinishReason.Stop);
        foreach (string text in await Task.WhenAll(readers).WaitAsync(ChatHarness.Bound))
            Assert.Equal(expected.ToString(), text);
    }

    [Fact]
    public void Whatever_a_reader_has_seen_the_rest_completes_it() =>
        Prop.ForAll(ArbMap.Default.ArbFor<NonEmptyString[]>(), ArbMap.Default.ArbFor<PositiveInt>(), (deltas, cut) =>
        {
            var generation = Create(maxChars: 1 << 20, maxChunk: 16);
            using var first = generation.Read();
            int at = deltas.Length == 0 ? 0 : cut.Get % deltas.Length;
            foreach (var delta in deltas.Take(at))
                generation.TryAppend(delta.Get);
            var seen = new StringBuilder();
            int seq = 0;
            if (first.TryRead(out var chunk))
            {
                seen.Append(chunk.Text.Span);
                seq = chunk.Seq;
            }
            foreach (var delta in deltas.Skip(at))
                generation.TryAppend(delta.Get);
            generation.TryFinish(FinishReason.Stop);
            using var second = generation.Read(seq);
            while (second.TryRead(out chunk))
                seen.Append(chunk.Text.Span);
            return seen.ToString() == generation.Outcome.Text;
        }).QuickCheckThrowOnFailure();
}
