using System.Buffers;
using FastChat.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Protocol;

namespace FastChat.Core.Tests.Connections;

/// <summary>Messages pulled with <see cref="WebSocketConnection.ReadMessageAsync"/>.</summary>
public sealed class ConnectionPullTests
{
    private const EndpointRole S = EndpointRole.Server;
    private static readonly TimeSpan Patience = ConnectionHarness.Patience;

    private static async Task<string?> ReadAsync(ConnectionHarness end) =>
        await end.Connection.ReadMessageAsync().AsTask().WaitAsync(Patience) is { } message ? message.GetText() : null;

    [Fact]
    public async Task Messages_are_read_in_order_waiting_or_not_and_null_is_the_end()
    {
        await using var end = new ConnectionHarness();
        var waiting = ReadAsync(end);
        await end.Peer.SendAsync(Frames.Text(S, "1"u8), Frames.Text(S, "2"u8), Frames.Ping(S, "p"u8), Frames.Text(S, "3"u8));
        Assert.Equal("1", await waiting);
        Assert.Equal("2", await ReadAsync(end));
        Assert.Equal("3", await ReadAsync(end));
        Assert.Equal("Pong:p", await end.Peer.NextAsync());
        waiting = ReadAsync(end);
        await end.Peer.SendCloseAsync(1000);
        await end.Peer.EndAsync();
        Assert.Null(await waiting);
        Assert.Null(await ReadAsync(end));
    }

