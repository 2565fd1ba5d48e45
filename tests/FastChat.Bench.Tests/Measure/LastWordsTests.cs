namespace FastChat.Bench.Tests.Measure;

public class LastWordsTests
{
    [Fact]
    public void The_last_twenty_lines_are_kept_in_their_order()
    {
        var words = new LastWords();
        for (int i = 1; i <= 25; i++) words.Add($"line {i}");
        Assert.Equal(string.Join(" | ", Enumerable.Range(6, 20).Select(i => $"line {i}")), words.Text());
    }

    [Theory]
    [InlineData]
    [InlineData(null, "", " \t")]
    public void Who_says_nothing_is_said_to(params string?[] lines)
    {
        var words = new LastWords();
        foreach (string? line in lines) words.Add(line);
        Assert.Equal("it said nothing.", words.Text());
    }

    [Fact]
    public void Blank_lines_take_no_place_of_others()
    {
        var words = new LastWords();
        words.Add("the reason");
        for (int i = 0; i < 30; i++) words.Add("");
        Assert.Equal("the reason", words.Text());
    }

    [Fact]
    public void Long_words_are_cut_where_that_is_wanted()
    {
        var words = new LastWords();
        words.Add("abc");
        words.Add("def");
        Assert.Equal("abc | def", words.Text(9));
        Assert.Equal("abc | de...", words.Text(8));
    }
}
