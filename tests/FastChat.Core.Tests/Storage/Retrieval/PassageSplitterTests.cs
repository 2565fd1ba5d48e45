using System.Text;
using FastChat.Storage.Retrieval;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.Core.Tests.Storage.Retrieval;

public sealed class PassageSplitterTests
{
    [Theory]
    [InlineData("")]
    [InlineData(" \r\n\t ")]
    public void A_blank_text_has_no_passages(string text) => Assert.Empty(PassageSplitter.Split(text));

    [Fact]
    public void A_short_text_is_one_passage() =>
        Assert.Equal(["one\n\ntwo"], PassageSplitter.Split(" one\r\n\r\ntwo\r\n"));

    [Fact]
    public void A_heading_starts_a_passage_and_goes_with_each_of_its_section()
    {
        string body = string.Concat(Enumerable.Repeat("A sentence of text. ", 20));
        var passages = PassageSplitter.Split($"intro\n# One\n{body}\n## Two\ntwo\n# Empty\n", 200);
        Assert.Equal("intro", passages[0]);
        Assert.True(passages.Count(passage => passage.StartsWith("# One\nA sentence", StringComparison.Ordinal)) >= 2);
        Assert.Equal(["## Two\ntwo", "# Empty"], passages.TakeLast(2));
    }

    [Fact]
    public void A_comment_in_a_code_block_is_no_heading() =>
        Assert.Equal(["```\n# comment\n```\ntext"], PassageSplitter.Split("```\n# comment\n```\ntext"));

    [Fact]
    public void A_long_section_is_cut_between_paragraphs_without_overlap()
    {
        string a = new('a', 70), b = new('b', 70);
        Assert.Equal([a, b], PassageSplitter.Split(a + "\n\n" + b, 100));
    }

    [Fact]
    public void A_long_paragraph_is_cut_after_a_sentence_and_the_next_passage_repeats_the_last_one()
    {
        string text = string.Concat(Enumerable.Range(10, 30).Select(i => $"S {i}. "));
        var passages = PassageSplitter.Split(text, 64);
        Assert.All(passages, passage => Assert.EndsWith(".", passage, StringComparison.Ordinal));
        for (int i = 1; i < passages.Count; i++)
            Assert.EndsWith(passages[i][..5], passages[i - 1], StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_are_kept_whole()
    {
        string text = string.Join('\n', Enumerable.Range(0, 100).Select(i => $"name: n{i}; value: {i}"));
        Assert.All(PassageSplitter.Split(text, 100), passage => Assert.StartsWith("name: ", passage, StringComparison.Ordinal));
    }

    [Fact]
    public void Full_width_full_stops_end_sentences()
    {
        var passages = PassageSplitter.Split(string.Concat(Enumerable.Repeat("これは文です。", 30)), 64);
        Assert.All(passages, passage => Assert.Matches("^(これは文です。)+$", passage));
    }

    [Fact]
    public void Characters_are_not_cut_in_two()
    {
        const string Family = "👩‍👩‍👧‍👦";
        var passages = PassageSplitter.Split(string.Concat(Enumerable.Repeat(Family, 200)), 100);
        Assert.All(passages, passage => Assert.Equal("", passage.Replace(Family, "", StringComparison.Ordinal)));
        Assert.Equal(200 * Family.Length, passages.Sum(passage => passage.Length));
    }

    [Fact]
    public void A_character_longer_than_a_passage_is_cut_between_code_points()
    {
        string zalgo = "a" + string.Concat(Enumerable.Repeat("\U0001e8d0", 500)); // a combining mark outside the basic plane
        var passages = PassageSplitter.Split(zalgo, 65);
        Assert.Equal(zalgo, string.Concat(passages));
        Assert.All(passages, AssertWellFormed);
    }

    [Fact]
    public void Too_short_a_passage_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => PassageSplitter.Split("x", 63));

    [Fact]
    public void Whatever_the_text_passages_are_short_whole_and_lose_no_word()
    {
        var piece = Gen.Elements("word", " ", "  ", "\n", "\n\n", "\r\n", "# ", "\n# Head\n", "## ", "```\n", ". ", "。", "東京", "👩‍👩‍👧‍👦", "e\u0301", "x;y",
            new string('z', 90), "\t", "...", "#");
        var texts = piece.ListOf().Select(string.Concat).Select(text => string.Concat(Enumerable.Repeat(text, 5)));
        Prop.ForAll(texts.ToArbitrary(), text =>
        {
            foreach (int max in (int[])[64, 100, 1200])
            {
                var passages = PassageSplitter.Split(text, max);
                Assert.All(passages, passage => Assert.InRange(passage.Length, 1, max));
                Assert.All(passages, passage => Assert.False(string.IsNullOrWhiteSpace(passage)));
                Assert.All(passages, AssertWellFormed);
                AssertSubsequence(Squeeze(text), Squeeze(string.Concat(passages)));
            }
        }).QuickCheckThrowOnFailure();
    }

    private static string Squeeze(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));

    // Overlaps and headings repeat, nothing is missing.
    private static void AssertSubsequence(string wanted, string text)
    {
        int at = 0;
        foreach (char c in text)
            if (at < wanted.Length && wanted[at] == c)
                at++;
        Assert.Equal(wanted.Length, at);
    }

    private static void AssertWellFormed(string text) =>
        Assert.DoesNotContain(Rune.ReplacementChar, text.EnumerateRunes());
}
