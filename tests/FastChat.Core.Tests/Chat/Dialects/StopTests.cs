using FastChat.Chat.Dialects;
using FastChat.Storage;

namespace FastChat.Core.Tests.Chat.Dialects;

/// <summary>Stopping answers.</summary>
public sealed class StopTests
{
    [Fact]
    public async Task Stop_reaches_the_model_and_keeps_what_came()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, answerId, model) = await chat.AskAsync(socket, peer);
        model.Say("the part received");
        await peer.NextAsync("response_chunk");
        await socket.SendAsync("""{"type":"stop"}""");
        var complete = await peer.NextAsync("response_complete");
        Assert.Equal((answerId, "cancelled", "the part received"),
            (complete.Text("message_id"), complete.Text("finish_reason"), complete.Text("full_response")));
        await model.WhenCancelledAsync();
        var stored = chat.Store.AllMessages[1];
        Assert.Equal((MessageStatus.Stopped, "cancelled", "the part received"), (stored.Status, stored.FinishReason, stored.Content));
    }

    [Fact]
    public async Task Stop_does_not_wait_for_a_model_that_is_deaf_to_it()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"message":"hi"}""");
        await peer.NextAsync("message_received");
        await peer.NextAsync("response_start");
        var model = await chat.Model.NextAsync();
        model.IgnoresCancellation = true;
        model.Say("part");
        await peer.NextAsync("response_chunk");
        await socket.SendAsync("""{"type":"stop"}""");
        Assert.Equal("part", (await peer.NextAsync("response_complete")).Text("full_response"));
        model.Say("too late").Finish();
        Assert.Equal("part", chat.Store.AllMessages[1].Content);
    }

    [Fact]
    public async Task Stop_from_another_socket_of_the_session_stops_as_well()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (second, other) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await other.NextAsync("session_info");
        await chat.AskAsync(socket, peer);
        await second.SendAsync("""{"type":"stop"}""");
        Assert.Equal("cancelled", (await peer.NextAsync("response_complete")).Text("finish_reason"));
        await other.NextAsync("user_message");
        await other.NextAsync("response_start");
        Assert.Equal("cancelled", (await other.NextAsync("response_complete")).Text("finish_reason"));
    }

    [Fact]
    public async Task Stop_with_nothing_to_stop_is_no_error()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await socket.SendAsync("""{"type":"stop"}""");
        await socket.SendAsync("""{"type":"stop","message_id":"nobody's"}""");
        var (_, _, model) = await chat.AskAsync(socket, peer);
        await socket.SendAsync("""{"type":"stop","message_id":"nobody's"}""");
        model.Say("goes on").Finish();
        Assert.Equal("stop", (await peer.TakeAnswerAsync()).Complete.Text("finish_reason"));
    }

    [Fact]
    public async Task Stop_ends_the_running_answer_and_those_that_wait_or_just_the_one_named()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, _, model) = await chat.AskAsync(socket, peer, """{"message":"first"}""");
        await socket.SendAsync("""{"message":"second"}""");
        string second = (await peer.NextAsync("message_received")).Text("message_id")!;
        await socket.SendAsync("""{"message":"third"}""");
        await peer.NextAsync("message_received");
        await socket.SendAsync($$"""{"type":"stop","message_id":"{{second}}"}""");
        model.Say("one").Finish();
        Assert.Equal("stop", (await peer.TakeAnswerAsync()).Complete.Text("finish_reason"));
        await peer.NextAsync("response_start");
        var (text, complete) = await peer.TakeAnswerAsync();
        Assert.Equal(("", "cancelled", second), (text, complete.Text("finish_reason"), complete.Text("reply_to")));
        await peer.NextAsync("response_start");
        await chat.Model.NextAsync();
        await socket.SendAsync("""{"message":"fourth"}""");
        await peer.NextAsync("message_received");
        await socket.SendAsync("""{"type":"stop"}""");
        Assert.Equal("cancelled", (await peer.TakeAnswerAsync()).Complete.Text("finish_reason"));
        await peer.NextAsync("response_start");
        Assert.Equal("cancelled", (await peer.TakeAnswerAsync()).Complete.Text("finish_reason"));
        Assert.Equal(2, chat.Model.Requests);
    }

    [Fact]
    public async Task Stop_against_completion_always_ends_in_exactly_one_way()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        int stopped = 0;
        for (int i = 0; i < 200; i++)
        {
            var (_, _, model) = await chat.AskAsync(socket, peer);
            model.Say("text");
            await peer.NextAsync("response_chunk");
            await Task.WhenAll(Task.Run(() => model.Finish()), Task.Run(() => socket.SendAsync("""{"type":"stop"}"""))).Bounded();
            var complete = await peer.NextAsync("response_complete");
            Assert.Equal("text", complete.Text("full_response"));
            var stored = chat.Store.AllMessages[^1];
            Assert.Equal(stored.FinishReason, complete.Text("finish_reason"));
            stopped += stored.FinishReason == "cancelled" ? 1 : 0;
        }
        Assert.InRange(stopped, 0, 200);
        Assert.Equal(400, chat.Store.AllMessages.Count);
    }
}
