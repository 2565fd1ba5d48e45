using System.Globalization;
using FastChat.Storage.Retrieval;

namespace FastChat.Core.Tests.Storage.Retrieval;

public sealed class SnippetTests
{
    [Fact]
    public void A_short_text_is_shown_whole_on_one_line() =>
        Assert.Equal("one two three", Snippet.Around("one\n two\t\tthree ", ["two"]));

    [Fact]
    public void A_long_text_is_cut_at_words_around_the_match()
    {
        string filler = string.Concat(Enumerable.Repeat("word ", 100));
        string snippet = Snippet.Around(filler + "Bádger " + filler, ["badg"]);
        Assert.Matches("^…(word )+Bádger (word )+word…$", snippet);
        Assert.InRange(snippet.Length, 120, 162);
    }

    [Fact]
    public void Without_a_match_the_beginning_is_shown()
    {
        string snippet = Snippet.Around(string.Concat(Enumerable.Repeat("word ", 100)), ["badger"]);
        Assert.Matches("^(word )+word…$", snippet);
    }

    [Fact]
    public void Characters_are_not_cut_in_two()
    {
        string family = "👩‍👩‍👧‍👦";
        string snippet = Snippet.Around(string.Concat(Enumerable.Repeat(family, 100)), []);
        Assert.EndsWith("…", snippet, StringComparison.Ordinal);
        var elements = StringInfo.GetTextElementEnumerator(snippet[..^1]);
        while (elements.MoveNext())
            Assert.Equal(family, elements.GetTextElement());
    }

    [Fact]
    public void A_match_far_inside_a_run_without_spaces_is_shown_from_its_start() =>
        Assert.StartsWith("…東京", Snippet.Around(string.Concat(Enumerable.Repeat("山川", 200)) + "東京", ["東京"]), StringComparison.Ordinal);

    [Fact]
    public void An_empty_text_has_an_empty_snippet() => Assert.Equal("", Snippet.Around("", ["x"]));
}
