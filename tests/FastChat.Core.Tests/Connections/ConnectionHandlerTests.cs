using System.Buffers;
using System.Text;
using FastChat.Connections;
using FastChat.Core.Tests.Protocol;
using FastChat.Protocol;
using Microsoft.Extensions.Logging;

namespace FastChat.Core.Tests.Connections;

/// <summary>Messages pushed to a handler: echo, waiting, failing, closing inside.</summary>
public sealed class ConnectionHandlerTests
{
    private const EndpointRole S = EndpointRole.Server;
    private static readonly TimeSpan Patience = ConnectionHarness.Patience;

    [Theory]
    [InlineData(EndpointRole.Server)]
    [InlineData(EndpointRole.Client)]
    internal async Task Messages_of_every_kind_and_size_are_echoed(EndpointRole role)
    {
        await using var end = new ConnectionHarness(LambdaHandler.Echo(), role: role);
        foreach (int size in (int[])[0, 1, 125, 126, 4096, 8191, 8192, 65535, 65536, 100_000, 1 << 20])
        {
            byte[] payload = Frames.Pattern(size, size);
            var sending = end.Peer.SendAsync(Frames.Binary(role, payload));
            var (opcode, echo) = await end.Peer.FrameAsync();
            Assert.Equal(Opcode.Binary, opcode);
            Assert.Equal(payload, echo);
            await sending;
        }
        await end.Peer.SendAsync(Frames.Fragmented(role, Opcode.Text, "Grüße, 😀"u8, 0, 3, 4, 12));
        Assert.Equal("Text:Grüße, 😀", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task Many_messages_of_one_arrival_are_answered_in_order_with_one_flush()
    {
        await using var end = new ConnectionHarness(LambdaHandler.Echo());
        int before = end.Transport.Flushes;
        await end.Peer.SendAsync([.. Enumerable.Range(0, 50).Select(i => Frames.Text(S, Encoding.ASCII.GetBytes($"{i}"))), Frames.Ping(S, "last"u8)]);
        for (int i = 0; i < 50; i++) Assert.Equal($"Text:{i}", await end.Peer.NextAsync());
        Assert.Equal("Pong:last", await end.Peer.NextAsync());
        Assert.Equal(before + 1, end.Transport.Flushes);
    }

    [Fact]
    public async Task What_OnOpen_sends_goes_out_in_one_flush_before_anything_is_read()
    {
        var open = new TaskCompletionSource();
        var handler = new LambdaHandler((c, m) => c.SendAsync(m))
        {
            OnOpen = async connection =>
            {
                for (int i = 0; i < 10; i++) await connection.SendTextAsync($"{i}");
                await open.Task;
            },
        };
        await using var end = new ConnectionHarness(handler);
        Assert.Equal(1, end.Transport.Flushes);
        await end.Peer.SendTextAsync("early");
        for (int i = 0; i < 10; i++) Assert.Equal($"Text:{i}", await end.Peer.NextAsync());
        Assert.Equal(0, handler.Messages);
        open.SetResult();
        Assert.Equal("Text:early", await end.Peer.NextAsync());
    }

    [Fact]
    public async Task A_handler_that_waits_keeps_its_payload_and_holds_up_the_next_message()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var seen = new List<string>();
        var handler = new LambdaHandler(async (connection, message) =>
        {
            await connection.SendTextAsync("before");
            if (seen.Count == 0) await gate.Task;
            seen.Add(message.GetText());
            await connection.SendAsync(message);
        });
        await using var end = new ConnectionHarness(handler);
        await end.Peer.SendAsync(Frames.Text(S, "first"u8), Frames.Text(S, "second"u8));
        Assert.Equal("Text:before", await end.Peer.NextAsync()); // goes out although the handler has not returned
        await end.Peer.SendTextAsync("third");
        Assert.Equal(1, handler.Messages);
        gate.SetResult();
        Assert.Equal("Text:first", await end.Peer.NextAsync());
        foreach (string text in (string[])["second", "third"])
        {
            Assert.Equal("Text:before", await end.Peer.NextAsync());
            Assert.Equal($"Text:{text}", await end.Peer.NextAsync());
        }
        Assert.Equal(["first", "second", "third"], seen);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_that_throws_closes_with_1011_and_is_logged(bool later)
    {
        var handler = new LambdaHandler(async (connection, message) =>
        {
            await connection.SendTextAsync("sent before");
            if (later) await Task.Yield();
            throw new FormatException("of the handler");
        });
        await using var end = new ConnectionHarness(handler);
        await end.Peer.SendAsync(Frames.Text(S, "a"u8), Frames.Text(S, "b"u8));
        Assert.Equal("Text:sent before", await end.Peer.NextAsync());
        Assert.Equal("Close:1011", await end.Peer.NextAsync());
        await end.Peer.SendCloseAsync(1011);
        Assert.Equal("end", await end.Peer.NextAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.HandlerFailed, 1011), await end.EndedAsync());
        Assert.Equal((1, 1), (handler.Messages, handler.ClosedCalls));
        var line = Assert.Single(end.Log.Of(11));
        Assert.Equal(LogLevel.Error, line.Level);
        Assert.IsType<FormatException>(line.Exception);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OnOpen_that_throws_closes_with_1011(bool later)
    {
        var handler = new LambdaHandler
        {
            OnOpen = async connection =>
            {
                if (later) await Task.Yield();
                throw new FormatException("at the start");
            },
        };
        await using var end = new ConnectionHarness(handler);
        Assert.Equal(["Close:1011", "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.HandlerFailed, 1011), await end.EndedAsync());
        Assert.Equal((1, 0, 1), (handler.Opened, handler.Messages, handler.ClosedCalls));
        Assert.Single(end.Log.Of(11));
    }

    [Fact]
    public async Task OnOpen_that_throws_before_it_waits_closes_with_1011()
    {
        var handler = new LambdaHandler { OnOpen = _ => throw new FormatException("not even a task") };
        await using var end = new ConnectionHarness(handler);
        Assert.Equal("Close:1011", await end.Peer.NextAsync());
        await end.Peer.SendCloseAsync(1011);
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.HandlerFailed, 1011), await end.EndedAsync());
    }

    [Fact]
    public async Task OnClosed_that_throws_is_logged_and_changes_nothing()
    {
        var handler = new LambdaHandler { OnClosed = _ => throw new FormatException("at the end") };
        await using var end = new ConnectionHarness(handler);
        await end.Peer.SendCloseAsync(1000);
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedByPeer, 1000), await end.EndedAsync());
        Assert.Single(end.Log.Of(11));
    }