    [Fact]
    public async Task A_message_is_valid_until_the_next_is_asked_for()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendAsync(Frames.Text(S, "first"u8), Frames.Text(S, "second"u8));
        var first = (await end.Connection.ReadMessageAsync().AsTask().WaitAsync(Patience))!.Value;
        await end.Peer.SendAsync(Frames.Binary(S, Frames.Pattern(30_000)));
        Assert.Equal("first", first.GetText());
        Assert.Equal("second", await ReadAsync(end));
        Assert.Equal(Frames.Pattern(30_000), (await end.Connection.ReadMessageAsync().AsTask().WaitAsync(Patience))!.Value.Payload.ToArray());
    }

    [Fact]
    public async Task All_messages_come_by_iteration_up_to_the_end_each_valid_for_its_pass()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendAsync(Frames.Text(S, "1"u8), Frames.Text(S, "2"u8), Frames.Text(S, "3"u8), Frames.Close(S, 1000));
        await end.Peer.EndAsync();
        var texts = new List<string>();
        await foreach (var message in end.Connection.ReadAllAsync().WithCancellation(new CancellationTokenSource(Patience).Token)) texts.Add(message.GetText());
        Assert.Equal(["1", "2", "3"], texts);
        Assert.Equal((EndReason.ClosedByPeer, 1000), await end.EndedAsync());
    }

    [Fact]
    public async Task Leaving_or_cancelling_an_iteration_leaves_the_connection_and_its_messages_alone()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendAsync(Frames.Text(S, "1"u8), Frames.Text(S, "2"u8));
        await foreach (var message in end.Connection.ReadAllAsync())
        {
            Assert.Equal("1", message.GetText());
            break;
        }
        using var stop = new CancellationTokenSource();
        var messages = end.Connection.ReadAllAsync(stop.Token).GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WaitAsync(Patience));
        Assert.Equal("2", messages.Current.GetText());
        var next = messages.MoveNextAsync().AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Patience));
        await end.Peer.SendTextAsync("3");
        Assert.Equal("3", await ReadAsync(end));
        Assert.True(end.Connection.IsOpen);
    }

    [Fact]
    public async Task A_slow_reader_slows_down_its_peer()
    {
        await using var end = new ConnectionHarness(capacity: 1000);
        Task send = end.Peer.SendAsync(Frames.Text(S, "0"u8));
        int sent = 1;
        // Each is larger than the pipe's capacity: the one that is not taken stays.
        while (send.IsCompletedSuccessfully && sent < 20) send = end.Peer.Transport.Output.WriteAsync(Frames.Binary(S, Frames.Pattern(1000, sent++))).AsTask();
        Assert.InRange(sent, 2, 5);
        Assert.Equal("0", await ReadAsync(end));
        for (int i = 1; i < sent; i++)
            Assert.Equal(Frames.Pattern(1000, i), (await end.Connection.ReadMessageAsync().AsTask().WaitAsync(Patience))!.Value.Payload.ToArray());
        var idle = end.Connection.ReadMessageAsync().AsTask();
        await send.WaitAsync(Patience);
        Assert.False(idle.IsCompleted);
    }

    [Fact]
    public async Task Cancelling_a_read_leaves_the_connection_and_its_messages_alone()
    {
        await using var end = new ConnectionHarness();
        for (int i = 0; i < 3; i++)
        {
            using var stop = new CancellationTokenSource();
            var read = end.Connection.ReadMessageAsync(stop.Token).AsTask();
            await stop.CancelAsync();
            var canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Patience));
            Assert.Equal(stop.Token, canceled.CancellationToken);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => end.Connection.ReadMessageAsync(stop.Token).AsTask());
            await end.Peer.SendTextAsync($"{i}");
            Assert.Equal($"{i}", await ReadAsync(end));
        }
        Assert.True(end.Connection.IsOpen);
    }

    [Fact]
    public async Task Two_reads_at_once_are_a_mistake()
    {
        await using var end = new ConnectionHarness();
        var read = ReadAsync(end);
        await Assert.ThrowsAsync<InvalidOperationException>(() => end.Connection.ReadMessageAsync().AsTask());
        await end.Peer.SendTextAsync("fine");
        Assert.Equal("fine", await read);
    }

    [Fact]
    public async Task Reading_is_for_connections_without_a_handler()
    {
        await using var end = new ConnectionHarness(LambdaHandler.Echo());
        await Assert.ThrowsAsync<InvalidOperationException>(() => end.Connection.ReadMessageAsync().AsTask());
        await Assert.ThrowsAsync<InvalidOperationException>(() => end.Connection.ReadAllAsync().GetAsyncEnumerator().MoveNextAsync().AsTask());
    }

    [Fact]
    public async Task A_message_nobody_reads_does_not_hold_up_an_abort()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendAsync(Frames.Text(S, "1"u8), Frames.Text(S, "2"u8));
        end.Connection.Abort();
        Assert.Equal((EndReason.Aborted, 1006), await end.EndedAsync());
        Assert.Null(await ReadAsync(end));
    }

    [Fact]
    public async Task A_message_that_comes_while_the_connection_is_aborted_does_not_hold_up_its_end()
    {
        await using var end = new ConnectionHarness();
        var receiver = new PullReceiver();
        var message = new WebSocketMessage(WebSocketMessageKind.Text, default);
        receiver.Drop(); // on another thread, after the receive loop has seen an open connection
        await receiver.OnMessageAsync(end.Connection, message).AsTask().WaitAsync(Patience);

        var read = receiver.ReadAsync(default).AsTask();
        Assert.False(receiver.OnMessageAsync(end.Connection, message).AsTask().IsCompleted); // this one was asked for
        Assert.NotNull(await read);
    }

    [Fact]
    public async Task A_message_nobody_reads_does_not_hold_up_a_close()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendAsync(Frames.Text(S, "1"u8), Frames.Text(S, "2"u8));
        await end.Connection.CloseAsync();
        Assert.Equal("Close:1000", await end.Peer.NextAsync());
        await end.Peer.SendCloseAsync(1000);
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedHere, 1000), await end.EndedAsync());
        Assert.Null(await ReadAsync(end));
    }

    [Fact]
    public async Task A_reader_that_works_with_a_message_keeps_it_over_an_abort_and_is_then_told()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendTextAsync("mine");
        var message = (await end.Connection.ReadMessageAsync().AsTask().WaitAsync(Patience))!.Value;
        end.Connection.Abort();
        Assert.True(end.Connection.Closed.IsCancellationRequested);
        Assert.False(end.Connection.Completion.IsCompleted);
        Assert.Equal("mine", message.GetText());
        Assert.Null(await ReadAsync(end));
        Assert.Equal((EndReason.Aborted, 1006), await end.EndedAsync());
    }

    [Fact]
    public async Task A_message_held_over_an_abort_holds_up_the_completion_until_dispose_takes_it_back()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendTextAsync("mine");
        Assert.Equal("mine", await ReadAsync(end));
        end.Connection.Abort();
        Assert.False(end.Connection.Completion.IsCompleted);
        await end.Connection.DisposeAsync().AsTask().WaitAsync(Patience);
        Assert.Equal((EndReason.Aborted, 1006), await end.EndedAsync());
    }

    [Fact]
    public async Task Dispose_ends_a_pending_read_and_takes_back_the_last_message()
    {
        await using var end = new ConnectionHarness();
        await end.Peer.SendTextAsync("read");
        Assert.Equal("read", await ReadAsync(end));
        var disposing = end.Connection.DisposeAsync().AsTask();
        await end.Peer.SendCloseAsync(1000);
        await end.Peer.EndAsync();
        await disposing.WaitAsync(Patience);
    }

    [Fact]
    public async Task Dispose_while_a_read_is_pending_completes_both()
    {
        await using var end = new ConnectionHarness();
        var read = ReadAsync(end);
        var disposing = end.Connection.DisposeAsync().AsTask();
        await end.Peer.SendAsync(Frames.Text(S, "late"u8), Frames.Close(S, 1000));
        await end.Peer.EndAsync();
        await disposing.WaitAsync(Patience);
        Assert.Null(await read);
    }

    [Fact]
    public async Task A_delegate_that_returns_closes_with_1000()
    {
        var handler = new PullHandler(async connection =>
        {
            var message = await connection.ReadMessageAsync();
            await connection.SendAsync(message!.Value);
        });
        await using var end = new ConnectionHarness(handler.Create());
        await end.Peer.SendAsync(Frames.Text(S, "once"u8), Frames.Text(S, "unread"u8));
        Assert.Equal("Text:once", await end.Peer.NextAsync());
        Assert.Equal("Close:1000", await end.Peer.NextAsync());
        await end.Peer.SendCloseAsync(1000);
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedHere, 1000), await end.EndedAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_delegate_that_throws_closes_with_1011(bool atOnce)
    {
        var handler = new PullHandler(async connection =>
        {
            if (!atOnce) await connection.ReadMessageAsync();
            throw new FormatException("of the delegate");
        });
        await using var end = new ConnectionHarness(handler.Create());
        if (!atOnce) await end.Peer.SendAsync(Frames.Text(S, "once"u8), Frames.Text(S, "unread"u8));
        Assert.Equal("Close:1011", await end.Peer.NextAsync());
        await end.Peer.SendCloseAsync(1011);
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.HandlerFailed, 1011), await end.EndedAsync());
        Assert.IsType<FormatException>(Assert.Single(end.Log.Of(11)).Exception);
    }

    [Fact]
    public async Task A_delegate_sees_the_end_as_null()
    {
        var seen = new TaskCompletionSource<int>();
        var handler = new PullHandler(async connection =>
        {
            int count = 0;
            while (await connection.ReadMessageAsync() is not null) count++;
            seen.SetResult(count);
        });
        await using var end = new ConnectionHarness(handler.Create());
        await end.Peer.SendAsync(Frames.Text(S, "1"u8), Frames.Text(S, "2"u8), Frames.Close(S, 1000));
        await end.Peer.EndAsync();
        Assert.Equal(2, await seen.Task.WaitAsync(Patience));
        Assert.Equal((EndReason.ClosedByPeer, 1000), await end.EndedAsync());
    }

    [Fact]
    public async Task Thousands_of_messages_with_reads_cancelled_at_random_lose_nothing()
    {
        await using var end = new ConnectionHarness(capacity: 500);
        const int Count = 5000;
        var sending = Task.Run(async () =>
        {
            for (int i = 0; i < Count; i++) await end.Peer.SendTextAsync($"{i}");
        });
        var random = new Random(7);
        for (int i = 0; i < Count;)
        {
            using var stop = new CancellationTokenSource();
            var read = end.Connection.ReadMessageAsync(stop.Token).AsTask();
            if (random.Next(4) == 0) _ = Task.Run(stop.Cancel);
            try
            {
                Assert.Equal($"{i}", (await read.WaitAsync(Patience))!.Value.GetText());
                i++;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            // The callback may still be on its way: it must not reach the next read.
            if (random.Next(4) == 0) await stop.CancelAsync();
        }
        // The last message is handed back by the next read; until then its turn's bytes fill the pipe, and the sender may be waiting for room.
        var after = ReadAsync(end);
        await sending.WaitAsync(Patience);
        await end.Peer.EndAsync();
        Assert.Null(await after);
    }
}
