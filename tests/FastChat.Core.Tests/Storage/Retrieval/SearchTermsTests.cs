using FastChat.Storage.Retrieval;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.Core.Tests.Storage.Retrieval;

public sealed class SearchTermsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("Hello, World! 42", "hello world 42")]
    [InlineData("don't l'eau", "don t l eau")]
    [InlineData("Crème BRÛLÉE straße Łódź Žižek", "creme brulee strasse lodz zizek")]
    [InlineData("e\u0301te\u0301", "ete")]
    [InlineData("ＦＵＬＬ　ｗｉｄｔｈ", "full width")]
    [InlineData("東京都 x", "東京 京都 都 x")]
    [InlineData("東", "東")]
    [InlineData("a東b", "a 東 b")]
    [InlineData("party🎉🎉on", "party 🎉 🎉 on")]
    [InlineData("👍🏽", "👍")]
    [InlineData("Привет МИР", "привет мир")]
    [InlineData("हिन्दी", "हिन्दी")]
    [InlineData("foo_bar-baz@x.org", "foo bar baz x org")]
    [InlineData("\"NEAR(a*)\" ^-+:{}", "near a")]
    public void Texts_are_indexed_as_folded_words(string text, string expected) => Assert.Equal(expected, SearchTerms.ForIndex(text));

    [Fact]
    public void A_term_knows_where_it_starts()
    {
        const string Text = "Ab 🎉東京 é";
        Assert.Equal([("ab", 0), ("🎉", 3), ("東京", 5), ("京", 6), ("e", 8)], SearchTerms.Of(Text).Select(term => (term.Text, term.Start)));
    }

    [Fact]
    public void A_query_asks_for_pairs_and_for_a_lone_character_only_when_it_is_alone()
    {
        Assert.Equal(["東京", "京都"], SearchTerms.OfQuery("東京都"));
        Assert.Equal(["都"], SearchTerms.OfQuery("都"));
        Assert.Equal(["a", "b"], SearchTerms.OfQuery("a b A"));
    }

    [Fact]
    public void A_question_is_about_its_meaningful_words_in_the_singular()
    {
        Assert.Equal(["refund", "policy"], SearchTerms.OfQuestion("What is the refunds' policies?"));
        Assert.Equal(["what", "is", "it"], SearchTerms.OfQuestion("What is it?"));
    }

    [Theory]
    [InlineData("policies", "policy")]
    [InlineData("boxes", "box")]
    [InlineData("classes", "class")]
    [InlineData("dishes", "dish")]
    [InlineData("shoes", "shoe")]
    [InlineData("class", "class")]
    [InlineData("status", "status")]
    [InlineData("analysis", "analysis")]
    [InlineData("gas", "gas")]
    public void Plurals_are_stemmed(string word, string stem) => Assert.Equal(stem, SearchTerms.Stem(word));

    [Fact]
    public void A_long_run_of_letters_is_cut_the_same_way_in_text_and_query()
    {
        string run = new('x', 100_000);
        string term = Assert.Single(SearchTerms.OfQuery(run));
        Assert.Equal(term, SearchTerms.ForIndex(run));
        Assert.Equal(64, term.Length);
    }

    [Fact]
    public void No_term_holds_anything_that_a_query_syntax_could_read() =>
        Prop.ForAll<string>(text => SearchTerms.Of(text ?? "").Concat(SearchTerms.OfQuery(text ?? "").Select(term => new SearchTerm(term, 0)))
            .All(term => term.Text.Length > 0 && term.Text.All(c => c > 0x7f ? !char.IsWhiteSpace(c) : char.IsAsciiLetterOrDigit(c))))
            .QuickCheckThrowOnFailure();
}
