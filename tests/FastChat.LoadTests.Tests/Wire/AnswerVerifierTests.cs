using System.Text;
using FastChat.LoadTests.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.LoadTests.Tests.Wire;

public class AnswerVerifierTests
{
    private static readonly string[] Words = ["a.1", "a.2", "a.3", "a.4", "a.5"];
    private static readonly ExpectedAnswer Expected = ExpectedAnswer.OfWords(Words);

    [Fact]
    public void A_stream_as_it_has_to_be_has_no_fault()
    {
        var verifier = Feed((1, "a.1 "), (2, "a.2 "), (3, "a.3 "), (4, "a.4 "), (5, "a.5"));
        Assert.True(verifier.IsWhole(Expected.Text));
        verifier.Complete(Expected.Text);
        Assert.Equal(default, verifier.Faults);
    }

    [Fact]
    public void Chunks_that_were_put_together_count_as_each_of_them()
    {
        var verifier = new AnswerVerifier(Expected);
        Assert.Equal(1, verifier.Chunk(2, "a.1 a.2 "u8));
        Assert.Equal(3, verifier.Chunk(5, "a.3 a.4 a.5"u8));
        verifier.Complete(Expected.Text);
        Assert.False(verifier.Faults.Any);
    }

    [Fact]
    public void A_lost_chunk_is_found()
    {
        var verifier = Feed((1, "a.1 "), (2, "a.2 "), (4, "a.4 "), (5, "a.5"));
        Assert.False(verifier.IsWhole(Expected.Text));
        verifier.Complete(Expected.Text);
        Assert.Equal(new Faults(1, 0, 0, 0), verifier.Faults);
    }

    [Fact]
    public void A_stream_that_just_ends_has_lost_the_rest()
    {
        var verifier = Feed((1, "a.1 "), (2, "a.2 "));
        verifier.Complete(Expected.Text);
        Assert.Equal(new Faults(3, 0, 0, 0), verifier.Faults);
    }

    [Fact]
    public void A_doubled_chunk_is_found()
    {
        var verifier = Feed((1, "a.1 "), (2, "a.2 "), (2, "a.2 "), (3, "a.3 "), (4, "a.4 "), (5, "a.5"));
        verifier.Complete(Expected.Text);
        Assert.Equal(new Faults(0, 1, 0, 0), verifier.Faults);
    }

    [Fact]
    public void A_chunk_that_another_one_already_held_is_doubled()
    {
        var verifier = Feed((1, "a.1 "), (3, "a.2 a.3 "), (3, "a.3 "), (5, "a.4 a.5"));
        verifier.Complete(Expected.Text);
        Assert.Equal(new Faults(0, 1, 0, 0), verifier.Faults);
    }

    [Fact]
    public void Chunks_out_of_order_are_found_and_are_not_lost()
    {
        var verifier = Feed((1, "a.1 "), (3, "a.3 "), (2, "a.2 "), (4, "a.4 "), (5, "a.5"));
        verifier.Complete(Expected.Text);
        Assert.Equal(new Faults(0, 0, 1, 0), verifier.Faults);
    }

    [Theory]
    [InlineData(1, "b.1 ")] // somebody else's
    [InlineData(2, "a.1 ")] // the right text under the wrong number
    [InlineData(1, "a.1")] // cut short
    [InlineData(2, ".1 a.2 ")] // from the middle of a chunk
    [InlineData(1, "")]
    [InlineData(0, "a.1 ")]
    [InlineData(6, "a.6")]
    [InlineData(-1, "a.1 ")]
    public void A_chunk_that_is_not_this_answers_is_wrong(int seq, string text)
    {
        var verifier = new AnswerVerifier(Expected);
        Assert.Equal(0, verifier.Chunk(seq, Encoding.UTF8.GetBytes(text)));
        Assert.Equal(new Faults(0, 0, 0, 1), verifier.Faults);
    }

    [Fact]
    public void A_whole_text_that_is_not_the_answers_is_wrong()
    {
        var verifier = Feed((5, "a.1 a.2 a.3 a.4 a.5"));
        verifier.Complete("a.1 a.2 a.3 a.4 a.6"u8);
        Assert.Equal(new Faults(0, 0, 0, 1), verifier.Faults);
    }

    [Fact]
    public void Whatever_is_done_to_a_stream_is_found() => Prop.ForAll(ArbMap.Default.ArbFor<(byte Kind, byte At)>(), change =>
    {
        List<(int, string)> stream = [.. Words.Select((w, i) => (i + 1, i < Words.Length - 1 ? w + " " : w))];
        int at = change.At % stream.Count;
        switch (change.Kind % 4)
        {
            case 0:
                stream.RemoveAt(at);
                break;
            case 1:
                stream.Insert(at, stream[at]);
                break;
            case 2:
                (stream[at], stream[(at + 1) % stream.Count]) = (stream[(at + 1) % stream.Count], stream[at]);
                break;
            default:
                stream[at] = (stream[at].Item1, stream[at].Item2.ToUpperInvariant());
                break;
        }
        var verifier = Feed([.. stream]);
        verifier.Complete(Expected.Text);
        return verifier.Faults.Any;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Of_an_unknown_answer_order_and_whole_are_checked()
    {
        var good = new AnswerVerifier(null);
        good.Chunk(1, "It "u8);
        good.Chunk(4, "is so."u8);
        Assert.True(good.IsWhole("It is so."u8));
        good.Complete("It is so."u8);
        Assert.False(good.Faults.Any);

        var doubled = new AnswerVerifier(null);
        doubled.Chunk(1, "It "u8);
        doubled.Chunk(1, "It "u8);
        Assert.Equal(1, doubled.Faults.Doubled);

        var reordered = new AnswerVerifier(null);
        reordered.Chunk(2, "is"u8);
        reordered.Chunk(1, "It "u8);
        Assert.Equal(1, reordered.Faults.Reordered);

        var lost = new AnswerVerifier(null);
        lost.Chunk(1, "It "u8);
        Assert.False(lost.IsWhole("It is."u8));
        lost.Complete("It is."u8);
        Assert.Equal(1, lost.Faults.Lost);

        var wrong = new AnswerVerifier(null);
        wrong.Chunk(1, "It was"u8);
        wrong.Complete("It is."u8);
        Assert.Equal(1, wrong.Faults.Wrong);
    }

    private static AnswerVerifier Feed(params (int Seq, string Text)[] chunks)
    {
        var verifier = new AnswerVerifier(Expected);
        foreach (var (seq, text) in chunks) verifier.Chunk(seq, Encoding.UTF8.GetBytes(text));
        return verifier;
    }
}
