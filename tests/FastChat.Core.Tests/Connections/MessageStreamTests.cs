using System.Text.Json;
using FastChat.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Protocol;

namespace FastChat.Core.Tests.Connections;

/// <summary>Messages in pieces: what goes over the wire, who waits for whom, and how it ends. Compressed ones are in <see cref="MessagePiecesTests"/>.</summary>
public sealed class MessageStreamTests
{
    private const EndpointRole S = EndpointRole.Server;
    private static readonly TimeSpan Patience = ConnectionHarness.Patience;

    private static ConnectionHarness Open(Action<WebSocketLimits>? configure = null, EndpointRole role = S) => new(configure: configure, role: role, fragments: true);

    private static MessageStream Text(ConnectionHarness end) => end.Connection.OpenMessage(WebSocketMessageKind.Text);

    [Theory]
    [InlineData(EndpointRole.Server)]
    [InlineData(EndpointRole.Client)]
    internal async Task Each_piece_is_a_fragment_that_leaves_at_once(EndpointRole role)
    {
        await using var end = Open(role: role);
        await using var message = Text(end);
        await message.WriteAsync("he"u8.ToArray());
        Assert.Equal("Text+:he", await end.Peer.NextAsync());
        await message.WriteAsync(ReadOnlyMemory<byte>.Empty);
        await message.WriteAsync("llo"u8.ToArray());
        Assert.Equal("Continuation+:llo", await end.Peer.NextAsync());
        await message.CompleteAsync(" world"u8.ToArray());
        Assert.Equal("Continuation: world", await end.Peer.NextAsync());
        await using var bytes = end.Connection.OpenMessage(WebSocketMessageKind.Binary);
        await bytes.WriteAsync(new byte[] { 0xFF });
        await bytes.CompleteAsync();
        Assert.Equal("Binary+:FF", await end.Peer.NextAsync());
        Assert.Equal("Continuation:", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task Large_pieces_arrive_as_they_are()
    {
        await using var end = Open(limits => limits.SendQueueBytes = 100_000);
        await using var message = end.Connection.OpenMessage(WebSocketMessageKind.Binary);
        var writing = Task.Run(async () =>
        {
            for (int i = 0; i < 20; i++) await message.WriteAsync(Frames.Pattern(i * 5000, i));
            await message.CompleteAsync();
        });
        for (int i = 1; i < 20; i++) Assert.Equal(Frames.Pattern(i * 5000, i), (await end.Peer.FrameAsync()).Payload);
        Assert.Empty((await end.Peer.FrameAsync()).Payload);
        await writing.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_message_that_never_began_holds_up_nobody_and_one_of_one_piece_is_one_frame()
    {
        await using var end = Open();
        await using (Text(end)) await end.Connection.SendTextAsync("not held up");
        await using var one = Text(end);
        await one.CompleteAsync("one"u8.ToArray());
        await using var none = Text(end);
        await none.CompleteAsync();
        foreach (string text in (string[])["not held up", "one", ""]) Assert.Equal($"Text:{text}", await end.Peer.NextAsync());
        Assert.True(end.Connection.IsOpen);
    }

    [Fact]
    public async Task Control_frames_go_between_the_pieces()
    {
        await using var end = Open();
        await using var message = Text(end);
        await message.WriteAsync("a"u8.ToArray());
        end.Connection.Ping("?"u8);
        await end.Peer.SendAsync(Frames.Ping(S, "!"u8));
        Assert.Equal("Text+:a", await end.Peer.NextAsync());
        Assert.Equal("Ping:?", await end.Peer.NextAsync());
        Assert.Equal("Pong:!", await end.Peer.NextAsync());
        await message.WriteAsync("b"u8.ToArray());
        await end.Connection.CloseAsync();
        var closed = await Assert.ThrowsAsync<ConnectionClosedException>(() => message.CompleteAsync().AsTask());
        Assert.Equal(CloseCode.NormalClosure, closed.CloseCode);
        Assert.Equal("Continuation+:b", await end.Peer.NextAsync());
        Assert.Equal("Close:1000", await end.Peer.NextAsync());
    }

    [Theory]
    [InlineData(SendQueuePolicy.Wait)]
    [InlineData(SendQueuePolicy.DropNewest)]
    [InlineData(SendQueuePolicy.Close)]
    public async Task Other_messages_wait_in_order_whatever_the_policy(SendQueuePolicy policy)
    {
        await using var end = Open(limits => limits.SendQueuePolicy = policy);
        await using var first = Text(end);
        await using var second = Text(end);
        await first.WriteAsync("1a"u8.ToArray());
        var before = end.Connection.SendTextAsync("before").AsTask();
        var piece = second.WriteAsync("2a"u8.ToArray()).AsTask();
        var after = end.Connection.SendTextAsync("after").AsTask();
        Assert.False(before.IsCompleted || piece.IsCompleted || after.IsCompleted);
        await first.CompleteAsync("1b"u8.ToArray());
        await Task.WhenAll(before, piece).WaitAsync(Patience);
        Assert.False(after.IsCompleted);
        await second.CompleteAsync("2b"u8.ToArray());
        await after.WaitAsync(Patience);
        foreach (string frame in (string[])["Text+:1a", "Continuation:1b", "Text:before", "Text+:2a", "Continuation:2b", "Text:after"])
            Assert.Equal(frame, await end.Peer.NextAsync());
        Assert.Equal(0, end.Connection.DroppedMessages);
    }

    [Theory]
    [InlineData(SendQueuePolicy.DropNewest)]
    [InlineData(SendQueuePolicy.Close)]
    public async Task What_waits_is_bounded_by_the_queue(SendQueuePolicy policy)
    {
        await using var end = Open(limits => (limits.SendQueueBytes, limits.SendQueuePolicy) = (1000, policy));
        await using var message = Text(end);
        await message.WriteAsync("a"u8.ToArray());
        var fits = end.Connection.SendBinaryAsync(new byte[900]).AsTask();
        Assert.False(fits.IsCompleted);
        var tooMuch = end.Connection.SendBinaryAsync(new byte[100]).AsTask();
        Assert.True(tooMuch.IsCompleted);
        if (policy == SendQueuePolicy.DropNewest)
        {
            Assert.Equal(1, end.Connection.DroppedMessages);
            await message.CompleteAsync();
            await fits.WaitAsync(Patience);
            return;
        }
        await Assert.ThrowsAsync<ConnectionClosedException>(() => tooMuch);
        await Assert.ThrowsAsync<ConnectionClosedException>(() => fits.WaitAsync(Patience));
        Assert.Equal("Text+:a", await end.Peer.NextAsync());
        Assert.Equal("Close:1008 send queue full", await end.Peer.NextAsync());
    }

    [Theory]
    [InlineData(SendQueuePolicy.Wait)]
    [InlineData(SendQueuePolicy.DropNewest)]
    public async Task A_piece_waits_for_room_and_goes_before_all_others(SendQueuePolicy policy)
    {
        await using var end = Open(limits => (limits.SendQueueBytes, limits.SendQueuePolicy) = (100, policy));
        await using var message = Text(end);
        await message.WriteAsync("a"u8.ToArray());
        var other = end.Connection.SendTextAsync("other").AsTask();
        end.Transport.Hold();
        await message.WriteAsync(new byte[90]);
        var piece = message.WriteAsync(new byte[80]).AsTask();
        Assert.False(piece.IsCompleted);
        await Assert.ThrowsAsync<InvalidOperationException>(() => message.WriteAsync(new byte[1]).AsTask());
        end.Transport.Release();
        await piece.WaitAsync(Patience);
        await message.CompleteAsync();
        await other.WaitAsync(Patience);
        Assert.Equal("Text+:a", await end.Peer.NextAsync());
        foreach (int size in (int[])[90, 80, 0]) Assert.Equal(size, (await end.Peer.FrameAsync()).Payload.Length);
        Assert.Equal("Text:other", await end.Peer.NextAsync());
        Assert.Equal(0, end.Connection.DroppedMessages);
    }

    [Fact]
    public async Task A_last_piece_that_waited_for_room_lets_the_others_go()
    {
        await using var end = Open(limits => limits.SendQueueBytes = 100);
        await using var message = Text(end);
        end.Transport.Hold();
        await message.WriteAsync(new byte[90]);
        var last = message.CompleteAsync(new byte[80]).AsTask();
        var other = end.Connection.SendTextAsync("other").AsTask();
        Assert.False(last.IsCompleted || other.IsCompleted);
        end.Transport.Release();
        await Task.WhenAll(last, other).WaitAsync(Patience);
        foreach (int size in (int[])[90, 80]) Assert.Equal(size, (await end.Peer.FrameAsync()).Payload.Length);
        Assert.Equal("Text:other", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task Under_the_policy_Close_a_piece_that_finds_no_room_closes_with_1008()
    {
        await using var end = Open(limits => (limits.SendQueueBytes, limits.SendQueuePolicy) = (100, SendQueuePolicy.Close));
        await using var message = Text(end);
        end.Transport.Hold();
        await message.WriteAsync(new byte[90]);
        var failure = await Assert.ThrowsAsync<ConnectionClosedException>(() => message.WriteAsync(new byte[80]).AsTask());
        Assert.Equal((EndReason.SendQueueFull, CloseCode.PolicyViolation), (failure.Reason, failure.CloseCode));
        end.Transport.Release();
        Assert.Equal(90, (await end.Peer.FrameAsync()).Payload.Length);
        Assert.Equal("Close:1008 send queue full", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task A_piece_taken_back_leaves_no_trace_not_even_of_half_a_character()
    {
        await using var end = Open(limits => limits.SendQueueBytes = 10);
        await using var message = Text(end);
        await using var other = Text(end);
        end.Transport.Hold();
        await message.WriteAsync("0123456789"u8.ToArray());
        using var stop = new CancellationTokenSource();
        var piece = message.WriteAsync("half €"u8.ToArray().AsMemory(..^1), stop.Token).AsTask();
        var others = other.WriteAsync("taken back"u8.ToArray(), stop.Token).AsTask();
        await stop.CancelAsync();
        foreach (var write in (Task[])[piece, others])
            Assert.Equal(stop.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.WaitAsync(Patience))).CancellationToken);
        end.Transport.Release();
        await message.CompleteAsync("whole"u8.ToArray());
        Assert.Equal("Text+:0123456789", await end.Peer.NextAsync());
        Assert.Equal("Continuation:whole", await end.Peer.NextAsync());
        await end.Connection.SendTextAsync("next");
        Assert.Equal("Text:next", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task Text_is_checked_across_pieces_and_a_piece_that_breaks_it_is_not_sent()
    {
        await using var end = Open();
        await using var message = Text(end);
        byte[] euro = "€"u8.ToArray();
        await message.WriteAsync(euro.AsMemory(0, 1));
        await Assert.ThrowsAsync<ArgumentException>(() => message.WriteAsync("x"u8.ToArray()).AsTask());
        await Assert.ThrowsAsync<ArgumentException>(() => message.CompleteAsync(euro.AsMemory(1, 1)).AsTask());
        await Assert.ThrowsAsync<ArgumentException>(() => message.CompleteAsync().AsTask());
        await message.WriteAsync(euro.AsMemory(1, 1));
        await message.CompleteAsync(euro.AsMemory(2));
        Assert.Equal(euro, (byte[])[.. (await end.Peer.FrameAsync()).Payload, .. (await end.Peer.FrameAsync()).Payload, .. (await end.Peer.FrameAsync()).Payload]);
        await using var bytes = end.Connection.OpenMessage(WebSocketMessageKind.Binary);
        await bytes.CompleteAsync(euro.AsMemory(1));
        Assert.Equal("Binary:82AC", await end.Peer.NextAsync());
        Assert.Throws<ArgumentOutOfRangeException>(() => end.Connection.OpenMessage(0));
    }

    [Fact]
    public async Task Disposing_in_mid_message_closes_with_1011()
    {
        await using var end = Open();
        Task waiting;
        await using (var message = Text(end))
        {
            await message.WriteAsync("half"u8.ToArray());
            waiting = end.Connection.SendTextAsync("waits").AsTask();
        }
        await Assert.ThrowsAsync<ConnectionClosedException>(() => waiting.WaitAsync(Patience));
        await end.Peer.SendCloseAsync(1011);
        Assert.Equal(["Text+:half", "Close:1011", "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.MessageAbandoned, 1011), await end.EndedAsync());
    }

    [Fact]
    public async Task Disposing_while_a_piece_waits_closes_too()
    {
        await using var end = Open();
        await using var first = Text(end);
        await first.WriteAsync("first"u8.ToArray());
        var second = Text(end);
        var piece = second.WriteAsync("second"u8.ToArray()).AsTask();
        await second.DisposeAsync();
        await Assert.ThrowsAsync<ConnectionClosedException>(() => piece.WaitAsync(Patience));
        Assert.False(end.Connection.IsOpen);
    }

    [Fact]
    public async Task A_handler_that_throws_in_mid_message_closes_once()
    {
        await using var end = new ConnectionHarness(new LambdaHandler(async (connection, _) =>
        {
            await using var message = connection.OpenMessage(WebSocketMessageKind.Text);
            await message.WriteAsync("half"u8.ToArray());
            throw new FormatException("of the handler");
        }), fragments: true);
        await end.Peer.SendTextAsync("go");
        Assert.Equal("Text+:half", await end.Peer.NextAsync());
        Assert.Equal("Close:1011", await end.Peer.NextAsync());
        await end.Peer.SendCloseAsync(1011);
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.MessageAbandoned, 1011), await end.EndedAsync());
        Assert.IsType<FormatException>(Assert.Single(end.Log.Of(11)).Exception);
    }

    [Fact]
    public async Task Flushing_sends_what_a_handler_has_written_before_it_first_waits()
    {
        int written = -1, flushed = -1;
        ConnectionHarness? harness = null;
        var attached = new TaskCompletionSource();
        await using var end = harness = new ConnectionHarness(new LambdaHandler((connection, _) =>
        {
            attached.Task.Wait(ConnectionHarness.Patience);
            var message = connection.OpenMessage(WebSocketMessageKind.Text);
            Assert.True(message.WriteAsync("a"u8.ToArray()).AsTask().IsCompletedSuccessfully);
            written = harness!.Transport.Flushes;
            message.Flush();
            flushed = harness.Transport.Flushes;
            return message.CompleteAsync("b"u8.ToArray());
        }), fragments: true);
        attached.SetResult();
        await end.Peer.SendTextAsync("go");
        Assert.Equal("Text+:a", await end.Peer.NextAsync());
        Assert.Equal("Continuation:b", await end.Peer.NextAsync());
        Assert.Equal((0, 1), (written, flushed));
    }

    [Fact]
    public async Task What_is_complete_or_disposed_of_takes_no_more()
    {
        await using var end = Open();
        var message = Text(end);
        await message.CompleteAsync("whole"u8.ToArray());
        await Assert.ThrowsAsync<InvalidOperationException>(() => message.WriteAsync(new byte[1]).AsTask());
        await Assert.ThrowsAsync<InvalidOperationException>(() => message.CompleteAsync().AsTask());
        await message.DisposeAsync();
        await message.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => message.CompleteAsync().AsTask());
        Assert.True(end.Connection.IsOpen);
        Assert.Equal("Text:whole", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task An_abort_ends_a_piece_that_waits()
    {
        await using var end = Open(limits => limits.SendQueueBytes = 10);
        await using var message = Text(end);
        end.Transport.Hold();
        await message.WriteAsync(new byte[10]);
        var piece = message.WriteAsync(new byte[10]).AsTask();
        end.Connection.Abort();
        await Assert.ThrowsAsync<ConnectionClosedException>(() => piece.WaitAsync(Patience));
        await Assert.ThrowsAsync<ConnectionClosedException>(() => message.CompleteAsync().AsTask());
    }

    [Fact]
    public async Task It_is_a_stream_for_whoever_writes_to_one()
    {
        await using var end = Open();
        await using var message = Text(end);
        await JsonSerializer.SerializeAsync(message, new { text = "json" });
        await new MemoryStream("!"u8.ToArray()).CopyToAsync(message);
        await message.FlushAsync();
        await message.CompleteAsync();
        Assert.Equal("Text+:{\"text\":\"json\"}", await end.Peer.NextAsync());
        Assert.Equal("Continuation+:!", await end.Peer.NextAsync());
        Assert.Equal("Continuation:", await end.Peer.NextAsync());
        Assert.Equal((false, false, true), (message.CanRead, message.CanSeek, message.CanWrite));
        Assert.Throws<NotSupportedException>(() => message.Write([1], 0, 1));
    }
}
