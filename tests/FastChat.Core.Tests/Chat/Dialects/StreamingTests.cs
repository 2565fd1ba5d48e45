using FastChat.Chat;
using FastChat.Chat.Dialects;
using FastChat.Storage;
using FastChat.TestKit;

namespace FastChat.Core.Tests.Chat.Dialects;

/// <summary>Answers on their way: several sockets, slow ones, messages that wait.</summary>
public sealed class StreamingTests
{
    [Fact]
    public async Task All_sockets_of_a_session_see_the_same_stream_and_the_others_see_the_question()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, other) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await other.NextAsync("session_info");
        var (messageId, answerId, model) = await chat.AskAsync(socket, peer, """{"message":"Who is there?"}""");
        var question = await other.NextAsync("user_message");
        Assert.Equal("type message_id message timestamp", question.Fields());
        Assert.Equal((messageId, "Who is there?"), (question.Text("message_id"), question.Text("message")));
        Assert.Equal(answerId, (await other.NextAsync("response_start")).Text("message_id"));
        foreach (string word in (string[])["a ", "b ", "c"])
        {
            model.Say(word);
            Assert.Equal(word, (await peer.NextAsync("response_chunk")).Text("chunk"));
            Assert.Equal(word, (await other.NextAsync("response_chunk")).Text("chunk"));
        }
        model.Finish();
        Assert.Equal((await peer.NextAsync("response_complete")).GetRawText(), (await other.NextAsync("response_complete")).GetRawText());
    }

    [Fact]
    public async Task A_slow_peer_gets_fewer_and_larger_chunks_and_holds_nobody_up()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, slow) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        await slow.NextAsync("session_info");
        slow.Stall();
        var (_, _, model) = await chat.AskAsync(socket, peer);
        await slow.NextAsync("user_message");
        await slow.NextAsync("response_start");
        for (int i = 0; i < 200; i++)
        {
            model.Say($"{i} ");
            await peer.NextAsync("response_chunk");
        }
        await ChatHarness.UntilAsync(() => slow.Waiting == 1);
        Assert.Equal(0, slow.Pending);
        slow.Resume();
        var chunk = await slow.NextAsync("response_chunk");
        Assert.Equal(200, chunk.GetProperty("seq").GetInt32());
        Assert.Equal(string.Concat(Enumerable.Range(0, 200).Select(i => $"{i} ")), chunk.Text("chunk"));
        model.Finish();
        await slow.NextAsync("response_complete");
    }

    [Fact]
    public async Task A_peer_that_takes_nothing_while_others_go_on_is_let_go()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, stuck) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        stuck.Stall();
        chat.Model.Reply = _ => ["answer"];
        for (int i = 0; !stuck.IsClosed; i++)
        {
            Assert.True(i < 100);
            await socket.SendAsync("""{"message":"next"}""");
            await peer.NextAsync("message_received");
            await peer.NextAsync("response_start");
            await peer.TakeAnswerAsync();
        }
        Assert.Equal((1008, "Too slow."), await stuck.Closed);
    }

    [Fact]
    public async Task Text_that_is_no_text_goes_out_as_valid_json_all_the_same()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, _, model) = await chat.AskAsync(socket, peer);
        model.Say("a\uDC4Bb\u0000\"\\\n\uD83D");
        Assert.Equal("a\uFFFDb\u0000\"\\\n", (await peer.NextAsync("response_chunk")).Text("chunk"));
        model.Say("\uDC4B").Finish();
        Assert.Equal("👋", (await peer.NextAsync("response_chunk")).Text("chunk"));
        Assert.Equal("a\uFFFDb\u0000\"\\\n👋", (await peer.NextAsync("response_complete")).Text("full_response"));
    }

    [Fact]
    public async Task Messages_that_come_meanwhile_are_acknowledged_at_once_and_answered_in_order()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, _) = await chat.OpenSessionAsync();
        var (_, _, model) = await chat.AskAsync(socket, peer, """{"message":"first"}""");
        await socket.SendAsync("""{"message":"second"}""");
        var received = await peer.NextAsync("message_received");
        Assert.Equal("second", chat.Store.AllMessages[1].Content);
        Assert.Equal(0, peer.Pending);
        model.Say("one").Finish();
        await peer.TakeAnswerAsync();
        Assert.Equal(received.Text("message_id"), (await peer.NextAsync("response_start")).Text("reply_to"));
        var second = await chat.Model.NextAsync();
        Assert.Equal(["first", "one", "second"], second.Prompt.Select(m => m.Text));
        second.Say("two").Finish();
        Assert.Equal("two", (await peer.TakeAnswerAsync()).Text);
    }

    [Fact]
    public async Task Too_many_messages_waiting_is_an_error_and_nothing_is_stored()
    {
        await using var chat = new ChatHarness(o => o.MaxQueuedTurns = 1);
        var (socket, peer, _) = await chat.OpenSessionAsync();
        await chat.AskAsync(socket, peer);
        await socket.SendAsync("""{"message":"second"}""");
        await peer.NextAsync("message_received");
        await socket.SendAsync("""{"message":"third","client_message_id":"c3"}""");
        var error = await peer.NextAsync("error");
        Assert.Equal(("busy", "c3"), (error.Text("code"), error.Text("client_message_id")));
        Assert.Equal(2, chat.Store.AllMessages.Count);
    }

    [Fact]
    public async Task With_no_queue_the_next_message_may_follow_the_end_at_once()
    {
        await using var chat = new ChatHarness(o => (o.MaxQueuedTurns, o.MaxConcurrentGenerations) = (0, 1));
        var (socket, peer, _) = await chat.OpenSessionAsync();
        chat.Model.Reply = _ => ["a", "b"];
        for (int i = 0; i < 50; i++)
        {
            await socket.SendAsync("""{"message":"next"}""");
            await peer.NextAsync("message_received");
            await peer.NextAsync("response_start");
            Assert.Equal("ab", (await peer.TakeAnswerAsync()).Text);
        }
    }

    [Fact]
    public async Task A_peer_that_is_gone_costs_nobody_anything()
    {
        await using var chat = new ChatHarness();
        var (socket, peer, session) = await chat.OpenSessionAsync();
        var (_, gone) = await chat.OpenAsync(ChatDialect.Session, session.Id);
        gone.IsGone = true;
        var (_, _, model) = await chat.AskAsync(socket, peer);
        model.Say("text").Finish();
        Assert.Equal("text", (await peer.TakeAnswerAsync()).Text);
    }

    [Fact]
    public async Task A_thousand_answers_stream_at_once_to_their_own_sockets()
    {
        const int count = 1000;
        await using var chat = new ChatHarness();
        chat.Model.Reply = prompt => Enumerable.Range(0, 20).Select(i => $"{prompt[^1].Text}-{i} ");
        var sessions = new List<(string Name, ChatSocket Socket, RecordingPeer Peer)>();
        for (int i = 0; i < count; i++)
        {
            var user = await chat.Store.EnsureUserAsync($"user-{i}", $"user-{i}");
            var opened = await chat.Engine.Sessions.OpenAsync(new SessionRequest(user.Id, ChatbotRecord.AssistantId));
            var (socket, peer) = await chat.OpenAsync(ChatDialect.Session, opened.Session.Id, user);
            await peer.NextAsync("session_info");
            sessions.Add((user.Id, socket, peer));
        }
        await Task.WhenAll(sessions.Select(s => Task.Run(() => s.Socket.SendAsync($$"""{"message":"{{s.Name}}"}""")))).Bounded();
        foreach (var (name, _, peer) in sessions)
        {
            await peer.NextAsync("message_received");
            await peer.NextAsync("response_start");
            Assert.Equal(string.Concat(Enumerable.Range(0, 20).Select(i => $"{name}-{i} ")), (await peer.TakeAnswerAsync()).Text);
        }
        foreach (var (_, socket, _) in sessions)
            await socket.DisposeAsync();
        chat.Time.Advance(TimeSpan.FromMinutes(3));
        await ChatHarness.UntilAsync(() => chat.Engine.LiveCount == 0);
        Assert.Equal(0, chat.Engine.Sessions.Count);
    }
}
