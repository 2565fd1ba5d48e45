namespace FastChat.Bench.Tests.Measure;

public class InterruptionTests
{
    [Fact]
    public void The_first_signal_asks_and_the_second_is_let_through()
    {
        int last = 0;
        using var interruption = new Interruption(() => last++);
        Assert.False(interruption.Token.IsCancellationRequested);
        Assert.True(interruption.Ask());
        Assert.True(interruption.Token.IsCancellationRequested);
        Assert.Equal(0, last);
        Assert.False(interruption.Ask());
        Assert.Equal(1, last);
    }
}