    [Fact]
    public async Task OnClosed_knows_why_and_comes_before_Completion()
    {
        var told = new TaskCompletionSource<(EndReason, CloseCode, bool)>();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new LambdaHandler
        {
            OnClosed = async connection =>
            {
                told.SetResult((connection.EndReason, connection.CloseCode, connection.IsOpen));
                await gate.Task;
            },
        };
        await using var end = new ConnectionHarness(handler);
        await end.Peer.SendCloseAsync(1001);
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedByPeer, CloseCode.GoingAway, false), await told.Task.WaitAsync(Patience));
        Assert.False(end.Connection.Completion.IsCompleted);
        gate.SetResult();
        await end.EndedAsync();
    }

    [Fact]
    public async Task A_handler_may_close_and_what_follows_is_not_delivered()
    {
        var handler = new LambdaHandler(async (connection, message) =>
        {
            await connection.SendTextAsync("bye");
            await connection.CloseAsync((CloseCode)3333, "done");
            await Assert.ThrowsAsync<ConnectionClosedException>(() => connection.SendTextAsync("x").AsTask());
        });
        await using var end = new ConnectionHarness(handler);
        await end.Peer.SendAsync(Frames.Text(S, "a"u8), Frames.Text(S, "b"u8), Frames.Close(S, 3333));
        Assert.Equal(["Text:bye", "Close:3333 done", "end"], await end.Peer.AllAsync());
        await end.Peer.EndAsync();
        Assert.Equal((EndReason.ClosedHere, 3333), await end.EndedAsync());
        Assert.Equal(1, handler.Messages);
    }

    [Fact]
    public async Task A_handler_may_abort_its_connection()
    {
        var handler = new LambdaHandler((connection, message) =>
        {
            connection.Abort();
            return default;
        });
        await using var end = new ConnectionHarness(handler);
        await end.Peer.SendTextAsync("a");
        Assert.Equal((EndReason.Aborted, 1006), await end.EndedAsync());
    }

    [Fact]
    public async Task A_handler_that_fails_because_the_connection_is_gone_is_not_an_error()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new LambdaHandler(async (connection, message) =>
        {
            await gate.Task;
            await connection.SendTextAsync("too late");
        });
        await using var end = new ConnectionHarness(handler);
        await end.Peer.SendTextAsync("a");
        end.Connection.Abort();
        gate.SetResult();
        Assert.Equal((EndReason.Aborted, 1006), await end.EndedAsync());
        Assert.Empty(end.Log.Of(11));
    }

    [Fact]
    public async Task Dispose_inside_the_handler_returns_after_the_close_timeout_at_the_latest()
    {
        var disposing = new TaskCompletionSource();
        var handler = new LambdaHandler(async (connection, message) =>
        {
            var done = connection.DisposeAsync().AsTask();
            disposing.SetResult();
            await done;
        });
        await using var end = new ConnectionHarness(handler);
        await end.Peer.SendTextAsync("a");
        await disposing.Task.WaitAsync(Patience);
        end.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal((EndReason.CloseTimeout, 1000), await end.EndedAsync());
    }

    [Fact]
    public async Task Fragmented_and_compressed_messages_stay_valid_while_the_handler_waits()
    {
        var gate = new SemaphoreSlim(0);
        var handler = new LambdaHandler(async (connection, message) =>
        {
            await gate.WaitAsync();
            await connection.SendTextAsync(Convert.ToHexString(message.Payload.ToArray()));
        });
        await using var end = new ConnectionHarness(handler);
        byte[] payload = Frames.Pattern(3000);
        await end.Peer.SendAsync(Frames.Fragmented(S, Opcode.Binary, payload, 0, 10, 2000), Frames.Fragmented(S, Opcode.Binary, new byte[500], 0, 100));
        gate.Release();
        Assert.Equal($"Text:{Convert.ToHexString(payload)}", await end.Peer.NextAsync());
        gate.Release();
        Assert.Equal($"Text:{Convert.ToHexString(new byte[500])}", await end.Peer.NextAsync());
    }
}
