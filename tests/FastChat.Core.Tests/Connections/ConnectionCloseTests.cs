using FastChat.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Protocol;
using Microsoft.Extensions.Logging;

namespace FastChat.Core.Tests.Connections;

/// <summary>RFC 6455 section 7: every way in which a connection can end, and what is told about it.</summary>
public sealed class ConnectionCloseTests
{
    private static readonly TimeSpan Patience = ConnectionHarness.Patience;

    [Theory]
    [InlineData(1000, "", "Close:1000")]
    [InlineData(1001, "going", "Close:1001")]
    [InlineData(3000, "é", "Close:3000")]
    [InlineData(4999, "app", "Close:4999")]
    public async Task The_peer_closes_first_and_gets_its_code_back(int code, string reason, string answer)
    {
        var handler = LambdaHandler.Echo();
        await using var end = new ConnectionHarness(handler);
        await end.Peer.SendCloseAsync(code, reason);
        Assert.Equal([answer, "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedByPeer, code), await end.EndedAsync());
        Assert.Equal(reason, end.Connection.CloseReason);
        Assert.Equal((1, 0, 1), (handler.Opened, handler.Messages, handler.ClosedCalls));
    }

    [Fact]
    public async Task An_empty_close_gets_an_empty_one()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendAsync(Frames.Frame(EndpointRole.Server, Opcode.Close, []));
        Assert.Equal(["Close:", "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedByPeer, 1005), await end.EndedAsync());
    }

    [Theory]
    [InlineData(EndpointRole.Server)]
    [InlineData(EndpointRole.Client)]
    internal async Task We_close_first_and_the_peer_answers(EndpointRole role)
    {
        await using var end = new ConnectionHarness(role: role);
        var closed = end.Connection.Closed;
        await end.Connection.CloseAsync((CloseCode)4001, "enough");
        Assert.Equal("Close:4001 enough", await end.Peer.NextAsync());
        Assert.False(end.Connection.IsOpen);
        Assert.True(closed.IsCancellationRequested);
        Assert.False(end.Connection.Completion.IsCompleted);
        await end.Peer.SendCloseAsync(4001);
        Assert.Equal("end", await end.Peer.NextAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedHere, 4001), await end.EndedAsync());
    }

    [Fact]
    public async Task Both_close_at_once_with_one_frame_each()
    {
        await using var end = new ConnectionHarness();
        await end.Connection.CloseAsync(CloseCode.GoingAway);
        await end.Peer.SendCloseAsync(3000, "me too");
        Assert.Equal(["Close:1001", "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedHere, 3000), await end.EndedAsync());
        Assert.Equal("me too", end.Connection.CloseReason);
    }

    [Fact]
    public async Task Only_the_first_close_counts()
    {
        await using var end = new ConnectionHarness();
        await end.Connection.CloseAsync((CloseCode)3001);
        await end.Connection.CloseAsync((CloseCode)3002);
        await end.Peer.SendCloseAsync(3001);
        Assert.Equal(["Close:3001", "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedHere, 3001), await end.EndedAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_peer_that_vanishes_is_1006(bool orderly)
    {
        var handler = LambdaHandler.Echo();
        await using var end = new ConnectionHarness(handler);
        if (orderly) await end.Peer.EndAsync();
        else end.Peer.Transport.Abort();
        Assert.Equal((EndReason.PeerVanished, 1006), await end.EndedAsync());
        Assert.Equal(1, handler.ClosedCalls);
    }

    [Fact]
    public async Task A_peer_that_vanishes_within_a_frame_is_1006()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendAsync(Frames.Text(EndpointRole.Server, "cut off"u8)[..9]);
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.PeerVanished, 1006), await end.EndedAsync());
    }

    [Fact]
    public async Task A_peer_that_never_answers_is_given_up_after_the_close_timeout()
    {
        await using var end = new ConnectionHarness(configure: limits => limits.CloseTimeout = TimeSpan.FromSeconds(5));
        await end.Connection.CloseAsync();
        Assert.Equal("Close:1000", await end.Peer.NextAsync());
        end.Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(end.Connection.Completion.IsCompleted);
        end.Time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Equal((EndReason.CloseTimeout, 1000), await end.EndedAsync());
        Assert.Equal("reset", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task A_peer_that_does_not_take_the_close_frame_is_given_up_too()
    {
        await using var end = new ConnectionHarness();
        end.Transport.Hold();
        await end.Connection.SendTextAsync("not taken");
        await end.Connection.CloseAsync();
        end.Time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal((EndReason.CloseTimeout, 1000), await end.EndedAsync());
    }

    [Fact]
    public async Task A_peer_that_has_closed_and_does_not_end_the_stream_does_not_hold_us_up_for_long()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendCloseAsync(1000);
        Assert.Equal(["Close:1000", "end"], await end.Peer.AllAsync());
        Assert.False(end.Connection.Completion.IsCompleted);
        end.Time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal((EndReason.ClosedByPeer, 1000), await end.EndedAsync());
    }

    [Fact]
    public async Task A_peer_that_vanishes_after_our_close_leaves_it_at_that()
    {
        await using var end = new ConnectionHarness();
        await end.Connection.CloseAsync(CloseCode.GoingAway);
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedHere, 1001), await end.EndedAsync());
    }

    [Fact]
    public async Task Data_after_either_close_are_not_delivered()
    {
        const EndpointRole S = EndpointRole.Server;
        var handler = LambdaHandler.Echo();
        await using (var end = new ConnectionHarness(handler))
        {
            await end.Connection.CloseAsync();
            await end.Peer.SendAsync(Frames.Text(S, "late"u8), Frames.Ping(S, "still there?"u8), Frames.Close(S, 1000), Frames.Text(S, "later"u8));
            Assert.Equal(["Close:1000", "end"], await end.Peer.AllAsync());
            await end.Peer.EndAsync();
            Assert.Equal((EndReason.ClosedHere, 1000), await end.EndedAsync());
        }
        await using (var end = new ConnectionHarness(handler))
        {
            await end.Peer.SendAsync(Frames.Close(S, 1000), Frames.Text(S, "after"u8), [0xFF, 0xFF]);
            Assert.Equal(["Close:1000", "end"], await end.Peer.AllAsync());
            await end.Peer.EndAsync();
            Assert.Equal((EndReason.ClosedByPeer, 1000), await end.EndedAsync());
        }
        Assert.Equal(0, handler.Messages);
    }

    [Fact]
    public async Task What_was_sent_before_the_close_arrives_before_it()
    {
        await using var end = new ConnectionHarness();
        end.Transport.Hold();
        for (int i = 0; i < 5; i++) await end.Connection.SendTextAsync($"{i}");
        await end.Connection.CloseAsync();
        end.Transport.Release();
        await end.Peer.SendCloseAsync(1000);
        Assert.Equal(["Text:0", "Text:1", "Text:2", "Text:3", "Text:4", "Close:1000", "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        await end.EndedAsync();
    }

    public static TheoryData<string, int, string, string> Violations => new()
    {
        { "C180", 1002, "ProtocolError", "ReservedBits" },
        { "8100", 1002, "ProtocolError", "MaskMissing" },
        { "8080", 1002, "ProtocolError", "ContinuationWithoutStart" },
        { "81810000000080", 1007, "InvalidPayload", "TextInvalid" },
        { "888100000000FF", 1002, "ProtocolError", "CloseTooShort" },
        { "88820000000003ED", 1002, "ProtocolError", "CloseCodeInvalid" },
        { "88830000000003E8FF", 1007, "InvalidPayload", "CloseReasonInvalid" },
        { "82FF0000000000200000" + "00000000", 1009, "MessageTooBig", "FrameTooBig" },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task A_broken_rule_has_its_close_code_its_reason_and_its_line_in_the_log(string hex, int code, string reason, string rule)
    {
        var handler = LambdaHandler.Echo();
        await using var end = new ConnectionHarness(handler);
        byte[] bytes = Convert.FromHexString(hex);
        await end.Peer.SendAsync(Frames.Text(EndpointRole.Server, "fine"u8), bytes, bytes.Length == 2 ? new byte[4] : []);
        Assert.Equal(["Text:fine", $"Close:{code}", "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        Assert.Equal((Enum.Parse<EndReason>(reason), code), await end.EndedAsync());
        Assert.Contains(rule, end.Log.Endings.Single(), StringComparison.Ordinal);
        Assert.Equal(1, handler.Messages);
    }

    [Fact]
    public async Task Abort_ends_at_once_and_completes_everything_that_waits()
    {
        await using var end = new ConnectionHarness(configure: limits => limits.SendQueueBytes = 10);
        end.Transport.Hold();
        await end.Connection.SendTextAsync("fills the queue");
        var send = end.Connection.SendTextAsync("waits").AsTask();
        var read = end.Connection.ReadMessageAsync().AsTask();
        Assert.False(send.IsCompleted);
        end.Connection.Abort();
        var failure = await Assert.ThrowsAsync<ConnectionClosedException>(() => send.WaitAsync(Patience));
        Assert.Equal((EndReason.Aborted, CloseCode.AbnormalClosure), (failure.Reason, failure.CloseCode));
        Assert.Null(await read.WaitAsync(Patience));
        Assert.Equal((EndReason.Aborted, 1006), await end.EndedAsync());
        Assert.Equal("reset", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task A_send_after_the_end_says_why_it_ended()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendCloseAsync(4321);
        await end.Peer.AllAsync();
        await end.Peer.EndAsync();
        await end.EndedAsync();
        var failure = await Assert.ThrowsAsync<ConnectionClosedException>(() => end.Connection.SendTextAsync("x").AsTask());
        Assert.Equal((EndReason.ClosedByPeer, (CloseCode)4321), (failure.Reason, failure.CloseCode));
    }

    [Fact]
    public async Task Dispose_closes_with_1000_and_waits_for_the_end()
    {
        await using var end = new ConnectionHarness();
        var disposing = end.Connection.DisposeAsync().AsTask();
        Assert.Equal("Close:1000", await end.Peer.NextAsync());
        Assert.False(disposing.IsCompleted);
        await end.Peer.SendCloseAsync(1000);
        await end.Peer.EndAsync();
        await disposing.WaitAsync(Patience);
        Assert.Equal((EndReason.ClosedHere, 1000), await end.EndedAsync());
    }

    [Fact]
    public async Task Dispose_does_not_wait_for_a_peer_longer_than_the_close_timeout()
    {
        await using var end = new ConnectionHarness();
        var disposing = end.Connection.DisposeAsync().AsTask();
        end.Time.Advance(TimeSpan.FromSeconds(7));
        await disposing.WaitAsync(Patience);
        Assert.Equal((EndReason.CloseTimeout, 1000), await end.EndedAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(999)]
    [InlineData(1004)]
    [InlineData(1005)]
    [InlineData(1006)]
    [InlineData(1015)]
    [InlineData(2999)]
    [InlineData(5000)]
    public async Task A_code_that_must_not_be_sent_is_refused(int code)
    {
        await using var end = new ConnectionHarness();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => end.Connection.CloseAsync((CloseCode)code).AsTask());
        Assert.True(end.Connection.IsOpen);
    }

    [Fact]
    public async Task A_callback_of_the_Closed_token_that_throws_does_no_harm()
    {
        await using var end = new ConnectionHarness();
        using var registration = end.Connection.Closed.Register(() => throw new InvalidOperationException("in a callback"));
        await end.Peer.SendCloseAsync(1000);
        Assert.Equal(["Close:1000", "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedByPeer, 1000), await end.EndedAsync());
        Assert.Contains(end.Log.Lines, line => line.Level == LogLevel.Error && line.Exception is not null);
    }

    [Fact]
    public async Task Completion_and_Closed_asked_for_at_the_end_or_after_are_done()
    {
        await using var end = new ConnectionHarness();
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = end.Connection.Closed.Register(closed.SetResult);
        end.Peer.Transport.Abort();
        await closed.Task.WaitAsync(Patience);
        await end.Connection.Completion.WaitAsync(Patience);
        Assert.True(end.Connection.Completion.IsCompletedSuccessfully);
        Assert.True(end.Connection.Closed.IsCancellationRequested);
    }
}
