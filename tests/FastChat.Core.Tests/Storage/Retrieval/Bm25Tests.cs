using FastChat.Storage.Retrieval;

namespace FastChat.Core.Tests.Storage.Retrieval;

public sealed class Bm25Tests
{
    private static double Score(string passage, int with = 1, int passages = 10) =>
        Bm25.Score(passage.Split(' '), ["badger"], [with], passages, averageLength: 4);

    [Fact]
    public void The_formula_is_the_known_one()
    {
        // idf = ln(1 + (10 - 1 + .5) / (1 + .5)), tf = 1 * 2.2 / (1 + 1.2)
        Assert.Equal(Math.Log(1 + 9.5 / 1.5), Score("a badger is here"), 12);
        Assert.Equal(0, Score("an otter is here"));
    }

    [Fact]
    public void More_often_rarer_and_shorter_is_better()
    {
        Assert.True(Score("badger badger is here") > Score("badger otter is here"));
        Assert.True(Score("badger", with: 1) > Score("badger", with: 5));
        Assert.True(Score("badger") > Score("badger and very much else to read"));
        Assert.True(Score("badger", with: 10) > 0);
    }

    [Fact]
    public void Coverage_is_the_share_of_the_words_that_are_there()
    {
        Assert.Equal(0.5, Bm25.Coverage("Two BADGERS", ["badger", "otter"]));
        Assert.Equal(0, Bm25.Coverage("text", []));
    }
}
