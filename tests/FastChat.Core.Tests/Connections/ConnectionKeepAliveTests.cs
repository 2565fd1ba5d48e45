using FastChat.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Protocol;

namespace FastChat.Core.Tests.Connections;

/// <summary>Pings to a silent peer, and giving up on one that stays silent.</summary>
public sealed class ConnectionKeepAliveTests
{
    private const EndpointRole S = EndpointRole.Server;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_silent_peer_is_pinged_and_given_up_when_nothing_comes()
    {
        await using var end = new ConnectionHarness();
        end.Time.Advance(29 * Second);
        Assert.Equal(0, end.Transport.Flushes);
        end.Time.Advance(2 * Second);
        Assert.Equal("Ping:", await end.Peer.NextAsync());
        end.Time.Advance(8 * Second);
        Assert.True(end.Connection.IsOpen);
        end.Time.Advance(2 * Second);
        Assert.Equal((EndReason.PongTimeout, 1006), await end.EndedAsync());
        Assert.Equal("reset", await end.Peer.NextAsync());
    }

    [Theory]
    [InlineData(Opcode.Pong)]
    [InlineData(Opcode.Text)]
    [InlineData(Opcode.Ping)]
    public async Task Whatever_comes_from_the_peer_proves_that_it_lives(Opcode opcode)
    {
        await using var end = new ConnectionHarness(LambdaHandler.Echo());
        for (int i = 0; i < 5; i++)
        {
            end.Time.Advance(31 * Second);
            Assert.Equal("Ping:", await end.Peer.NextAsync());
            end.Time.Advance(8 * Second);
            await end.Peer.SendAsync(Frames.Frame(S, opcode, "x"u8));
            if (opcode == Opcode.Pong) await end.Peer.SendTextAsync("x"); // so that we know when it has been read
            Assert.Contains(await end.Peer.NextAsync(), (string[])["Text:x", "Pong:x"]);
            await end.ReadingAsync(); // the answer went out before that
        }
        Assert.True(end.Connection.IsOpen);
    }

    [Fact]
    public async Task A_peer_that_talks_is_not_pinged()
    {
        await using var end = new ConnectionHarness(LambdaHandler.Echo());
        for (int i = 0; i < 10; i++)
        {
            end.Time.Advance(20 * Second);
            await end.Peer.SendTextAsync("x");
            Assert.Equal("Text:x", await end.Peer.NextAsync());
        }
    }

    [Fact]
    public async Task A_peer_is_not_silent_while_its_message_is_being_handled()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new LambdaHandler(async (connection, message) =>
        {
            begun.SetResult();
            await gate.Task;
            await connection.SendAsync(message);
        });
        await using var end = new ConnectionHarness(handler);
        await end.Peer.SendTextAsync("slow");
        await begun.Task.WaitAsync(ConnectionHarness.Patience);
        end.Time.Advance(600 * Second);
        Assert.True(end.Connection.IsOpen);
        Assert.Equal(0, end.Transport.Flushes);
        gate.SetResult();
        Assert.Equal("Text:slow", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task A_half_dead_peer_that_takes_nothing_is_given_up_too()
    {
        await using var end = new ConnectionHarness();
        end.Transport.Hold();
        await end.Connection.SendTextAsync("never taken");
        end.Time.Advance(42 * Second);
        Assert.Equal((EndReason.PongTimeout, 1006), await end.EndedAsync());
    }

    [Fact]
    public async Task Pings_can_be_turned_off()
    {
        await using var end = new ConnectionHarness(configure: limits => limits.PingInterval = Timeout.InfiniteTimeSpan);
        end.Time.Advance(TimeSpan.FromHours(5));
        Assert.True(end.Connection.IsOpen);
        Assert.Equal(0, end.Transport.Flushes);
    }

    [Fact]
    public void Limits_are_finite_and_checked()
    {
        var limits = new WebSocketLimits();
        foreach (long bad in (long[])[0, -1, (1L << 30) + 1, long.MaxValue])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => limits.MaxMessageBytes = bad);
            Assert.Throws<ArgumentOutOfRangeException>(() => limits.MaxFrameBytes = bad);
            Assert.Throws<ArgumentOutOfRangeException>(() => limits.SendQueueBytes = bad);
        }
        foreach (var bad in (TimeSpan[])[TimeSpan.Zero, -Second, TimeSpan.FromDays(2), TimeSpan.MaxValue])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => limits.PingInterval = bad);
            Assert.Throws<ArgumentOutOfRangeException>(() => limits.PongTimeout = bad);
            Assert.Throws<ArgumentOutOfRangeException>(() => limits.CloseTimeout = bad);
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => limits.PongTimeout = Timeout.InfiniteTimeSpan);
        Assert.Equal(TimeSpan.FromSeconds(5), limits.Shortest);
    }
}
