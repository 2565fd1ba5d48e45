namespace FastChat.Bench.Tests.Measure;

public class InterruptionTests
{
    [Fact]
    public void The_first_signal_asks_and_the_second_is_let_through()
    {
        using var interruption = new Interruption();
        Assert.False(interruption.Token.IsCancellationRequested);
        Assert.True(interruption.Ask());
        Assert.True(interruption.Token.IsCancellationRequested);
        Assert.False(interruption.Ask());
    }
}
